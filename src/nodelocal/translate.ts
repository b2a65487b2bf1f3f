/**
 * A Corefile of NodeLocal DNSCache as settings of neardns: what a neardns.yaml would hold. Nothing is passed over in silence: what cannot be
 * taken over is a problem, with its place and a way out, and there are no settings then; what is done otherwise on purpose is a note. Pure.
 */

import type { CorefilePlace } from '../corefile/directive.ts'
import type { Environment } from '../corefile/environment.ts'
import { type CorefileFiles, noFiles } from '../corefile/files.ts'
import { type ImportPattern, parseServerBlocks } from '../corefile/server-blocks.ts'
import type { CompilePattern } from '../local/pattern/pattern.ts'
import { attempt, type Block, readBlocks } from './blocks.ts'
import { adminListen } from './mapping/admin.ts'
import { answersOf, type ZoneAnswer } from './mapping/answers.ts'
import { cacheSettings } from './mapping/cache.ts'
import { clientSettings } from './mapping/clients.ts'
import { clusterDomainOf } from './mapping/cluster.ts'
import { dnstapComplaints, dnstapNotes } from './mapping/dnstap.ts'
import { groupsOf } from './mapping/groups.ts'
import { oddLabels, pillarNotes, schemeMistakes, withPlainLabels } from './mapping/labels.ts'
import {
  clashes,
  hostsOf,
  joinListeners,
  type ListenContext,
  type Served,
} from './mapping/listeners.ts'
import type { PlainSection } from './mapping/plain.ts'
import { withRewriteTargets } from './mapping/rewrites.ts'
import { stageSettings, unreachedNotes } from './mapping/stages.ts'
import type { Complaint, Remark } from './reading.ts'

/** What a Corefile takes from the node, the command line and the pod. */
export interface TranslateContext {
  /** The Corefile's name in messages. */
  readonly file: string
  /** Absent: every variable is empty, as it is where it is not set. */
  readonly environment?: Environment
  /** Absent: no other file can be read. */
  readonly files?: CorefileFiles
  /** Compiles regular expressions; absent: they are not checked here. */
  readonly compilePattern?: CompilePattern
  /** Port of labels without one, 53 by default: `-dns.port`. */
  readonly port?: number
  /** Addresses in the place of a wildcard, that is of 0.0.0.0, :: and no `bind` at all; by default these two. */
  readonly wildcard?: readonly string[]
  /** Addresses of a link of this node, for `bind LINK`. Absent: no link is known. */
  readonly addressesOf?: (link: string) => readonly string[] | undefined
  /** `-upstreamsvc`, for the message about an address that is missing. */
  readonly upstreamService?: string
  /** Address of that Service: the zone that is forwarded to it is the cluster's. */
  readonly clusterDns?: string
}

export interface Translation {
  /** As a neardns.yaml holds it; absent while there are problems. */
  readonly settings?: PlainSection
  /** What differs on purpose, in the order of the file. */
  readonly notes: readonly TranslateNote[]
  readonly problems: readonly TranslateProblem[]
}

export interface TranslateNote {
  readonly file: string
  /** Both count from 1. */
  readonly line: number
  readonly column: number
  readonly message: string
}

export interface TranslateProblem extends TranslateNote {
  /** What would be right; empty where the message has it. */
  readonly cure: string
}

export function translate(text: string, context: TranslateContext): Translation {
  const { environment = () => undefined, files = noFiles } = context
  const parsed = parseServerBlocks(text, { environment, files })
  if (!parsed.ok) {
    const complaints = parsed.problems.map((problem) => ({ cure: '', ...problem }))
    return finish({ complaints, notes: [] }, context)
  }
  if (parsed.blocks.length === 0 && parsed.unresolvedImports.length === 0) {
    const cure = 'write one, as `.:53 { ... }`'
    const complaint = { line: 1, message: 'there is no server block', cure }
    return finish({ complaints: [complaint], notes: [] }, context)
  }
  const odd = oddLabels(parsed.blocks)
  const read = readBlocks(parsed.blocks.map(withPlainLabels), context.compilePattern)
  const notes = [...parsed.emptyImports.map(emptyImport), ...odd.notes, ...read.notes]
  const complaints = [
    ...parsed.unresolvedImports.map(unresolvedImport),
    ...parsed.blocks.flatMap(schemeMistakes),
    ...odd.complaints,
    ...read.complaints,
  ]
  const rest = settingsOf(
    read.blocks,
    { ...context, files },
    { isIncomplete: complaints.length > 0 },
  )
  return finish(
    {
      settings: rest.settings,
      complaints: [...complaints, ...rest.complaints],
      notes: [...notes, ...rest.notes],
    },
    context,
  )
}

