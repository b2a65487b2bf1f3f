/**
 * The words of all directives of one name in a server block, taken one after another as CoreDNS's plugins take them. Whether a brace on a
 * line with words ends a block depends on which of these calls a plugin makes, so whoever reads a plugin's words makes the
 * same ones. Knows no plugin. Facts: dispenser of github.com/coredns/caddy v1.1.4.
 */
import { type CorefilePlace, spotOf } from './directive.ts'
import { type CorefileToken, onLaterLine, onSameLine } from './tokens.ts'

export class Words {
  private readonly tokens: readonly CorefileToken[]
  private at = -1
  private depth = 0

  /** @param tokens with the name of the first directive first */
  constructor(tokens: readonly CorefileToken[]) {
    this.tokens = tokens
  }

  /** The current word; empty before the first. */
  get text(): string {
    return this.token?.text ?? ''
  }

  /** Where the current word stands; before the first, where that stands. */
  get place(): CorefilePlace {
    const token = this.token ?? this.tokens[0]
    return token === undefined ? { line: 1 } : spotOf(token)
  }

  /** Moves to the next word, on whichever line. */
  next(): boolean {
    if (this.at >= this.tokens.length - 1) return false
    this.at++
    return true
  }

  /** Moves to the next word if it is on the same line; a brace is a word, too. */
  nextArgument(): boolean {
    const next = this.tokens[this.at + 1]
    if (this.token === undefined || next === undefined || !onSameLine(this.token, next))
      return false
    this.at++
    return true
  }

  /** Moves to the next word of the block that begins on this line, or in which we are. False at its end. */
  nextInBlock(): boolean {
    if (this.depth > 0) {
      if (!this.next()) return false
      if (!this.is('}')) return true
      this.depth--
      return false
    }
    if (!this.nextArgument()) return false
    if (!this.is('{')) {
      this.at--
      return false
    }
    if (!this.next() || this.is('}')) return false
    this.depth++
    return true
  }

  /** Words up to the end of the line or an opening brace. A closing brace is one of them. */
  rest(): Word[] {
    const words: Word[] = []
    while (this.nextArgument()) {
      if (this.is('{')) {
        this.at--
        break
      }
      words.push({ text: this.text, place: this.place })
    }
    return words
  }

  /** Whether the current word begins a line. */
  get beginsLine(): boolean {
    const before = this.tokens[this.at - 1]
    return before === undefined || (this.token !== undefined && onLaterLine(before, this.token))
  }

  private is(text: string): boolean {
    return this.text === text
  }

  private get token(): CorefileToken | undefined {
    return this.tokens[this.at]
  }
}

export interface Word {
  readonly text: string
  readonly place: CorefilePlace
}
