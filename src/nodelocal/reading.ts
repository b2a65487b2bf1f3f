/**
 * What all readers of directives share: how a mistake is said, and the values of Go's parsers that plugins use for their arguments.
 * Sources: strconv.Atoi, time.ParseDuration and net.SplitHostPort of Go 1.26; plugin/plugin.go of CoreDNS 1.14.
 */
import type { CorefilePlace } from '../corefile/directive.ts'
import { isPlainZone, parseCorefileLabel } from '../corefile/label.ts'
import type { Word, Words } from '../corefile/words.ts'
import type { CompilePattern } from '../local/pattern/pattern.ts'
import { parseGoDuration } from './go-duration.ts'

/** Something that is said about a place in a Corefile. */
export interface Remark extends CorefilePlace {
  readonly message: string
}

/** What keeps a Corefile from being used. */
export interface Complaint extends Remark {
  /** What would be right; empty where the message has it. */
  readonly cure: string
}

/** What a reader of directives is told about their server block, and whom it tells what is not taken over as it is. */
export interface Reading {
  /** Zones of the server block, as in `CorefileLabel.zones`. */
  readonly zones: readonly string[]
  /** Compiles a regular expression; absent where nobody has the engine, and the caller checks them later. */
  readonly compilePattern?: CompilePattern | undefined
  /** Says what differs on purpose. */
  note(place: CorefilePlace, message: string): void
}

/** Thrown while directives are read, and caught by whoever reads the block. */
export class DirectiveMistake extends Error {
  readonly complaint: Complaint

  constructor(complaint: Complaint) {
    super(complaint.message)
    this.complaint = complaint
  }
}

export function refuse(place: CorefilePlace, message: string, cure = ''): never {
  throw new DirectiveMistake({ ...place, message, cure })
}

/** CoreDNS calls this "Wrong argument count or unexpected line ending". */
export function refuseCount(words: Words, expected: string): never {
  const behind = words.text === '' ? '' : ` at ${quoted(words.text)}`
  refuse(words.place, `wrong number of words${behind}`, `expected: ${expected}`)
}

export function refuseSecond(words: Words, name: string): never {
  const cure = 'join the two directives in one'
  refuse(words.place, `\`${name}\` may stand once in a server block`, cure)
}

/** @param word a whole number as Go's Atoi takes it */
export function integer({ text, place }: Word, what: string): number {
  const value = /^[+-]?\d{1,18}$/.test(text) ? Number(text) : undefined
  if (value !== undefined) return value
  const isBrace = text.includes('}')
  const cure = isBrace ? 'put the "}" on a line of its own' : 'write digits only'
  return refuse(place, `${quoted(text)} is not a number; ${what} was expected`, cure)
}

/** @returns milliseconds, with fractions; may be negative */
export function duration({ text, place }: Word, what: string): number {
  const nanoseconds = parseGoDuration(text)
  if (nanoseconds !== undefined) return nanoseconds / 1e6
  return refuse(
    place,
    `${quoted(text)} is not a time; ${what} was expected`,
    'write it as 500ms, 30s, 5m or 24h',
  )
}

export interface HostPort {
  /** Without brackets; empty for all addresses. */
  readonly host: string
  readonly port: string
}

/** Splits `HOST:PORT`, `[HOST]:PORT` and `:PORT` as Go does; either part may be empty. */
export function hostPort({ text, place }: Word): HostPort {
  const bracketed = /^\[([^[\]]*)\]:([^:[\]]*)$/.exec(text)
  const plain = /^([^:[\]]*):([^:[\]]*)$/.exec(text)
  const [, host, port] = bracketed ?? plain ?? []
  if (host !== undefined && port !== undefined) return { host, port }
  return refuse(place, `${quoted(text)} is not an address with a port`, hostPortCure(text))
}

function hostPortCure(text: string): string {
  if (text.includes('://')) return 'leave the scheme out'
  if (text.includes(':')) return 'write an IPv6 address with a port as [ADDRESS]:PORT'
  return `write ${/^\d+$/.test(text) ? `:${text}` : `${text}:PORT`}`
}

/** @returns zones as in `CorefileLabel.zones`, without those that no name lies in: CoreDNS takes them, and they match nothing */
export function zonesOf(words: readonly Word[], reading: Reading): readonly string[] {
  return words.flatMap((word) => {
    const label = parseCorefileLabel(word.text, 0)
    return plainOf(word, label.ok ? label.value.zones : [''], reading)
  })
}

/** Like `zonesOf`, for words that CoreDNS takes as names: a network in CIDR notation is none. */
export function namesOf(words: readonly Word[], reading: Reading): readonly string[] {
  return words.flatMap((word) => {
    const name = word.text === '.' ? '.' : word.text.toLowerCase().replace(/\.$/, '')
    return plainOf(word, [name], reading)
  })
}

function plainOf(word: Word, zones: readonly string[], reading: Reading): readonly string[] {
  if (zones.every(isPlainZone)) return zones
  const [, below] = /^\*\.(.+)$/.exec(word.text) ?? []
  const cure = below === undefined ? '' : `; ${quoted(below)} includes all names below it`
  reading.note(word.place, `${quoted(word.text)} is passed over: no name lies in this zone${cure}`)
  return zones.filter(isPlainZone)
}

/** `fallthrough [ZONES...]`: without zones every name goes on. */
export function fallthroughZones(words: Words, reading: Reading): readonly string[] {
  const zones = words.rest()
  return zones.length === 0 ? ['.'] : zonesOf(zones, reading)
}

/** RE2's syntax, which JavaScript's is not. */
export function checkPattern({ text, place }: Word, { compilePattern }: Reading): string {
  const compiled = compilePattern?.(text)
  if (compiled?.ok !== false) return text
  return refuse(place, compiled.why, 'RE2 has neither look-around nor back-references')
}

export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text)
}

/** The one argument of the present option. */
export function onlyArgument(words: Words, expected: string): Word {
  if (!words.nextArgument()) return refuseCount(words, expected)
  return { text: words.text, place: words.place }
}
