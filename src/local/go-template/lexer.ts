/** Go's template texts (text/template) in pieces: plain text, and actions as lists of tokens. */
import type { Parsed } from '../../config/address.ts'

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly source: string }

export type Token =
  /** `if`, `index`, `true`. */
  | { readonly kind: 'word'; readonly text: string }
  /** `.Name`; `.` alone has no text. */
  | { readonly kind: 'field'; readonly text: string }
  /** `$x`; `$` alone has no text. */
  | { readonly kind: 'variable'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  /** `(`, `)`, `|`, `:=`, `=`, `,`. */
  | { readonly kind: 'mark'; readonly text: string }
  | { readonly kind: 'space' }

/** `{{-` and `-}}` take the blanks before and behind with them; the dash needs a blank beside it. */
const action =
  /(\s*\{\{-(?=\s)|\{\{)(\s*\/\*[\s\S]*?\*\/\s*|(?:"(?:\\.|[^"\\])*"|`[^`]*`|'(?:\\.|[^'\\])*'|(?!\s-\}\})(?!\}\})[\s\S])*)(\s-\}\}\s*|\}\})/g

const tokenShape =
  /(\s+)|"((?:\\.|[^"\\\n])*)"|`([^`]*)`|'((?:\\.[0-7]{0,2}|[^'\\]))'|([+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?))(?![\w.])|\$(\w*)|\.([A-Za-z_]\w*)|(\.)(?![\w])|([A-Za-z_]\w*)|(:=|[()|=,])/gy

export function splitTemplate(text: string): Parsed<readonly Piece[]> {
  const pieces: Piece[] = []
  let from = 0
  for (const match of text.matchAll(action)) {
    const [whole, , inside = ''] = match
    pieces.push({ kind: 'text', text: text.slice(from, match.index) })
    from = match.index + whole.length
    if (/^\s*\/\*/.test(inside)) continue
    const tokens = tokensOf(inside)
    if (!tokens.ok) return tokens
    pieces.push({ kind: 'action', tokens: tokens.value, source: inside.trim() })
  }
  const rest = text.slice(from)
  if (rest.includes('{{')) return { ok: false, why: 'a "{{" without "}}"' }
  pieces.push({ kind: 'text', text: rest })
  return { ok: true, value: pieces.filter((piece) => piece.kind === 'action' || piece.text !== '') }
}

function tokensOf(source: string): Parsed<readonly Token[]> {
  const tokens: Token[] = []
  tokenShape.lastIndex = 0
  while (tokenShape.lastIndex < source.length) {
    const at = tokenShape.lastIndex
    const match = tokenShape.exec(source)
    const token = match === null ? undefined : tokenOf(match)
    if (token === undefined)
      return { ok: false, why: `cannot be read from ${JSON.stringify(source.slice(at))} on` }
    tokens.push(token)
  }
  return { ok: true, value: tokens }
}

function tokenOf(match: RegExpExecArray): Token | undefined {
  const [, space, quoted, raw, rune, number, variable, field, dot, word, mark] = match
  if (space !== undefined) return { kind: 'space' }
  if (raw !== undefined) return { kind: 'string', text: raw }
  if (quoted !== undefined) {
    const text = unescaped(quoted)
    return text === undefined ? undefined : { kind: 'string', text }
  }
  if (rune !== undefined) {
    const value = unescaped(rune)?.codePointAt(0)
    return value === undefined ? undefined : { kind: 'number', value }
  }
  if (number !== undefined) return { kind: 'number', value: Number(number) }
  if (variable !== undefined) return { kind: 'variable', text: variable }
  if (field !== undefined) return { kind: 'field', text: field }
  if (dot !== undefined) return { kind: 'field', text: '' }
  if (word !== undefined) return { kind: 'word', text: word }
  return mark === undefined ? undefined : { kind: 'mark', text: mark }
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

/** Go's escapes in quoted texts. @returns undefined for one that Go does not have */
function unescaped(text: string): string | undefined {
  let isWrong = false
  const plain = text.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{3})|([\s\S]))/g,
    (...[, byte, unit, octal, letter = '']: (string | undefined)[]) => {
      const code = byte ?? unit
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
      isWrong ||= escapes[letter] === undefined
      return escapes[letter] ?? ''
    },
  )
  return isWrong ? undefined : plain
}
