/**
 * Go's template texts (text/template), as CoreDNS's `template` has them: fields, variables, pipelines, `if` and `with`, and the functions of
 * functions.ts. Left out, and refused when read: `range`, `define`, `template`, `block`, and methods. An error while a text is made is a
 * value, as in Go.
 */
import type { Parsed } from '../../config/address.ts'
import { functionNames } from './functions.ts'
import { type Piece, splitTemplate } from './lexer.ts'
import { type Context, type Node, run } from './nodes.ts'
import { PipelineReader } from './pipeline-reader.ts'
import type { Value } from './value.ts'

export interface Template {
  /** Whether the text is the same for every question. */
  readonly isFixed: boolean
  /** @returns what went wrong, for people, when there is no text */
  make(data: Readonly<Record<string, Value>>): Parsed<string>
}

/** @param fields that the data will have */
export function parseTemplate(text: string, fields: ReadonlySet<string>): Parsed<Template> {
  const pieces = splitTemplate(text)
  if (!pieces.ok) return wrong(text, pieces.why)
  const reader = new TemplateReader(pieces.value, fields)
  const body = reader.readAll()
  if (reader.why !== undefined) return wrong(text, reader.why)
  const isFixed = pieces.value.every(({ kind }) => kind === 'text')
  return { ok: true, value: { isFixed, make: (data) => makeText(body, data) } }
}

function makeText(body: readonly Node[], data: Readonly<Record<string, Value>>): Parsed<string> {
  const context: Context = { data, dot: data, variables: new Map(), out: [] }
  const why = run(body, context)
  return why === undefined ? { ok: true, value: context.out.join('') } : { ok: false, why }
}

function wrong(text: string, why: string): Parsed<never> {
  return { ok: false, why: `the template ${JSON.stringify(text)}: ${why}` }
}

const refusedWords = new Set(['range', 'define', 'template', 'block', 'break', 'continue'])

class TemplateReader {
  why: string | undefined
  private readonly pieces: readonly Piece[]
  private readonly fields: ReadonlySet<string>
  private at = 0

  constructor(pieces: readonly Piece[], fields: ReadonlySet<string>) {
    this.pieces = pieces
    this.fields = fields
  }

  readAll(): Node[] {
    const body = this.readBody(true)
    if (this.at < this.pieces.length) this.fail(`{{${this.source()}}} without {{if}} or {{with}}`)
    return body
  }

  /** Up to an `else` or `end`, which is left to the caller. */
  private readBody(hasRootDot: boolean): Node[] {
    const body: Node[] = []
    while (this.why === undefined) {
      const piece = this.pieces[this.at]
      if (piece === undefined) return body
      if (piece.kind === 'text') {
        body.push({ kind: 'text', text: piece.text })
        this.at += 1
        continue
      }
      const word = this.firstWord(piece)
      if (word === 'else' || word === 'end') return body
      this.at += 1
      body.push(this.readAction(piece, word, hasRootDot))
    }
    return body
  }

  private readAction(
    piece: Extract<Piece, { kind: 'action' }>,
    word: string,
    hasRootDot: boolean,
  ): Node {
    if (refusedWords.has(word)) this.fail(`{{${word}}} is not supported`)
    const reader = new PipelineReader(piece.tokens, { fields: this.fields, hasRootDot })
    if (word === 'if' || word === 'with') reader.skipWord()
    const pipeline = reader.read()
    if (pipeline === undefined) this.fail(`{{${piece.source}}}: ${reader.why}`)
    const condition = pipeline ?? { commands: [], declares: undefined, assigns: undefined }
    if (word === 'if' || word === 'with') return this.readBranches(word, condition, hasRootDot)
    return { kind: 'print', pipeline: condition }
  }

  private readBranches(
    kind: 'if' | 'with',
    pipeline: Extract<Node, { kind: 'print' }>['pipeline'],
    hasRootDot: boolean,
  ): Node {
    const then = this.readBody(hasRootDot && kind === 'if')
    const piece = this.pieces[this.at]
    this.at += 1
    if (piece?.kind !== 'action') {
      this.fail(`a {{${kind}}} without {{end}}`)
      return { kind, pipeline, then, otherwise: [] }
    }
    if (this.firstWord(piece) === 'end') return { kind, pipeline, then, otherwise: [] }
    return { kind, pipeline, then, otherwise: this.readElse(piece, kind, hasRootDot) }
  }

  private readElse(
    piece: Extract<Piece, { kind: 'action' }>,
    kind: string,
    hasRootDot: boolean,
  ): Node[] {
    const rest = piece.tokens.slice(piece.tokens.findIndex((token) => token.kind === 'word') + 1)
    const second = rest.find(({ kind: of }) => of !== 'space')
    if (second === undefined) {
      const body = this.readBody(hasRootDot)
      if (this.pieces[this.at] === undefined) this.fail(`a {{${kind}}} without {{end}}`)
      else if (this.source() !== 'end') this.fail('a second {{else}}')
      this.at += 1
      return body
    }
    const isChain = second.kind === 'word' && (second.text === 'if' || second.text === 'with')
    if (!isChain) this.fail(`{{${piece.source}}} cannot be read`)
    // `{{else if X}} ... {{end}}` has one `end` for both.
    return isChain ? [this.readAction({ ...piece, tokens: rest }, second.text, hasRootDot)] : []
  }

  private firstWord({ tokens }: Extract<Piece, { kind: 'action' }>): string {
    const first = tokens.find(({ kind }) => kind !== 'space')
    return first?.kind === 'word' && !functionNames.has(first.text) ? first.text : ''
  }

  private source(): string {
    const piece = this.pieces[this.at]
    return piece?.kind === 'action' ? piece.source : ''
  }

  private fail(why: string): void {
    this.why ??= why
  }
}
