/** Words of a record in presentation form (RFC 1035 5.1): quoted texts, escapes, comments, parentheses. */
import type { Parsed } from '../../config/address.ts'

/** A quoted text, a comment, one parenthesis, a word, or any other character, which is a mistake. */
const token = /"((?:\\.|[^"\\])*)"|(;[^\n]*)|([()])|((?:\\.|[^\s"();\\])+)|\S/gs

/** @returns the words up to the end of the record: a line break outside parentheses */
export function splitRecord(text: string): Parsed<readonly string[]> {
  const words: string[] = []
  let depth = 0
  let from = 0
  for (const match of text.matchAll(token)) {
    const [whole, , , parenthesis = ''] = match
    const isEnd = depth === 0 && words.length > 0 && text.slice(from, match.index).includes('\n')
    if (isEnd) break
    from = match.index + whole.length
    depth += depthChanges[parenthesis] ?? 0
    if (depth < 0) return { ok: false, why: 'a ")" without "("' }
    const word = wordOf(match)
    if (word === undefined) return { ok: false, why: `a stray ${JSON.stringify(whole)}` }
    if (word !== null) words.push(word)
  }
  return depth > 0 ? { ok: false, why: 'a "(" without ")"' } : { ok: true, value: words }
}

const depthChanges: Readonly<Record<string, number>> = { '(': 1, ')': -1 }
/** @returns its escapes are kept, its quotes are not; null for a comment or a parenthesis, undefined for a mistake */
function wordOf([, quoted, comment, parenthesis, word]: RegExpMatchArray):
  | string
  | null
  | undefined {
  const isNone = comment !== undefined || parenthesis !== undefined
  return isNone ? null : (quoted ?? word)
}

/** @returns the bytes of a text with `\DDD` and `\X`; undefined for `\` at the end or a number above 255 */
export function octetsOf(text: string): number[] | undefined {
  const octets: number[] = []
  for (const [part] of text.matchAll(/\\\d{3}|\\.|./gsu)) {
    if (part === '\\') return undefined
    const number = /^\\\d{3}$/.test(part) ? Number(part.slice(1)) : -1
    if (number > 255) return undefined
    if (number >= 0) octets.push(number)
    else octets.push(...Buffer.from(part.startsWith('\\') ? part.slice(1) : part, 'utf8'))
  }
  return octets
}
