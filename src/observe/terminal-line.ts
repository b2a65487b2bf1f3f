/** A log line for a person at a terminal: time, level, message, then the fields. Made from the JSON line, so that both say the same. */
import { styleText } from 'node:util'

type Colour = Parameters<typeof styleText>[0]

const colours: Readonly<Record<string, Colour>> = {
  trace: 'gray',
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
}

/** @param json one line as the log writes it @returns one line, and more for a stack trace; the same text when it is no such line */
export function terminalLine(json: string, isColoured: boolean): string {
  const fields = parsed(json)
  if (fields === undefined) return json
  const { time, level, msg, err, ...rest } = fields
  const paint = (colour: Colour, text: string) =>
    isColoured ? styleText(colour, text, { validateStream: false }) : text
  const label = String(level).toUpperCase().padEnd(5)
  const values = Object.entries(rest).map(
    ([key, value]) => `${paint('gray', `${key}=`)}${valueText(value)}`,
  )
  const head = [
    paint('gray', String(time).slice(11, 23)),
    paint(colours[String(level)] ?? 'white', label),
    safe(String(msg)),
  ]
  return `${[...head, ...values].join(' ')}\n${stackText(err)}`
}

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? safe(value) : quoted(value)
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) {
    return value.length === 0 ? '[]' : value.map(valueText).join(',')
  }
  return typeof value === 'object' ? quoted(value) : String(value)
}

function quoted(value: unknown): string {
  return safe(JSON.stringify(value))
}

function stackText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const text = 'stack' in error ? error.stack : JSON.stringify(error)
  return String(text)
    .split('\n')
    .map((line) => `    ${safe(line)}\n`)
    .join('')
}

/** Control characters of others move no cursor. */
function safe(text: string): string {
  return text.replaceAll(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
