/** Go's fmt.Sprintf for the values of templates. What Go marks with `%!` in its result is an error here: no record can be read from it. */
import { printed, TemplateError, type Value } from './value.ts'

const verb = /%([-+0 #]*)(\d*)(?:\.(\d+))?([a-zA-Z%])|%/g

interface Verb {
  readonly whole: string
  readonly flags: string
  /** Columns, 0 for as many as it takes. */
  readonly width: number
  readonly precision: number | undefined
  readonly letter: string
}

export function format(text: string, args: readonly Value[]): string {
  let made = ''
  let from = 0
  let next = 0
  for (const match of text.matchAll(verb)) {
    made += text.slice(from, match.index)
    from = match.index + match[0].length
    const found = verbOf(match)
    made += found.letter === '%' ? '%' : formatOne(found, args, next)
    if (found.letter !== '%') next += 1
  }
  if (next < args.length) throw new TemplateError('printf: more values than verbs')
  return made + text.slice(from)
}

function verbOf([whole, flags = '', width = '', precision, letter = '']: RegExpMatchArray): Verb {
  return {
    whole,
    flags,
    width: Number(width),
    precision: precision === undefined ? undefined : Number(precision),
    letter,
  }
}

function formatOne(found: Verb, args: readonly Value[], index: number): string {
  const { whole, letter } = found
  if (letter === '' || index >= args.length)
    throw new TemplateError(`printf: ${whole} has no value`)
  const value = args[index]
  const body = letter === 'v' ? printed(value) : bodyOf(found, value)
  if (body === undefined) throw new TemplateError(`printf: ${whole} is not for ${printed(value)}`)
  return padded(body, found)
}

function bodyOf({ letter, precision }: Verb, value: Value): string | undefined {
  if (typeof value === 'string') return textBody(letter, value, precision)
  if (typeof value === 'number') return numberBody(letter, value)
  return typeof value === 'boolean' && letter === 't' ? String(value) : undefined
}

function textBody(letter: string, value: string, precision: number | undefined) {
  if (letter === 's') return value.slice(0, precision)
  if (letter === 'q') return JSON.stringify(value)
  const isHex = letter === 'x' || letter === 'X'
  return isHex ? inCase(letter, Buffer.from(value).toString('hex')) : undefined
}

function numberBody(letter: string, value: number): string | undefined {
  const radix = radixes[letter]
  if (radix !== undefined) return inCase(letter, value.toString(radix))
  return letter === 'c' ? String.fromCodePoint(value) : undefined
}

const radixes: Readonly<Record<string, number>> = { d: 10, x: 16, X: 16, o: 8, b: 2 }

function inCase(letter: string, text: string): string {
  return letter === 'X' ? text.toUpperCase() : text
}

/** Longer than any record needs. */
const widthMax = 1000

function padded(body: string, { flags, width }: Verb): string {
  const columns = Math.min(width, widthMax)
  if (flags.includes('-')) return body.padEnd(columns)
  return body.padStart(columns, flags.includes('0') ? '0' : ' ')
}
