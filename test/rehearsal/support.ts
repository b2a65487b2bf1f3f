/** Packets and replies for the tests of the rehearsal, put together octet by octet; and a pod that asks and is answered. */
import { addressBytes } from '../../src/address/ip-address.ts'
import type { CapturedPacket } from '../../src/rehearsal/packet.ts'
import { type PodQuery, questionKey } from '../../src/rehearsal/pod-query.ts'
import { header, name, octets, rr, u16, u32 } from '../fixtures/packets/octets.ts'
import { type TypeName, typeNumbers, writeQuery } from '../support/client/dns-message.ts'

export const server = '169.254.20.10'
export const pod = '10.77.0.2'

export interface Ends {
  readonly from: string
  readonly fromPort: number
  readonly to: string
  readonly toPort: number
}

export const toServer: Ends = { from: pod, fromPort: 40_000, to: server, toPort: 53 }
export const toPod: Ends = { from: server, fromPort: 53, to: pod, toPort: 40_000 }

/** An IP packet with a UDP datagram. */
export function udp(ends: Ends, payload: Uint8Array): Buffer {
  const datagram = octets(
    u16(ends.fromPort),
    u16(ends.toPort),
    u16(8 + payload.length),
    u16(0),
    payload,
  )
  return ip(ends, 17, datagram)
}

/** An IP packet without options. */
export function ip(
  { from, to }: Pick<Ends, 'from' | 'to'>,
  protocol: number,
  data: Buffer,
): Buffer {
  const [source, destination] = [addressBytes(from), addressBytes(to)]
  if (source.length === 16)
    return octets(u32(0x6000_0000), u16(data.length), protocol, 64, source, destination, data)
  const length = u16(20 + data.length)
  return octets(0x45, 0, length, u16(1), u16(0), 64, protocol, u16(0), source, destination, data)
}

export function captured(bytes: Buffer, atMs: number, place = 1): CapturedPacket {
  return { atMs, place, bytes, wholeBytes: bytes.length }
}

export interface Records {
  readonly rcode?: number
  /** IPv4 addresses. */
  readonly addresses?: readonly string[]
  readonly ttl?: number
  /** An SOA of the cluster, as CoreDNS's kubernetes plugin makes it. */
  readonly isDenial?: boolean
  readonly alias?: string
  readonly isTruncated?: boolean
}

/** The reply to a query; owner names are whole. */
export function replyTo(query: Buffer, records: Records = {}): Buffer {
  const { rcode = 0, addresses = [], ttl = 30, isDenial = false, alias, isTruncated } = records
  const end = query.indexOf(0, 12) + 5
  const asked = query.subarray(12, end)
  const owner = asked.subarray(0, -4)
  const target = alias === undefined ? owner : name(alias)
  const answers = [
    ...(alias === undefined ? [] : [rr({ owner, type: typeNumbers.CNAME, ttl, data: target })]),
    ...addresses.map((one) =>
      rr({ owner: target, type: typeNumbers.A, ttl, data: Buffer.from(addressBytes(one)) }),
    ),
  ]
  const soa = octets(
    name('ns.dns.cluster.local'),
    name('hostmaster.cluster.local'),
    ...[1, 7200, 1800, 86_400, 30].map(u32),
  )
  const authority = isDenial
    ? [rr({ owner: name('cluster.local'), type: typeNumbers.SOA, ttl, data: soa })]
    : []
  const flags = 0x8580 | (isTruncated === true ? 0x200 : 0) | rcode
  const counts = [1, answers.length, authority.length, 0] as const
  return octets(
    header({ id: query.readUInt16BE(0), flags, counts }),
    asked,
    ...answers,
    ...authority,
  )
}

export interface Talk extends Records {
  readonly atMs?: number
  readonly tookMs?: number
  readonly client?: string
}

/** A pod's query that was answered. */
export function talk(qname: string, type: TypeName, { atMs = 1000, tookMs = 2, ...rest }: Talk) {
  return { ...asked(qname, type, atMs, rest.client), ...answered(qname, type, atMs + tookMs, rest) }
}

export function asked(qname: string, type: TypeName, atMs = 1000, client = pod): PodQuery {
  const bytes = writeQuery(qname, type, { id: 7 })
  return {
    client,
    clientPort: 40_000,
    family: 4,
    bytes,
    key: keyOf(qname, type),
    atMs,
    reply: undefined,
    repliedMs: 0,
    given: undefined,
    isUnfed: false,
    isFetch: false,
  }
}

function answered(qname: string, type: TypeName, repliedMs: number, records: Records) {
  return { reply: replyTo(writeQuery(qname, type, { id: 7 }), records), repliedMs }
}

export function keyOf(qname: string, type: TypeName): string {
  return questionKey(writeQuery(qname, type)) ?? ''
}
