/**
 * Lines about single queries in a form of the operator's, with the placeholders of CoreDNS's `log`. Source: plugin/pkg/replacer of CoreDNS 1.14.
 * Unknown placeholders stay as they are, as there.
 */
import type { ReplyFacts } from '../core/facts.ts'
import type { Arrival } from '../core/question/arrival.ts'
import type { Reply } from '../core/reply.ts'
import { u8 } from '../wire/bytes.ts'
import {
  Flag1,
  Flag2,
  headerBytes,
  messageBytesMax,
  Rcode,
  RrClass,
  RrType,
} from '../wire/constants.ts'
import { presentName } from '../wire/name.ts'
import { rcodeName } from './rcode-name.ts'

export interface QueryLineFacts {
  readonly arrival: Arrival
  readonly reply: Reply
  readonly facts: ReplyFacts
  /** Address that is listened on. */
  readonly local: string
  readonly class: 'success' | 'denial' | 'error'
}

type Value = (query: QueryLineFacts) => string | number | boolean

const common =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}'
const combined = `${common} "{>opcode}"`

const values: Readonly<Record<string, Value>> = {
  type: ({ facts }) => mnemonic(RrType, facts.qtype, 'TYPE'),
  class: ({ arrival }) => mnemonic(RrClass, arrival.question.qclass, 'CLASS'),
  name: ({ arrival }) => presentName(arrival.query, headerBytes, arrival.queryBytes),
  proto: ({ facts }) => (facts.transport === 0 ? 'udp' : 'tcp'),
  size: ({ facts }) => facts.queryBytes,
  remote: ({ arrival }) => bracketed(arrival.clientAddress()),
  port: ({ arrival }) => arrival.clientPort,
  local: ({ local }) => bracketed(local),
  rcode: ({ facts }) => rcodeName(facts.rcode),
  rsize: ({ facts }) => facts.replyBytes,
  duration: ({ facts }) => `${Number((facts.tookMs / 1000).toFixed(9))}s`,
  '>id': ({ arrival }) => arrival.question.id,
  '>opcode': ({ arrival }) => (arrival.question.flags1 >>> 3) & 15,
  '>do': ({ arrival }) => arrival.question.dnssecOk,
  '>bufsize': ({ arrival, facts }) =>
    facts.transport === 0 ? arrival.question.udpBytes : messageBytesMax,
  '>rflags': flagsOf,
  '/log/class': (query) => query.class,
  '/log/type': typeOf,
}

export type QueryLine = (query: QueryLineFacts) => string

/** @param text with placeholders in braces; `{common}` and `{combined}` are CoreDNS's own forms */
export function queryLine(text: string): QueryLine {
  const whole = text.replaceAll('{common}', common).replaceAll('{combined}', combined)
  const pieces = whole.split(/(\{[^{}]*\})/).map(pieceOf)
  return (query) => pieces.map((piece) => piece(query)).join('')
}

function pieceOf(text: string): Value {
  const name = text.startsWith('{') ? text.slice(1, -1) : ''
  if (Object.hasOwn(values, name)) return values[name] as Value
  // What other plugins know of a query (`metadata`).
  return name.startsWith('/') ? () => '-' : () => text
}

/** Of the reply before it is cut to what the client takes, as in CoreDNS. */
function flagsOf({ arrival, reply, facts }: QueryLineFacts): string {
  const { flags1, flags2, dnssecOk } = arrival.question
  const [one, two] = headerOf(reply, facts.rcode)
  const wantsAd = dnssecOk || (flags2 & Flag2.ad) !== 0
  const flags: readonly [boolean, string][] = [
    [true, 'qr'],
    [(one & Flag1.aa) !== 0, 'aa'],
    [(one & Flag1.tc) !== 0, 'tc'],
    [(flags1 & Flag1.rd) !== 0, 'rd'],
    [(two & Flag2.ra) !== 0, 'ra'],
    [wantsAd && (two & Flag2.ad) !== 0, 'ad'],
    [(flags2 & Flag2.cd) !== 0, 'cd'],
  ]
  return flags.flatMap(([isSet, name]) => (isSet ? [name] : [])).join(',')
}

/** Third and fourth byte of the header. */
function headerOf({ stored, image }: Reply, rcode: number): readonly [number, number] {
  if (stored !== undefined)
    return [u8(stored.memory, stored.imageAt + 2), u8(stored.memory, stored.imageAt + 3)]
  if (image !== undefined) return [u8(image, 2), u8(image, 3)]
  return [0, rcode === Rcode.formerr || rcode === Rcode.notimp ? 0 : Flag2.ra]
}

function typeOf({ facts, class: kind }: QueryLineFacts): string {
  if (kind === 'error') return 'OTHERERROR'
  if (facts.rcode === Rcode.nxdomain) return 'NXDOMAIN'
  return kind === 'success' ? 'NOERROR' : 'NODATA'
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

function mnemonic(registry: Readonly<Record<string, number>>, number: number, prefix: string) {
  const known = Object.entries(registry).find(([, value]) => value === number)
  return known === undefined ? `${prefix}${number}` : known[0].toUpperCase()
}
