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

export const addressReply = replyWith(1)
/** A headless Service with many pods: some 4 KiB. */
export const largeReply = replyWith(250)
export const deniedReply = octets(
  header({ flags: 0x8583, counts: [1, 0, 1, 1] }),
  asked,
  rr({
    // `cluster.local` inside the question.
    owner: pointer(35),
    type: 6,
    ttl: 5,
    data: octets(
      ...[octets(2, 'ns', 3, 'dns', pointer(35)), octets(10, 'hostmaster', pointer(35))],
      ...[1, 7200, 1800, 86_400, 5].map(u32),
    ),
  }),
  opt(),
)

/** CoreDNS's way: no compression of the owner is assumed, OPT last. */
function replyWith(addresses: number): Buffer {
  const records = Array.from({ length: addresses }, (_, i) =>
    rr({ owner: pointer(12), type: 1, data: octets(10, 96, i >> 8, i & 255) }),
  )
  return octets(header({ flags: 0x8580, counts: [1, addresses, 0, 1] }), asked, ...records, opt())
}
