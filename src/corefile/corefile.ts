/**
 * A Corefile with the words of its directives arranged in lines and blocks, as a person reads them. Knows no plugin, so a name that no
 * CoreDNS knows is still a directive here. Facts that only CoreDNS's machine has stay visible: imported files in
 * `unresolvedImports`, environment variables as written. The grammar is in server-blocks.ts.
 */
import {
  type CorefileDirective,
  type CorefilePlace,
  type CorefileProblem,
  placeOf,
  readDirective,
} from './directive.ts'
import type { CorefileFiles } from './files.ts'
import type { CorefileLabel } from './label.ts'
import { type DirectiveWords, type ImportPattern, parseServerBlocks } from './server-blocks.ts'
import { onSameLine } from './tokens.ts'

/** Parses a whole Corefile. Reading stops at the first mistake in the grammar, as it does in CoreDNS. */
export function parseCorefile(text: string, files?: CorefileFiles): CorefileResult {
  const parsed = parseServerBlocks(text, files === undefined ? {} : { files })
  if (!parsed.ok) return parsed
  const blocks: ServerBlock[] = []
  for (const { directives, ...block } of parsed.blocks) {
    const read = arrange(directives)
    if ('problem' in read) return { ok: false, problems: [read.problem] }
    const labels = block.labels.map(({ place: _, ...label }) => label)
    blocks.push({ ...block, labels, directives: read.directives })
  }
  const unresolvedImports = parsed.unresolvedImports.map(({ pattern, ...place }) => ({
    ...placeOf(place),
    pattern,
  }))
  return { ok: true, blocks, unresolvedImports }
}

export interface Corefile {
  /** In the order of the file. */
  readonly blocks: readonly ServerBlock[]
  /** The content of these files is missing in `blocks`: directives, or whole server blocks. */
  readonly unresolvedImports: readonly ImportPattern[]
}

export interface ServerBlock extends CorefilePlace {
  readonly labels: readonly CorefileLabel[]
  /** In the order of the file, which means nothing to CoreDNS: its own order is compiled in. */
  readonly directives: readonly CorefileDirective[]
}

export type CorefileResult =
  | ({ readonly ok: true } & Corefile)
  | { readonly ok: false; readonly problems: readonly CorefileProblem[] }

type Arranged =
  | { readonly directives: readonly CorefileDirective[] }
  | { readonly problem: CorefileProblem }

function arrange(all: readonly DirectiveWords[]): Arranged {
  const directives: CorefileDirective[] = []
  const lastOf = new Map<string, DirectiveWords>()
  for (const one of all) {
    const { name, words } = one
    const [first] = words
    const before = lastOf.get(name)?.words.at(-1)
    // CoreDNS gives a plugin the words of all its directives at once, so these would become one line.
    if (before && first && onSameLine(before, first)) {
      const message = 'this line is imported twice into one block; CoreDNS would join the two'
      return { problem: { ...placeOf(first), message } }
    }
    lastOf.set(name, one)
    const read = readDirective(words)
    if (!read.ok) return { problem: read.problem }
    directives.push(read.directive)
  }
  return { directives }
}
