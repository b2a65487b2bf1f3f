/**
 * The wording of every complaint about a value: what was wrong, then what would be right. Pure text, so that the same mistake
 * reads the same in a file, in a flag and in a test.
 */
import { suggest } from './suggest.ts'

export interface NumberRule {
  readonly min: number
  readonly max: number
  readonly unit: string
}

/** Factors of each suffix in the setting's own unit: time in ms, sizes in bytes. */
const suffixes = table({
  ms: table({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }),
  seconds: table({ s: 1, m: 60, h: 3600, d: 86_400 }),
  bytes: table({
    k: 1000,
    kb: 1000,
    m: 1_000_000,
    mb: 1_000_000,
    ki: 1024,
    kib: 1024,
    mi: 1_048_576,
    mib: 1_048_576,
    gi: 1_073_741_824,
    gib: 1_073_741_824,
  }),
  percent: table({ '%': 1 }),
})

/** YAML 1.1 words for a switch. */
const switches = table({ yes: true, on: true, no: false, off: false })

export function numberMistake(input: unknown, rule: NumberRule): string {
  const range = `a whole number from ${rule.min} to ${rule.max} (${rule.unit})`
  if (typeof input !== 'number')
    return `expected ${range}, got ${show(input)}${convert(input, rule.unit)}`
  if (!Number.isSafeInteger(input)) return `expected ${range}, got ${input}`
  if (input < rule.min) return `${input} is too small; allowed is ${range}`
  return `${input} is too large; allowed is ${range}`
}

/** For `30s` in a setting in seconds: names the number to write. */
function convert(input: unknown, unit: string): string {
  const match =
    typeof input === 'string' ? /^(\d{1,9}(?:\.\d{1,3})?) ?([a-z%]+)$/i.exec(input) : null
  const factor = suffixes.get(unit)?.get(match?.[2]?.toLowerCase() ?? '')
  if (match === null || factor === undefined) return ''
  return `; write ${Math.round(Number(match[1]) * factor)}`
}

export function booleanMistake(input: unknown): string {
  const hint = typeof input === 'string' ? switches.get(input.toLowerCase()) : undefined
  return `expected true or false, got ${show(input)}${hint === undefined ? '' : `; write ${hint}`}`
}

export function choiceMistake(input: unknown, choices: readonly string[]): string {
  const near = typeof input === 'string' ? suggest(input, choices) : undefined
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return `expected one of ${choices.join(', ')}, got ${show(input)}${hint}`
}

export function textMistake(input: unknown, what: string): string {
  if (input === undefined) return `missing; expected ${what}`
  // `[::1]:53` without quotes is a YAML list.
  const hint = Array.isArray(input) ? '; put an address with [ ] in quotes' : ''
  return `expected ${what}, got ${show(input)}${hint}`
}

export function listMistake(input: unknown, what: string): string {
  if (input === undefined) return `missing; expected a list of ${what}`
  const hint = typeof input === 'string' ? `; write [${itemsOf(input)}]` : ''
  return `expected a list of ${what}, got ${show(input)}${hint}`
}

/** Addresses, networks and names that stand between commas or blanks are meant as several items; other texts may have both inside. */
function itemsOf(text: string): string {
  const items = text.split(/[\s,]+/).filter((item) => item !== '')
  const areSeveral =
    items.length > 1 && items.every((item) => /^[\w:./[\]#-]*[:.][\w:./[\]#-]+$/.test(item))
  return (areSeveral ? items : [text]).map((item) => JSON.stringify(item)).join(', ')
}

export function sectionMistake(input: unknown, keys: readonly string[]): string {
  return `expected a section with ${some(keys)}, got ${show(input)}`
}

/**
 * @param keys allowed at this place
 * @param elsewhere all settings with their full paths, by their last key: finds a key in the wrong section
 */
export function unknownKeyMistake(
  key: string,
  keys: readonly string[],
  elsewhere: ReadonlyMap<string, readonly string[]>,
): string {
  const near = suggest(key, keys)
  if (near !== undefined) return `unknown setting; did you mean ${near}?`
  const places = elsewhere.get(key) ?? []
  if (places.length > 0)
    return `unknown setting here; did you mean ${places.slice(0, 3).join(' or ')}?`
  return `unknown setting; allowed here: ${some(keys)}`
}

/** A value in words, short enough for one line and without control characters. */
function show(input: unknown): string {
  if (input === undefined || input === null) return 'nothing'
  if (typeof input === 'string') {
    return `the text ${JSON.stringify(input.length > 60 ? `${input.slice(0, 60)}...` : input)}`
  }
  if (Array.isArray(input)) return 'a list'
  return typeof input === 'object' ? 'a section' : String(input)
}

function some(keys: readonly string[]): string {
  return keys.length > 24 ? `${keys.slice(0, 24).join(', ')}, ...` : keys.join(', ')
}

/** A Map, because a plain object also has `constructor` and its like. */
function table<Value>(entries: Readonly<Record<string, Value>>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(entries))
}
