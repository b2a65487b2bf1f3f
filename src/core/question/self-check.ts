/**
 * The question by which a process checks its own sockets, and its reply: TXT of `<label>.self.neardns` in class CH, RD clear. The label
 * carries the identity of the asking process and a nonce. The reply has the identity of the answering process and the nonce backwards, which
 * no other name server writes into a question section: a load balancer that brings the question to CoreDNS instead (Cilium does so for
 * ClusterIPs of the node's own processes) proves nothing. Class CH, because a resolver that gets it there has no zone to look it up in.
 *
 * By its identity a process tells its own checks from a client's queries; see docs/decisions/0043. Pure.
 */
import { headerBytes, Rcode } from '../../wire/constants.ts'

/** ASCII characters; hexadecimal, so that no letter case can change on the way. */
export const identityBytes = 16
export const nonceBytes = 16

const identityAt = headerBytes + 1
const nonceAt = identityAt + identityBytes
const tailAt = nonceAt + nonceBytes
/** The labels `self` and `neardns`, the root, type TXT, class CH. */
const tail = Uint8Array.of(
  ...[4, 0x73, 0x65, 0x6c, 0x66],
  ...[7, 0x6e, 0x65, 0x61, 0x72, 0x64, 0x6e, 0x73, 0],
  ...[0, 16, 0, 3],
)
/** Without ID: flags clear, one question, no record, a first label of 32 bytes. */
const head = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, identityBytes + nonceBytes)
const headAt = 2
const selfCheckBytes = tailAt + tail.length
const qr = 0x80

/** Who answered a check: this process or one of its workers, another neardns, or somebody who is none. */
export type SelfAnswer = 'ours' | 'another' | 'none'

/** @returns the packet of a check */
export function selfCheck(id: number, identity: Uint8Array, nonce: Uint8Array): Uint8Array {
  const query = new Uint8Array(selfCheckBytes)
  query[0] = id >>> 8
  query[1] = id & 0xff
  query.set(head, headAt)
  query.set(identity, identityAt)
  query.set(nonce, nonceAt)
  query.set(tail, tailAt)
  return query
}

/** Whether a packet is a check, of whichever process. Runs for refused packets only. */
export function isSelfCheck(query: Uint8Array, queryBytes: number): boolean {
  return queryBytes === selfCheckBytes && holds(query, headAt, head) && holds(query, tailAt, tail)
}

/** @param query a check */
export function isCheckOf(query: Uint8Array, identity: Uint8Array): boolean {
  return identity.length === identityBytes && holds(query, identityAt, identity)
}

/**
 * Writes the reply to a check.
 * @param identity of the process that answers
 * @returns bytes written
 */
export function answerSelfCheck(query: Uint8Array, identity: Uint8Array, out: Uint8Array): number {
  for (let i = 0; i < selfCheckBytes; i++) out[i] = query[i] as number
  out[2] = qr
  out[3] = Rcode.refused
  out.set(identity, identityAt)
  for (let i = 0; i < nonceBytes; i++) out[nonceAt + i] = query[tailAt - 1 - i] as number
  return selfCheckBytes
}

/**
 * Judges what came back.
 * @param query the check that was sent
 */
export function judgeSelfAnswer(
  reply: Uint8Array,
  query: Uint8Array,
  identity: Uint8Array,
): SelfAnswer {
  if (reply.length !== selfCheckBytes || reply[2] !== qr || !holds(reply, tailAt, tail))
    return 'none'
  if (reply[0] !== query[0] || reply[1] !== query[1]) return 'none'
  for (let i = 0; i < nonceBytes; i++) {
    if (reply[nonceAt + i] !== query[tailAt - 1 - i]) return 'none'
  }
  return isCheckOf(reply, identity) ? 'ours' : 'another'
}

function holds(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}
