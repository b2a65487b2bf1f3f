/**
 * Reads a client's query straight from its bytes: header, one question, and the OPT record if there is one. Bounded and total: it
 * never throws, never reads past `queryBytes`, allocates nothing, and refuses a header that claims more records than could fit
 * before it reads any of them.
 *
 * The verdict on each kind of odd query follows RFC 1035 4.1, RFC 6891, RFC 8906, RFC 9619.
 */
import { u8, u16 } from './bytes.ts'
import {
  EdnsOption,
  Flag1,
  Flag2,
  headerBytes,
  labelBytesMax,
  nameBytesMax,
  Opcode,
  optFixedBytes,
  RrClass,
  RrType,
  recordBytesMin,
  recordFixedBytes,
  udpBytesFloor,
} from './constants.ts'
import { skipName } from './name.ts'

/** How to handle a query. Every verdict but `ask` is answered (or dropped) without reading further. */
export const Verdict = {
  /** A question that may be resolved. */
  ask: 0,
  /** Shorter than a header: nothing to reply to. */
  dropShort: 1,
  /** QR=1. Answering it could start two servers talking to each other for ever (CVE-2024-2169). */
  dropResponse: 2,
  formerr: 3,
  notimp: 4,
  refused: 5,
  badvers: 6,
} as const
export type Verdict = (typeof Verdict)[keyof typeof Verdict]

/**
 * More records than any stub sends with a question (OPT, TSIG, and one or two to spare). Keeps the walk over a 64 KiB query
 * short.
 */
const recordsMax = 16

/** One parsed query. Reused for every packet of a pipeline: copy fields that must outlive the call. */
export class Question {
  id = 0
  /** Third and fourth byte of the header. */
  flags1 = 0
  flags2 = 0
  /** Offset after the qname's root byte; the qname starts at 12. 0 while no whole question was read. */
  qnameEnd = 0
  /** Offset after QCLASS. 0 while no whole question was read. */
  questionEnd = 0
  qtype = 0
  qclass = 0
  hasEdns = false
  /** What the client can take over UDP: 512 without EDNS, at least 512 with it (RFC 6891 6.2.3). */
  udpBytes = udpBytesFloor
  dnssecOk = false
  /** The client sent edns-tcp-keepalive (RFC 7828). */
  wantsKeepalive = false

  /** A copy that stays valid when the next packet overwrites this one. */
  clone(): Question {
    const copy = new Question()
    copy.id = this.id
    copy.flags1 = this.flags1
    copy.flags2 = this.flags2
    copy.qnameEnd = this.qnameEnd
    copy.questionEnd = this.questionEnd
    copy.qtype = this.qtype
    copy.qclass = this.qclass
    copy.hasEdns = this.hasEdns
    copy.udpBytes = this.udpBytes
    copy.dnssecOk = this.dnssecOk
    copy.wantsKeepalive = this.wantsKeepalive
    return copy
  }

  get recursionDesired(): boolean {
    return (this.flags1 & Flag1.rd) !== 0
  }

  get checkingDisabled(): boolean {
    return (this.flags2 & Flag2.cd) !== 0
  }

  /** @internal */
  reset(): void {
    this.qnameEnd = 0
    this.questionEnd = 0
    this.qtype = 0
    this.qclass = 0
    this.hasEdns = false
    this.udpBytes = udpBytesFloor
    this.dnssecOk = false
    this.wantsKeepalive = false
  }
}

/**
 * Reads a message that arrived at the server port.
 * @param query holds the message from offset 0; not kept
 * @param into overwritten; its header fields are valid unless the verdict is `dropShort`
 */
