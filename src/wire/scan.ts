/**
 * One walk over an upstream's response: the offset of each record, the SOA and its TTL, OPT, rcode. Record data stay opaque (RFC
 * 3597) except for the few fields named here. Total: malformed input gives `false`, never an exception, and the work on names is
 * bounded for the whole message (CVE-2024-8508 and others like it). A truncated response may end anywhere (RFC 2181 9): its whole
 * records count.
 */
import { u8, u16, u32 } from './bytes.ts'
import {
  Flag1,
  headerBytes,
  messageBytesMax,
  RrType,
  recordBytesMin,
  recordFixedBytes,
} from './constants.ts'
import { nameLength, skipName } from './name.ts'

const recordsCapacity = Math.floor((messageBytesMax - headerBytes) / recordBytesMin)

/**
 * Label steps for all owner names of one message. 5,436 pointers to one 126-label name would cost 685,000; real answers
 * of 64 KiB stay far below this.
 */
const nameStepsMax = 65_536

/** What a response says about itself. Reused: valid until the next scan into the same object. */
export class ResponseScan {
  /** With the OPT record's upper bits (RFC 6891 6.1.3). */
  rcode = 0
  aa = false
  tc = false
  questionEnd = 0
  answers = 0
  authorities = 0
  /** All records of the three sections, OPT included. */
  records = 0
  /** Bytes up to the end of the last record: the rest is trailing garbage. */
  end = 0
  /** Offset of each record's owner name; index `records` holds `end`. */
  readonly ownerAt = new Uint16Array(recordsCapacity + 1)
  /** Offset of each record's TYPE: CLASS is at +2, TTL at +4, RDLENGTH at +8, RDATA at +10. */
  readonly typeAt = new Uint16Array(recordsCapacity)
  /** Index of the OPT record, or -1. */
  optIndex = -1
  /** Index of the first SOA in the authority section, or -1. */
  soaIndex = -1
  /** RFC 2308 5: the smaller of the SOA's own TTL and its MINIMUM field. */
  soaTtlSeconds = 0

  /** @internal */
  readonly nameBudget = { steps: 0 }
}

/** RFC 2181 8: a TTL with the top bit set is zero. */
export function readTtl(bytes: Uint8Array, at: number): number {
  return u8(bytes, at) >= 0x80 ? 0 : u32(bytes, at)
}

/**
 * @param reply holds the message from offset 0; not kept
 * @returns false when it is malformed; the content of `into` is then undefined
 */
export function scanResponse(reply: Uint8Array, replyBytes: number, into: ResponseScan): boolean {
  if (replyBytes < headerBytes || replyBytes > messageBytesMax) return false
  into.aa = (u8(reply, 2) & Flag1.aa) !== 0
  into.tc = (u8(reply, 2) & Flag1.tc) !== 0
  into.rcode = u8(reply, 3) & 0x0f
  into.optIndex = -1
  into.soaIndex = -1
  into.soaTtlSeconds = 0
  into.nameBudget.steps = nameStepsMax
  into.answers = u16(reply, 6)
  into.authorities = u16(reply, 8)
  into.records = into.answers + into.authorities + u16(reply, 10)
  if (u16(reply, 4) !== 1) return false
  if (nameLength(reply, headerBytes, replyBytes, into.nameBudget) < 0) return false
  into.questionEnd = skipName(reply, headerBytes, replyBytes) + 4
  // False counts are refused before any record is read. A truncated response may count what was cut off.
  if (!into.tc && into.records * recordBytesMin > replyBytes - into.questionEnd) return false
  return scanRecords(reply, replyBytes, into)
}

function scanRecords(reply: Uint8Array, replyBytes: number, into: ResponseScan): boolean {
  let at = into.questionEnd
  if (at > replyBytes) return false
  for (let i = 0; i < into.records; i++) {
    const next = scanRecord(reply, replyBytes, at, i, into)
    if (next < 0) {
      if (!into.tc) return false
      cutAt(i, into)
      break
    }
    at = next
  }
  into.ownerAt[into.records] = at
  into.end = at
  return true
}

/** Record `index` of a truncated response is not whole, so it and those behind it are not there. */
function cutAt(index: number, into: ResponseScan): void {
  into.records = index
  into.answers = Math.min(into.answers, index)
  into.authorities = Math.min(into.authorities, index - into.answers)
  if (into.optIndex === index) into.optIndex = -1
  if (into.soaIndex === index) into.soaIndex = -1
}

/** @returns offset after the record, or -1 when it is malformed */
function scanRecord(
  reply: Uint8Array,
  replyBytes: number,
  at: number,
  index: number,
  into: ResponseScan,
): number {
  const typeAt = skipName(reply, at, replyBytes)
  if (typeAt < 0 || typeAt + recordFixedBytes > replyBytes) return -1
  if (!isOwnerSound(reply, at, replyBytes, into)) return -1
  const next = typeAt + recordFixedBytes + u16(reply, typeAt + 8)
  if (next > replyBytes) return -1
  into.ownerAt[index] = at
  into.typeAt[index] = typeAt
  const type = u16(reply, typeAt)
  const isWellPlaced =
    type === RrType.opt
      ? readOpt(reply, at, index, into)
      : type !== RrType.soa || readSoa(reply, next, index, into)
  return isWellPlaced ? next : -1
}

/** RFC 6891 6.1.1: one at most, in the additional section, owned by the root. */
function readOpt(reply: Uint8Array, at: number, index: number, into: ResponseScan): boolean {
  if (into.optIndex >= 0 || index < into.answers + into.authorities || u8(reply, at) !== 0) {
    return false
  }
  into.optIndex = index
  into.rcode |= u8(reply, at + 5) << 4
  return true
}

/** The pointer to the question's own name is by far the most common owner, and known to be sound. */
function isOwnerSound(
  reply: Uint8Array,
  at: number,
  replyBytes: number,
  into: ResponseScan,
): boolean {
  if (u8(reply, at) === 0xc0 && u8(reply, at + 1) === headerBytes) return true
  return nameLength(reply, at, replyBytes, into.nameBudget) > 0
}

/** Records the first SOA of the authority section. */
function readSoa(reply: Uint8Array, end: number, index: number, into: ResponseScan): boolean {
  const isAuthority = index >= into.answers && index < into.answers + into.authorities
  if (!isAuthority || into.soaIndex >= 0) return true
  const typeAt = into.typeAt[index] as number
  const mname = typeAt + recordFixedBytes
  const rname = skipName(reply, mname, end)
  const serial = rname < 0 ? -1 : skipName(reply, rname, end)
  // RFC 1035 3.3.13: SERIAL, REFRESH, RETRY, EXPIRE, MINIMUM.
  if (serial < 0 || serial + 20 !== end) return false
  into.soaIndex = index
  // MINIMUM is no TTL that a top bit could make zero: resolvers take it as it stands, and so bound it by the record's own TTL.
  into.soaTtlSeconds = Math.min(readTtl(reply, typeAt + 4), u32(reply, serial + 16))
  return true
}
