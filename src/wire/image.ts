/**
 * A reply image: an upstream's response in the form in which it is cached and copied to clients. ID 0, no OPT (EDNS is hop by
 * hop), nothing after the last record, only the chosen records in the chosen order, names compressed as far as they may be,
 * whatever the upstream did. The question is where the upstream put it, at offset 12. docs/decisions/0039.
 */
import { putU16, u8, u16 } from './bytes.ts'
import { Flag1, Flag2, headerBytes, messageBytesMax, recordFixedBytes } from './constants.ts'
import { pointerBits } from './name.ts'
import { NamePlaces } from './name-places.ts'
import { isFinished } from './record-data.ts'
import { RecordWriter } from './record-writer.ts'
import type { ResponseScan } from './scan.ts'

const writer = new RecordWriter()
/** Chosen records of a section that is not in order: rank and index in one number. */
const ranked = new Uint32Array(6_000)

/**
 * Makes the image of a scanned response.
 * @param keep one byte per record, zero to leave it out. Within a section the records with lower numbers come first, those with
 *   equal numbers as the upstream had them. OPT is never kept.
 * @param trustAd keep the upstream's AD bit (RFC 6840 5.8); otherwise it is cleared
 * @param into takes the image, from offset 0; 65,535 bytes long
 * @returns a view of `into`; undefined when a kept record is malformed, or the image would exceed 65,535 bytes
 */
export function makeImage(
  reply: Buffer,
  scan: ResponseScan,
  keep: Uint8Array,
  trustAd: boolean,
  into: Buffer = Buffer.allocUnsafeSlow(messageBytesMax),
): Buffer | undefined {
  const end = finishedEnd(reply, scan, keep)
  const isWritten = end >= 0 ? reply.copy(into, 0, 0, end) > 0 : rebuild(reply, scan, keep, into)
  if (!isWritten) return undefined
  const body = into.subarray(0, end >= 0 ? end : writer.to)
  body[0] = 0
  body[1] = 0
  body[2] = Flag1.qr | (u8(reply, 2) & Flag1.aa)
  const ad = trustAd ? u8(reply, 3) & Flag2.ad : 0
  body[3] = Flag2.ra | ad | (scan.rcode & 0x0f)
  countSections(body, scan, keep)
  return body
}

const places = new NamePlaces()
const anyPointer = pointerBits << 8
const toQuestion = anyPointer | headerBytes

/**
 * Most upstreams compress what they send, and then the records are copied as they stand.
 * @returns where the kept records end, or -1 when they have to be written anew
 */
function finishedEnd(reply: Uint8Array, scan: ResponseScan, keep: Uint8Array): number {
  places.open(reply, scan.questionEnd)
  let end = scan.questionEnd
  let isCut = false
  let rank = 0
  for (let i = 0; i < scan.records; i++) {
    const kept = keep[i] as number
    if (i === scan.answers || i === scan.answers + scan.authorities) rank = 0
    if (kept === 0 || i === scan.optIndex) {
      isCut = true
      continue
    }
    const ownerAt = scan.ownerAt[i] as number
    const dataAt = (scan.typeAt[i] as number) + recordFixedBytes
    if (isCut || kept < rank || !isOwnerFinished(reply, ownerAt)) return -1
    end = scan.ownerAt[i + 1] as number
    if (!isFinished(reply, dataAt, end, places)) return -1
    rank = kept
  }
  return end
}

/** The pointer to the question's own name is by far the most common owner (bench:micro -- make-image). */
function isOwnerFinished(reply: Uint8Array, at: number): boolean {
  const owner = u16(reply, at)
  return owner === toQuestion || (owner >= anyPointer && places.leadsToName(at))
}

function countSections(image: Buffer, scan: ResponseScan, keep: Uint8Array): void {
  putU16(image, 4, 1)
  let from = 0
  for (let section = 0; section < 3; section++) {
    const end = sectionEnd(scan, section)
    let count = 0
    for (let i = from; i < end; i++) if (keep[i] !== 0 && i !== scan.optIndex) count += 1
    putU16(image, 6 + 2 * section, count)
    from = end
  }
}

function sectionEnd(scan: ResponseScan, section: number): number {
  if (section === 2) return scan.records
  return section === 0 ? scan.answers : scan.answers + scan.authorities
}

/** Writes header, question and the kept records. @returns false when that cannot be done */
function rebuild(reply: Buffer, scan: ResponseScan, keep: Uint8Array, into: Buffer): boolean {
  reply.copy(into, 0, 0, scan.questionEnd)
  writer.open(into, scan.questionEnd)
  writer.readFrom(reply, scan, true)
  let from = 0
  for (let section = 0; section < 3; section++) {
    const end = sectionEnd(scan, section)
    if (!writeSection(scan, keep, from, end)) return false
    from = end
  }
  return true
}

function writeSection(scan: ResponseScan, keep: Uint8Array, from: number, end: number): boolean {
  let count = 0
  let isOrdered = true
  let rank = 0
  for (let i = from; i < end; i++) {
    const kept = keep[i] as number
    if (kept === 0 || i === scan.optIndex) continue
    if (kept < rank) isOrdered = false
    rank = kept
    ranked[count] = kept * 0x1_0000 + i
    count += 1
  }
  if (!isOrdered) ranked.subarray(0, count).sort()
  for (let i = 0; i < count; i++)
    if (!writer.write(scan, (ranked[i] as number) & 0xffff)) return false
  return true
}
