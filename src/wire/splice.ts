/** Joins two images: an alias chain, and the records of the name at its end. */
import { putU16, u8 } from './bytes.ts'
import { Flag1, Flag2, messageBytesMax } from './constants.ts'
import { RecordWriter } from './record-writer.ts'
import { ResponseScan, scanResponse } from './scan.ts'

const headScan = new ResponseScan()
const tailScan = new ResponseScan()
const writer = new RecordWriter()
const out = Buffer.allocUnsafeSlow(messageBytesMax)

/**
 * @param head its question and answers come first
 * @param tail its answers and authorities follow, and the whole gets its rcode
 * @returns a new buffer; undefined when the result would exceed 65,535 bytes
 */
export function splice(head: Buffer, tail: Buffer): Buffer | undefined {
  if (!scanResponse(head, head.length, headScan)) return undefined
  if (!scanResponse(tail, tail.length, tailScan)) return undefined
  head.copy(out, 0, 0, headScan.questionEnd)
  writer.open(out, headScan.questionEnd)
  const { answers, authorities } = tailScan
  writer.readFrom(head, headScan, true)
  if (!append(headScan, headScan.answers)) return undefined
  writer.readFrom(tail, tailScan, false)
  if (!append(tailScan, answers + authorities)) return undefined
  // No server is an authority for both parts, and none has validated the whole.
  out[2] = (u8(head, 2) | (u8(tail, 2) & Flag1.tc)) & ~Flag1.aa
  out[3] = Flag2.ra | (tailScan.rcode & 0x0f)
  putU16(out, 6, headScan.answers + answers)
  putU16(out, 8, authorities)
  putU16(out, 10, 0)
  return Buffer.from(out.subarray(0, writer.to))
}

/** Appends the first records of an image, which has no OPT among them (RFC 6891 6.1.1). */
function append(scan: ResponseScan, records: number): boolean {
  for (let i = 0; i < records; i++) if (!writer.write(scan, i)) return false
  return true
}
