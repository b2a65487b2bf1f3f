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
  let line = 1
  let behind = 0
  for (;;) {
    const at = passBlank(characters, behind)
    if (at === characters.length) return tokens
    line += countBreaks(characters, behind, at)
    const word = characters[at] === '"' ? quotedWord(characters, at) : plainWord(characters, at)
    const lastLine = line + countBreaks(characters, at, word.end)
    if (word.text !== undefined) tokens.push({ text: word.text, line, lastLine })
    line = lastLine
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

function countBreaks(characters: string, start: number, end: number): number {
  let count = 0
  for (let at = start; at < end; at++) if (characters[at] === '\n') count++
  return count
}
