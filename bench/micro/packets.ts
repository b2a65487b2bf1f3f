/** The packets that the micro benches work on: what a pod asks, and what CoreDNS says. */
import {
  header,
  name,
  octets,
  opt,
  pointer,
  question,
  rr,
  u32,
} from '../../test/fixtures/packets/octets.ts'

const asked = question(name('kubernetes.default.svc.cluster.local'), 1)

/** As glibc sends it. */
export const plainQuery = octets(header({}), asked)
/** As c-ares, Go and systemd-resolved send it. */
export const ednsQuery = octets(header({ counts: [1, 0, 0, 1] }), asked, opt())

const headerBytes = 12

export const addressReply = replyTo(plainQuery, 1, opt())
/** A headless Service, or a name outside. */
export const fewReply = replyTo(plainQuery, 4, opt())
/** A headless Service with many pods: some 4 KiB. */
export const largeReply = replyTo(plainQuery, 250, opt())
export const deniedReply = replyTo(plainQuery, 0, opt())

/** The same Service with 20 pods as CoreDNS writes it over TCP. */
export const fullReply = octets(
  header({ flags: 0x8580, counts: [1, 20, 0, 0] }),
  asked,
  ...Array.from({ length: 20 }, (_, i) =>
    rr({ owner: asked.subarray(0, -4), type: 1, data: octets(10, 96, 0, i) }),
  ),
)

/** The first label of a query without EDNS says how many addresses its answer has: `a250-...`; any other name does not exist. */
export function scriptedReply(query: Buffer, ttl = 60): Buffer {
  const [, records = '0'] = /^.a(\d+)-/s.exec(query.toString('latin1', headerBytes)) ?? []
  return replyTo(query, Number(records), octets(), ttl)
}

/**
 * CoreDNS's way: no compression of the owner is assumed, OPT last.
 * @param records addresses; none make it NXDOMAIN, with the SOA of the name's last two labels
 */
function replyTo(query: Buffer, records: number, end: Buffer, ttl = 30): Buffer {
  const labels: number[] = []
  let at = headerBytes
  for (; query.readUInt8(at) !== 0; at += query.readUInt8(at) + 1) labels.push(at)
  const zone = pointer(labels.at(-2) ?? headerBytes)
  const addresses = Array.from({ length: records }, (_, i) =>
    rr({ owner: pointer(headerBytes), type: 1, ttl, data: octets(10, 96, i >> 8, i & 255) }),
  )
  const names = [octets(2, 'ns', 3, 'dns', zone), octets(10, 'hostmaster', zone)]
  const data = octets(...names, ...[1, 7200, 1800, 86_400, 5].map(u32))
  const soa = rr({ owner: zone, type: 6, ttl, data })
  const isDenied = records === 0
  const flags = isDenied ? 0x8583 : 0x8580
  const counts = [1, records, isDenied ? 1 : 0, end.length > 0 ? 1 : 0] as const
  const head = header({ id: query.readUInt16BE(0), flags, counts })
  const asking = query.subarray(headerBytes, at + 5)
  return octets(head, asking, ...(isDenied ? [soa] : addresses), end)
}
