/**
 * A reply image: an upstream's response in the form in which it is cached and copied to clients. ID 0, no OPT (EDNS is hop by
 * hop), nothing after the last record, only the chosen records. Its names may be compressed; the question is where the upstream
 * put it, at offset 12.
 */
import { putU16, u8, u16 } from './bytes.ts'
import { Flag1, Flag2, messageBytesMax, RrType, recordFixedBytes } from './constants.ts'
import { copyName } from './name.ts'
import type { ResponseScan } from './scan.ts'

/**
 * Record types whose data hold names that may be compressed (RFC 3597 4): bytes before the first name, and the number of names.
 * The rest of their data, and every other type, is opaque.
 */
const namesInData: ReadonlyMap<number, readonly [prefixBytes: number, names: number]> = new Map([
  [RrType.ns, [0, 1]],
  [RrType.md, [0, 1]],
  [RrType.mf, [0, 1]],
  [RrType.cname, [0, 1]],
  [RrType.soa, [0, 2]],
  [RrType.mb, [0, 1]],
  [RrType.mg, [0, 1]],
  [RrType.mr, [0, 1]],
  [RrType.ptr, [0, 1]],
  [RrType.minfo, [0, 2]],
  [RrType.mx, [2, 1]],
  [RrType.rp, [0, 2]],
  [RrType.afsdb, [2, 1]],
  [RrType.rt, [2, 1]],
  [RrType.sig, [18, 1]],
  [RrType.px, [2, 2]],
  [RrType.nxt, [0, 1]],
  [RrType.srv, [6, 1]],
  [RrType.kx, [2, 1]],
  [RrType.dname, [0, 1]],
  [RrType.rrsig, [18, 1]],
  [RrType.nsec, [0, 1]],
])

/**
 * Makes the image of a scanned response.
 * @param keep one byte per record, nonzero to keep it; OPT is never kept
 * @param trustAd keep the upstream's AD bit (RFC 6840 5.8); otherwise it is cleared
 * @param into takes the image, from offset 0; 65,535 bytes long
 * @returns a view of `into`; undefined when the kept records cannot be written, because a name is malformed or the result would
 *   exceed 65,535 bytes
 */
export function makeImage(
  reply: Buffer,
  scan: ResponseScan,
  keep: Uint8Array,
  trustAd: boolean,
  into: Buffer = Buffer.allocUnsafeSlow(messageBytesMax),
): Buffer | undefined {
  const kept = keptPrefix(scan, keep)
  const end = kept >= 0 ? copyPrefix(reply, scan, kept, into) : rebuild(reply, scan, keep, into)
  if (end < 0) return undefined
  const body = into.subarray(0, end)
  body[0] = 0
  body[1] = 0
  body[2] = Flag1.qr | (u8(reply, 2) & Flag1.aa)
  const ad = trustAd ? u8(reply, 3) & Flag2.ad : 0
  body[3] = Flag2.ra | ad | (scan.rcode & 0x0f)
  countSections(body, scan, keep)
  return body
}

/** @returns how many leading records are exactly the kept ones, or -1 when a record before a kept one is dropped */
function keptPrefix(scan: ResponseScan, keep: Uint8Array): number {
  let kept = 0
  let isCut = false
  for (let i = 0; i < scan.records; i++) {
    if (keep[i] === 0 || i === scan.optIndex) {
      isCut = true
    } else {
      if (isCut) return -1
      kept = i + 1
    }
  }
  return kept
}

/** Names only point backwards, so the kept part needs nothing of the rest. */
function copyPrefix(reply: Buffer, scan: ResponseScan, kept: number, into: Buffer): number {
  const end = kept === 0 ? scan.questionEnd : (scan.ownerAt[kept] as number)
  return reply.copy(into, 0, 0, end)
}

function countSections(image: Buffer, scan: ResponseScan, keep: Uint8Array): void {
  const counts = [0, 0, 0]
  for (let i = 0; i < scan.records; i++) {
    if (keep[i] === 0 || i === scan.optIndex) continue
    const section = i < scan.answers ? 0 : i < scan.answers + scan.authorities ? 1 : 2
    counts[section] = (counts[section] as number) + 1
  }
  putU16(image, 4, 1)
  for (let section = 0; section < 3; section++) {
    putU16(image, 6 + 2 * section, counts[section] as number)
  }
}

/** Writes header, question and the kept records without compression. @returns offset after them, or -1 */
function rebuild(reply: Uint8Array, scan: ResponseScan, keep: Uint8Array, out: Buffer): number {
  out.set(reply.subarray(0, scan.questionEnd))
  let to = scan.questionEnd
  for (let i = 0; i < scan.records; i++) {
    if (keep[i] === 0 || i === scan.optIndex) continue
    to = rebuildRecord(reply, scan, i, out, to)
    if (to < 0) return -1
  }
  return to
}

/** Room that one record may need beyond its data: three names of 255 bytes and the fixed part. */
const recordSlackBytes = 800

/** Writes one record without compression. @returns offset after it, or -1 */
export function rebuildRecord(
  reply: Uint8Array,
  scan: ResponseScan,
  index: number,
  out: Buffer,
  to: number,
): number {
  const typeAt = scan.typeAt[index] as number
  const dataAt = typeAt + recordFixedBytes
  const dataEnd = dataAt + u16(reply, typeAt + 8)
  if (to + recordSlackBytes + dataEnd - dataAt > out.length) return -1
  const ownerBytes = copyName(reply, scan.ownerAt[index] as number, scan.end, out, to)
  if (ownerBytes < 0) return -1
  const fixedTo = to + ownerBytes
  out.set(reply.subarray(typeAt, dataAt), fixedTo)
  const end = rebuildData(
    reply,
    u16(reply, typeAt),
    [dataAt, dataEnd],
    out,
    fixedTo + recordFixedBytes,
  )
  if (end >= 0) putU16(out, fixedTo + 8, end - fixedTo - recordFixedBytes)
  return end
}

function rebuildData(
  reply: Uint8Array,
  type: number,
  [dataAt, dataEnd]: readonly [number, number],
  out: Buffer,
  to: number,
): number {
  const layout = namesInData.get(type)
  let from = dataAt
  let at = to
  if (layout !== undefined) {
    const [prefixBytes, names] = layout
    if (from + prefixBytes > dataEnd) return -1
    out.set(reply.subarray(from, from + prefixBytes), at)
    from += prefixBytes
    at += prefixBytes
    for (let i = 0; i < names; i++) {
      const nameBytes = copyName(reply, from, dataEnd, out, at)
      if (nameBytes < 0) return -1
      at += nameBytes
      from = nameEnd(reply, from)
    }
  }
  out.set(reply.subarray(from, dataEnd), at)
  return at + dataEnd - from
}

/** @returns offset after a name that is known to be sound */
function nameEnd(bytes: Uint8Array, at: number): number {
  let next = at
  while (u8(bytes, next) !== 0) {
    if (u8(bytes, next) >= 0xc0) return next + 2
    next += u8(bytes, next) + 1
  }
  return next + 1
}
