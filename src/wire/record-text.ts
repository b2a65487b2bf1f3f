/**
 * Prints decoded records as lines in the style of dig. Control bytes never reach the terminal. For people, never on the data
 * path.
 */
import { type Decoded, decodeMessage } from './message.ts'

export type Message = Extract<Decoded, { ok: true }>['message']
export type ResourceRecord = NonNullable<Message['answers']>[number]

/** @returns the records of the answer and authority sections of a message, one line each; none for a malformed one */
export function recordLines(image: Uint8Array): readonly string[] {
  const decoded = decodeMessage(Buffer.from(image))
  if (!decoded.ok) return []
  const { answers = [], authorities = [] } = decoded.message
  return [...answers, ...authorities].map(recordLine)
}

export function recordLine(record: ResourceRecord): string {
  const ttl = 'ttl' in record ? String(record.ttl) : ''
  const data: unknown = 'data' in record ? record.data : undefined
  const type = presentRecordType(record.type)
  return `${dottedName(record.name)}  ${ttl}  IN  ${type}  ${rdata(type, data)}`
}

const nameTypes = ['CNAME', 'DNAME', 'NS', 'PTR']

/** Field order of common types (RFC 1035 3.3, 2782, 8659); `.` marks a domain name, `"` a quoted text. */
const fieldOrder: Readonly<Record<string, readonly string[]>> = {
  MX: ['preference', 'exchange.'],
  SOA: ['mname.', 'rname.', 'serial', 'refresh', 'retry', 'expire', 'minimum'],
  SRV: ['priority', 'weight', 'port', 'target.'],
  CAA: ['flags', 'tag', 'value"'],
  NAPTR: ['order', 'preference', 'flags"', 'services"', 'regexp"', 'replacement.'],
  DS: ['keyTag', 'algorithm', 'digestType', 'digest'],
}

function rdata(type: string, data: unknown): string {
  if (typeof data === 'string') return nameTypes.includes(type) ? dottedName(data) : printable(data)
  // RFC 3597 5: unknown types.
  if (Buffer.isBuffer(data)) return `\\# ${data.length} ${data.toString('hex')}`
  if (Array.isArray(data)) return data.map((part) => `"${printable(octetsOf(part))}"`).join(' ')
  if (typeof data !== 'object' || data === null) return String(data ?? '')
  const fields = new Map<string, unknown>(Object.entries(data))
  const order = fieldOrder[type]
  if (order !== undefined) return order.map((field) => fieldText(fields, field)).join(' ')
  return [...fields.keys()].map((key) => `${key}=${fieldText(fields, key)}`).join(' ')
}

function fieldText(fields: ReadonlyMap<string, unknown>, field: string): string {
  const value = fields.get(field.replace(/[."]$/, ''))
  if (field.endsWith('.')) return dottedName(String(value))
  if (field.endsWith('"')) return `"${printable(String(value))}"`
  return Buffer.isBuffer(value) ? value.toString('hex') : printable(String(value))
}

/** A domain name with its trailing dot. */
export function dottedName(text: string): string {
  return text === '' || text === '.' ? '.' : `${printable(text)}.`
}

/** A text of a TXT record may hold any byte, UTF-8 or not. */
function octetsOf(part: unknown): Uint8Array | string {
  return part instanceof Uint8Array ? part : String(part)
}

/** RFC 1035 5.1: bytes outside printable ASCII as `\DDD`; a backslash, too, which would begin such a number. */
export function printable(text: Uint8Array | string): string {
  return Array.from(Buffer.from(text), (octet) =>
    octet < 0x20 || octet > 0x7e || octet === 0x22 || octet === 0x5c
      ? `\\${String(octet).padStart(3, '0')}`
      : String.fromCharCode(octet),
  ).join('')
}

/** IANA DNS parameters: types that the codec calls `UNKNOWN_n`. */
export const otherTypes: Readonly<Record<string, number>> = {
  SMIMEA: 53,
  OPENPGPKEY: 61,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  EUI48: 108,
  EUI64: 109,
  URI: 256,
}

/** The name for people: `UNKNOWN_65` is HTTPS, `UNKNOWN_4711` is TYPE4711. */
export function presentRecordType(codecName: string): string {
  const match = /^UNKNOWN_(\d+)$/.exec(codecName)
  if (match === null) return codecName
  const known = Object.entries(otherTypes).find(([, number]) => number === Number(match[1]))
  return known?.[0] ?? `TYPE${match[1]}`
}
