/** Joins two images: an alias chain, and the records of the name at its end. */
import { putU16, u8 } from './bytes.ts'
import { Flag1, Flag2, messageBytesMax } from './constants.ts'
import { rebuildRecord } from './image.ts'
import { ResponseScan, scanResponse } from './scan.ts'

const headScan = new ResponseScan()
const tailScan = new ResponseScan()
const out = Buffer.allocUnsafeSlow(messageBytesMax)

/**
 * @param head its question and answers come first
 * @param tail its answers and authorities follow, and the whole gets its rcode
 * @returns a new buffer; undefined when the result would exceed 65,535 bytes
 */
export function splice(head: Buffer, tail: Buffer): Buffer | undefined {
  if (!scanResponse(head, head.length, headScan)) return undefined
  if (!scanResponse(tail, tail.length, tailScan)) return undefined
  let to = headScan.questionEnd
  head.copy(out, 0, 0, to)
  for (let i = 0; i < headScan.answers && to >= 0; i++) {
    to = rebuildRecord(head, headScan, i, out, to)
  }
  const { answers, authorities } = tailScan
  for (let i = 0; i < answers + authorities && to >= 0; i++) {
    if (i !== tailScan.optIndex) to = rebuildRecord(tail, tailScan, i, out, to)
  }
  if (to < 0) return undefined
  // No server is an authority for both parts, and none has validated the whole.
  out[2] = u8(head, 2) & ~Flag1.aa
  out[3] = Flag2.ra | (tailScan.rcode & 0x0f)
  putU16(out, 6, headScan.answers + answers)
  putU16(out, 8, authorities)
  putU16(out, 10, 0)
  return Buffer.from(out.subarray(0, to))
}
