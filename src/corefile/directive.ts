/**
 * One directive of a Corefile: its words arranged in lines and blocks, as a CoreDNS plugin gets them. Knows no plugin, and does
 * not judge the words. Facts: dispenser of github.com/coredns/caddy v1.1.4.
 */
import { type CorefileToken, onSameLine } from './tokens.ts'

/** Where something stands. */
export interface CorefilePlace {
  readonly line: number
  /** In UTF-16 code units from 1; absent where the line as a whole is meant. */
  readonly column?: number
  /** Path of an imported file; absent in the Corefile itself. */
  readonly file?: string
}

export interface CorefileDirective extends CorefilePlace {
  readonly name: string
  /** Words after the name on its line. `{$NAME}` and `{%NAME%}` as written. */
  readonly args: readonly string[]
  /** The lines between braces, which may have blocks of their own; absent without braces. */
  readonly block?: readonly CorefileDirective[]
}

export interface CorefileProblem extends CorefilePlace {
  readonly message: string
}

export type DirectiveResult =
  | { readonly ok: true; readonly directive: CorefileDirective }
  | { readonly ok: false; readonly problem: CorefileProblem }

/** CoreDNS's own plugins use one level; a deeper text is not a real Corefile. */
const depthMax = 8

/** @param tokens of one directive with balanced braces, its name first */
export function readDirective(tokens: readonly CorefileToken[]): DirectiveResult {
  const reader = new DirectiveReader(tokens)
  const directive = reader.line(0)
  const rest = reader.next
  if (directive !== undefined && rest !== undefined) reader.refuse(strayWord(rest))
  if (directive !== undefined && reader.problem === undefined) return { ok: true, directive }
  return {
    ok: false,
    problem: reader.problem ?? { line: 1, message: 'there is no directive here' },
  }
}

/** @returns line and, if it is an imported one, file */
export function placeOf({ line, file }: CorefilePlace): CorefilePlace {
  return file === undefined ? { line } : { line, file }
}

/** @returns the same with the column */
export function spotOf(token: Pick<CorefileToken, 'line' | 'column' | 'file'>): CorefilePlace {
  return { ...placeOf(token), column: token.column }
}

class DirectiveReader {
  private readonly tokens: readonly CorefileToken[]
  private at = 0
  problem: CorefileProblem | undefined

  constructor(tokens: readonly CorefileToken[]) {
    this.tokens = tokens
  }

  get next(): CorefileToken | undefined {
    return this.tokens[this.at]
  }

  /** Only the first problem is kept. */
  refuse(problem: CorefileProblem): undefined {
    this.problem ??= problem
    return undefined
  }

  line(depth: number): CorefileDirective | undefined {
    const name = this.take()
    if (name === undefined) return undefined
    const args: string[] = []
    while (this.nextIsArgument()) args.push(this.take()?.text ?? '')
    const directive = { name: name.text, ...placeOf(name), args }
    const brace = this.next
    if (brace?.text !== '{' || !this.isOnThisLine(brace)) return directive
    if (depth === depthMax) {
      return this.refuse({ ...placeOf(brace), message: `blocks within blocks, ${depth} deep` })
    }
    this.take()
    const block = this.block(brace, depth)
    return block && { ...directive, block }
  }

  private block(opened: CorefileToken, depth: number): CorefileDirective[] | undefined {
    const lines: CorefileDirective[] = []
    for (;;) {
      const token = this.next
      if (token === undefined) {
        return this.refuse({ ...placeOf(opened), message: 'the block that begins here has no end' })
      }
      if (token.text === '}') {
        const isLate = lines.length > 0 && this.isOnThisLine(token)
        if (isLate && !leavesBrace(this.owner(depth), lines.at(-1))) {
          return this.refuse(lateBrace(token))
        }
        this.take()
        return lines
      }
      const line = this.line(depth + 1)
      if (line === undefined) return undefined
      lines.push(line)
    }
  }

  /** Name of the directive whose block this is; undefined in blocks within it. */
  private owner(depth: number): string | undefined {
    return depth === 0 ? this.tokens[0]?.text : undefined
  }

  private nextIsArgument(): boolean {
    const token = this.next
    if (token === undefined || !this.isOnThisLine(token)) return false
    return token.text !== '{' && token.text !== '}'
  }

  private isOnThisLine(token: CorefileToken): boolean {
    const last = this.tokens[this.at - 1]
    return last !== undefined && onSameLine(last, token)
  }

  private take(): CorefileToken | undefined {
    const token = this.next
    this.at++
    return token
  }
}

/** Options that take one word, and so leave a brace behind it to the block. */
const shortOptions: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['template', new Set(['rcode'])],
  ['forward', new Set(['policy', 'max_fails', 'max_concurrent', 'expire', 'tls_servername'])],
])

/** Other plugins read a brace after words as one more word, and then lack the brace: a mistake for CoreDNS. */
function leavesBrace(name: string | undefined, line: CorefileDirective | undefined): boolean {
  if (name === undefined || line === undefined) return false
  return line.args.length === 1 && shortOptions.get(name)?.has(line.name) === true
}

function strayWord(token: CorefileToken): CorefileProblem {
  const message =
    token.text === '{'
      ? 'the "{" of a block must stand on the line of its directive'
      : `${JSON.stringify(token.text)} stands behind the end of a block; begin a new line`
  return { ...placeOf(token), message }
}

function lateBrace(token: CorefileToken): CorefileProblem {
  return { ...placeOf(token), message: 'the "}" that ends a block must stand on a line of its own' }
}
