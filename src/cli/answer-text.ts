/** Prints a decoded DNS message in lines like dig's. Control bytes never reach the terminal. */
import type { Decoded } from '../wire/message.ts'
import { presentRecordType } from './record-type.ts'

export type Message = Extract<Decoded, { ok: true }>['message']
type ResourceRecord = NonNullable<Message['answers']>[number]

/** Header line, then every section that has records. */
export function answerText(message: Message): string {
  const sections = [
    [
      'question',
      message.questions?.map((one) => `;${name(one.name)}  IN  ${presentRecordType(one.type)}`),
    ],
    ['answer', records(message.answers)],
    ['authority', records(message.authorities)],
    ['additional', records(message.additionals)],
  ] as const
  const counts = sections.slice(1).map(([title, lines]) => `${title} ${lines?.length ?? 0}`)
  const header = `;; ${rcodeOf(message)}  flags: ${flags(message)}  ${counts.join(', ')}\n`
  const parts = sections.flatMap(([title, lines]) =>
    lines === undefined || lines.length === 0 ? [] : [`\n;; ${title}\n${lines.join('\n')}\n`],
  )
  return header + edns(message) + parts.join('')
}

/** The response code; its upper eight bits are in the OPT record (RFC 6891 6.1.3). */
export function rcodeOf(message: Message): string {
  const low = 'rcode' in message ? String(message.rcode) : ''
  const opt = message.additionals?.find((record) => record.type === 'OPT')
  const high = opt !== undefined && 'extendedRcode' in opt ? Number(opt.extendedRcode) : 0
  if (high === 0) return low
  return high === 1 && low === 'NOERROR' ? 'BADVERS' : `RCODE${high * 16} + ${low}`
}

/** RFC 8914: why an answer is stale or missing. */
const extendedErrorCode = 15

function edns(message: Message): string {
  const opt = message.additionals?.find((record) => record.type === 'OPT')
  if (opt === undefined || !('udpPayloadSize' in opt)) return ''
  const errors = opt.options.flatMap((option) => {
    const { code, data } = option as { readonly code: number; readonly data?: unknown }
    if (code !== extendedErrorCode || !Buffer.isBuffer(data) || data.length < 2) return []
    const text = data.length > 2 ? ` "${printable(data.toString('utf8', 2))}"` : ''
    return [`;; extended error ${data.readUInt16BE(0)}${text}\n`]
  })
  return `;; EDNS  udp ${opt.udpPayloadSize}${opt.flag_do ? '  flags: do' : ''}\n${errors.join('')}`
}

function flags(message: Message): string {
  const all: [string, boolean][] = [
    ['qr', message.flag_qr],
    ['aa', message.flag_aa],
    ['tc', message.flag_tc],
    ['rd', message.flag_rd],
    ['ra', message.flag_ra],
    ['ad', message.flag_ad],
    ['cd', message.flag_cd],
  ]
  return all.flatMap(([flag, isSet]) => (isSet ? [flag] : [])).join(' ')
}

function records(list: readonly ResourceRecord[] | undefined): string[] {
  return (list ?? []).filter((record) => record.type !== 'OPT').map(recordLine)
}

function recordLine(record: ResourceRecord): string {
  const ttl = 'ttl' in record ? String(record.ttl) : ''
  const data: unknown = 'data' in record ? record.data : undefined
  const type = presentRecordType(record.type)
  return `${name(record.name)}  ${ttl}  IN  ${type}  ${rdata(type, data)}`
}

const nameTypes = ['CNAME', 'DNAME', 'NS', 'PTR']

/** Field order of common types (RFC 1035 3.3, 2782, 8659); `.` marks a domain name. */
const fieldOrder: Readonly<Record<string, readonly string[]>> = {
  MX: ['preference', 'exchange.'],
  SOA: ['mname.', 'rname.', 'serial', 'refresh', 'retry', 'expire', 'minimum'],
  SRV: ['priority', 'weight', 'port', 'target.'],
  CAA: ['flags', 'tag', 'value"'],
  NAPTR: ['order', 'preference', 'flags"', 'services"', 'regexp"', 'replacement.'],
  DS: ['keyTag', 'algorithm', 'digestType', 'digest'],
}

function rdata(type: string, data: unknown): string {
  if (typeof data === 'string') return nameTypes.includes(type) ? name(data) : printable(data)
  // RFC 3597 5: unknown types.
  if (Buffer.isBuffer(data)) return `\\# ${data.length} ${data.toString('hex')}`
  if (Array.isArray(data)) return data.map((part) => `"${printable(String(part))}"`).join(' ')
  if (typeof data !== 'object' || data === null) return String(data ?? '')
  const fields = new Map<string, unknown>(Object.entries(data))
  const order = fieldOrder[type]
  if (order !== undefined) return order.map((field) => fieldText(fields, field)).join(' ')
  return [...fields.keys()].map((key) => `${key}=${fieldText(fields, key)}`).join(' ')
}

function fieldText(fields: ReadonlyMap<string, unknown>, field: string): string {
  const value = fields.get(field.replace(/[."]$/, ''))
  if (field.endsWith('.')) return name(String(value))
  if (field.endsWith('"')) return `"${printable(String(value))}"`
  return Buffer.isBuffer(value) ? value.toString('hex') : printable(String(value))
}

function name(text: string): string {
  return text === '' || text === '.' ? '.' : `${printable(text)}.`
}

/** RFC 1035 5.1: bytes outside printable ASCII as `\DDD`. */
function printable(text: string): string {
  return Array.from(Buffer.from(text), (octet) =>
    octet < 0x20 || octet > 0x7e || octet === 0x22
      ? `\\${String(octet).padStart(3, '0')}`
      : String.fromCharCode(octet),
  ).join('')
}