interface Draft {
  readonly settings?: PlainSection
  readonly complaints: readonly Complaint[]
  readonly notes: readonly Remark[]
}

function settingsOf(
  all: readonly Block[],
  context: TranslateContext & { readonly files: CorefileFiles },
  given: { readonly isIncomplete: boolean },
): Draft & { readonly settings: PlainSection } {
  // Nobody asks those without a zone; their probes and pages are served all the same.
  const blocks = all.filter(({ labels }) => labels.length > 0)
  const complaints: Complaint[] = []
  const boundNotes: Remark[] = []
  const listenContext: ListenContext = {
    port: context.port ?? 53,
    wildcard: context.wildcard ?? ['0.0.0.0', '::'],
    addressesOf: context.addressesOf ?? (() => undefined),
  }
  const served = blocks.map((block): Served => {
    const { hosts, ...said } = hostsOf(block, listenContext)
    complaints.push(...said.complaints)
    boundNotes.push(...said.notes)
    let answers: readonly ZoneAnswer[] = []
    const complaint = attempt(() => {
      answers = answersOf(block, context)
    })
    if (complaint !== undefined) complaints.push(complaint)
    return { block, hosts, answers }
  })
  complaints.push(...clashes(served, listenContext))
  const rewritten = withRewriteTargets(served)
  // What is missing because it is wrong has been told.
  const isWhole = complaints.length === 0 && !given.isIncomplete
  const joined = joinListeners(rewritten.served, listenContext)
  const domain = clusterDomainOf(joined.answers, blocks, context)
  const groups = groupsOf(joined.answers, {
    files: context.files,
    domain,
    clusterDns: context.clusterDns,
    listen: joined.listen,
  })
  const admin = adminListen(all)
  const cache = cacheSettings(blocks)
  const settings = {
    listen: joined.listen,
    ...groups.settings,
    cache: cache.settings,
    ...stageSettings(blocks),
    ...clientSettings(blocks),
    ...(admin.listen.length > 0 && { admin: { listen: admin.listen } }),
  }
  return {
    settings,
    complaints: [
      ...complaints,
      ...joined.complaints,
      ...dnstapComplaints(blocks),
      ...(isWhole ? groups.complaints : []),
      ...admin.complaints,
    ],
    notes: [
      ...blocks.flatMap(pillarNotes),
      ...boundNotes,
      ...rewritten.notes,
      ...unreachedNotes(blocks),
      ...dnstapNotes(blocks),
      ...joined.notes,
      ...groups.notes,
      ...cache.notes,
    ],
  }
}

function unresolvedImport({ pattern, ...place }: ImportPattern): Complaint {
  const cure = 'define the snippet above, mount the file at this path, or write its lines here'
  return { ...place, message: `\`import ${pattern}\`: there is no such snippet or file`, cure }
}

function emptyImport({ pattern, ...place }: ImportPattern): Remark {
  return { ...place, message: `\`import ${pattern}\` matches no file here, and adds nothing` }
}

function finish({ settings, complaints, notes }: Draft, { file }: TranslateContext): Translation {
  const at = (place: CorefilePlace) => ({
    file: place.file ?? file,
    line: place.line,
    column: place.column ?? 1,
  })
  const problems = complaints
    .map((one) => ({ ...at(one), message: one.message, cure: one.cure }))
    .toSorted(byPlace)
  return {
    ...(settings !== undefined && problems.length === 0 && { settings }),
    notes: notes.map((one) => ({ ...at(one), message: one.message })).toSorted(byPlace),
    problems,
  }
}

/** Imported files keep their lines together, behind those of the Corefile only by chance; within a file by place. */
function byPlace(one: TranslateNote, other: TranslateNote): number {
  if (one.file !== other.file) return 0
  return one.line - other.line || one.column - other.column
}
