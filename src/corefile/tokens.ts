/**
 * Splits a Corefile into words exactly as CoreDNS does, quirks included: a judgement about a Corefile is
 * worthless if CoreDNS reads it differently. Knows no grammar. Facts: lexer of github.com/coredns/caddy
 * v1.1.4, checked against the program by test/corefile/coredns.test.ts.
 */

export interface CorefileToken {
  /** Without the quotes; `{$NAME}` and `{%NAME%}` as written. */
  readonly text: string
  /** Where it starts, from 1. */
  readonly line: number
  /** Where it starts in its line, in UTF-16 code units from 1. */
  readonly column: number
  /** Differs from `line` only for a quoted word with line breaks in it. */
  readonly lastLine: number
  /** Path of an imported file; absent in the Corefile itself. */
  readonly file?: string
}

/**
 * Words are separated by white space. A word that begins with `"` goes to the next `"`, over lines if need be, and
 * whatever follows is the next word; `\"` is a quote, any other backslash stands for itself. A `#` outside of quotes
 * hides the rest of its line, with one exception that CoreDNS has too: inside a word it hides only up to white space.
 * A quote that is never closed ends with the text.
 */
export function tokenizeCorefile(text: string): CorefileToken[] {
  const tokens: CorefileToken[] = []
  const characters = text.startsWith('\ufeff') ? text.slice(1) : text
  let place: LinePlace = { line: 1, start: 0 }
  let behind = 0
  for (;;) {
    const at = passBlank(characters, behind)
    if (at === characters.length) return tokens
    place = passBreaks(characters, { from: behind, to: at }, place)
    const word = characters[at] === '"' ? quotedWord(characters, at) : plainWord(characters, at)
    const last = passBreaks(characters, { from: at, to: word.end }, place)
    if (word.text !== undefined) {
      const column = at - place.start + 1
      tokens.push({ text: word.text, line: place.line, column, lastLine: last.line })
    }
    place = last
    behind = word.end
  }
}

/** Whether `next` is an argument of the line that `token` is on; a word that spans lines ends on its last. */
export function onSameLine(token: CorefileToken, next: CorefileToken): boolean {
  return token.file === next.file && token.lastLine === next.line
}

/** Not the opposite of `onSameLine`: words of a snippet keep their line numbers, which may be smaller. */
export function onLaterLine(token: CorefileToken, next: CorefileToken): boolean {
  return token.file !== next.file || token.lastLine < next.line
}

/** Whether CoreDNS would insert an environment variable here, which only its own process knows. */
export function readsEnvironment(text: string): boolean {
  return text.includes('{$') || text.includes('{%')
}

/** What a word does to the number of open braces. */
export function depthChange(token: CorefileToken): -1 | 0 | 1 {
  if (token.text === '{') return 1
  return token.text === '}' ? -1 : 0
}

interface Word {
  /** Undefined for an unclosed quote without content. */
  readonly text: string | undefined
  readonly end: number
}

/** Unicode's White_Space, as Go's unicode.IsSpace has it; JavaScript's \s lacks U+0085 and adds U+FEFF. */
const space = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

function quotedWord(characters: string, start: number): Word {
  let text = ''
  for (let at = start + 1; at < characters.length; at++) {
    const character = characters[at]
    if (character === '"') return { text, end: at + 1 }
    if (character !== '\\') {
      text += character
      continue
    }
    const escaped = characters[++at]
    if (escaped !== undefined) text += escaped === '"' ? '"' : `\\${escaped}`
  }
  return { text: text === '' ? undefined : text, end: characters.length }
}

/** @returns where the next word begins */
function passBlank(characters: string, start: number): number {
  let comment = false
  for (let at = start; at < characters.length; at++) {
    const character = characters[at] ?? ''
    if (character === '\n') comment = false
    else if (character === '#') comment = true
    else if (!comment && !space.test(character)) return at
  }
  return characters.length
}

function plainWord(characters: string, start: number): Word {
  let text = ''
  let comment = false
  for (let at = start; at < characters.length; at++) {
    const character = characters[at] ?? ''
    if (character === '\r') continue
    if (space.test(character)) return { text, end: at }
    if (character === '#') comment = true
    if (!comment) text += character
  }
  return { text, end: characters.length }
}

interface LinePlace {
  readonly line: number
  /** Offset of the line's first character. */
  readonly start: number
}

interface Stretch {
  readonly from: number
  readonly to: number
}

function passBreaks(characters: string, { from, to }: Stretch, place: LinePlace): LinePlace {
  let { line, start } = place
  for (let at = from; at < to; at++) {
    if (characters[at] !== '\n') continue
    line++
    start = at + 1
  }
  return { line, start }
}