export function readQuestion(query: Uint8Array, queryBytes: number, into: Question): Verdict {
  if (queryBytes < headerBytes) return Verdict.dropShort
  into.reset()
  into.id = u16(query, 0)
  into.flags1 = u8(query, 2)
  into.flags2 = u8(query, 3)
  if ((into.flags1 & Flag1.qr) !== 0) return Verdict.dropResponse
  if (((into.flags1 >>> 3) & 0x0f) !== Opcode.query) return Verdict.notimp
  // RFC 9619: a QUERY has exactly one question.
  if (u16(query, 4) !== 1) return Verdict.formerr
  if (!readName(query, queryBytes, into)) return Verdict.formerr
  const records = u16(query, 6) + u16(query, 8) + u16(query, 10)
  if (records > 0) {
    const verdict = readRecords(query, queryBytes, records, into)
    if (verdict !== Verdict.ask) return verdict
  }
  return judgeType(into)
}

function readName(query: Uint8Array, queryBytes: number, into: Question): boolean {
  let at = headerBytes
  const limit = Math.min(queryBytes, headerBytes + nameBytesMax)
  for (;;) {
    if (at >= limit) return false
    const label = u8(query, at)
    if (label === 0) break
    // A pointer in the first name of a message can only be a loop or point forward.
    if (label > labelBytesMax) return false
    at += label + 1
  }
  const end = at + 1
  if (end + 4 > queryBytes) return false
  into.qnameEnd = end
  into.questionEnd = end + 4
  into.qtype = u16(query, end)
  into.qclass = u16(query, end + 2)
  return true
}

function readRecords(
  query: Uint8Array,
  queryBytes: number,
  records: number,
  into: Question,
): Verdict {
  const start = into.questionEnd
  if (records > recordsMax || records * recordBytesMin > queryBytes - start) return Verdict.formerr
  const beforeAdditional = u16(query, 6) + u16(query, 8)
  let at = start
  let version = 0
  for (let i = 0; i < records; i++) {
    const fixedAt = skipName(query, at, queryBytes)
    if (fixedAt < 0 || fixedAt + recordFixedBytes > queryBytes) return Verdict.formerr
    const next = fixedAt + recordFixedBytes + u16(query, fixedAt + 8)
    if (next > queryBytes) return Verdict.formerr
    if (u16(query, fixedAt) === RrType.opt) {
      if (i < beforeAdditional || !readOpt(query, at, next, into)) return Verdict.formerr
      version = u8(query, at + 6)
    }
    at = next
  }
  return version === 0 ? Verdict.ask : Verdict.badvers
}

/**
 * RFC 6891 6.1.1 to 6.1.3. Unknown options are ignored: EDNS is hop by hop.
 * @returns false for a second OPT, an owner that is not the root, or options that run past the record
 */
function readOpt(query: Uint8Array, at: number, end: number, into: Question): boolean {
  if (into.hasEdns || u8(query, at) !== 0) return false
  into.hasEdns = true
  into.udpBytes = Math.max(u16(query, at + 3), udpBytesFloor)
  into.dnssecOk = (u8(query, at + 7) & 0x80) !== 0
  let option = at + optFixedBytes
  while (option < end) {
    if (option + 4 > end) return false
    const code = u16(query, option)
    const length = u16(query, option + 2)
    if (option + 4 + length > end) return false
    if (code === EdnsOption.keepalive) into.wantsKeepalive = true
    option += 4 + length
  }
  return true
}

/** Whether a question may be resolved, by its class and type. */
export function isAskable(question: Question): boolean {
  return judgeType(question) === Verdict.ask
}

function judgeType(question: Question): Verdict {
  const { qtype, qclass } = question
  if (qclass === 0) return Verdict.formerr
  if (qclass !== RrClass.in) return Verdict.refused
  switch (qtype) {
    // A cache has no zone to transfer, and a forwarded transfer ties up an upstream connection (CVE-2026-40209).
    case RrType.axfr:
    case RrType.ixfr:
      return Verdict.refused
    // Meta types that are never a question (RFC 6891 6.1.1, RFC 8945 5.1, RFC 2930 4).
    case RrType.opt:
    case RrType.tsig:
    case RrType.tkey:
      return Verdict.formerr
    default:
      return Verdict.ask
  }
}
