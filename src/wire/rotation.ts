/**
 * Turns the addresses of a reply, so that clients which take the first one spread over all of them (RFC 1794). Only the data of A and
 * AAAA records move: owners, types and TTLs of a set are the same (RFC 2181 5.2).
 */
import { u8, u16 } from './bytes.ts'
import { headerBytes, RrType, recordFixedBytes } from './constants.ts'
import { pointerBits, skipName } from './name.ts'

/**
 * Where the addresses of a message are, in one small integer, so that an entry holds it for 8 bytes: offset of the first record (16
 * bits), whether they are AAAA (1), number of records (12). 0: fewer than two addresses.
 */
export type AddressRun = number

/** Owner as a pointer and the fixed part. */
const dataAt = 2 + recordFixedBytes

/** Up to so many bytes of data a loop is cheaper than two calls of `copy`, which calls into C++ (bench:micro -- write-reply). */
const loopBytesMax = 128

/** Finds the first set of two or more addresses in the answer section, their owners written as the same pointer. */
export function addressRun(image: Uint8Array): AddressRun {
  const answers = u16(image, 6)
  if (answers < 2) return 0
  let at = skipName(image, headerBytes, image.length) + 4
  let runAt = at
  let count = 0
  for (let i = 0; i < answers; i++) {
    const typeAt = skipName(image, at, image.length)
    const isMore = count > 0 && isSameSet(image, runAt, at)
    if (!isMore && count > 1) break
    if (isMore) count += 1
    else count = isAddress(image, at, typeAt) ? 1 : 0
    if (count === 1) runAt = at
    at = typeAt + recordFixedBytes + u16(image, typeAt + 8)
  }
  if (count < 2) return 0
  const isV6 = u16(image, runAt + 2) === RrType.aaaa
  return runAt | (isV6 ? 0x1_0000 : 0) | (count << 17)
}

/** Owners in full are not turned: later records may point to the first one's. */
function isAddress(image: Uint8Array, at: number, typeAt: number): boolean {
  const type = u16(image, typeAt)
  const isPointer = u8(image, at) >= pointerBits
  return isPointer && (type === RrType.a || type === RrType.aaaa)
}

/** Compares owner, type and class. */
function isSameSet(image: Uint8Array, one: number, other: number): boolean {
  for (let i = 0; i < 6; i++) if (image[one + i] !== image[other + i]) return false
  return true
}

/**
 * Writes the addresses anew, each `turns` places further to the front.
 * @param out holds a copy of the message from offset 0
 * @param from holds the message from `imageAt` on; another buffer than `out`
 * @param run not 0
 * @param turns any whole number
 */
export function turnAddresses(
  out: Buffer,
  from: Buffer,
  imageAt: number,
  run: AddressRun,
  turns: number,
): void {
  const count = run >>> 17
  const first = (turns >>> 0) % count
  if (first === 0) return
  const start = run & 0xffff
  const bytes = (run & 0x1_0000) === 0 ? 4 : 16
  const size = dataAt + bytes
  const source = imageAt + start
  if (count * bytes > loopBytesMax) {
    from.copy(out, start, source + first * size, source + count * size)
    from.copy(out, start + (count - first) * size, source, source + first * size)
    return
  }
  let to = start + dataAt
  let at = source + first * size + dataAt
  for (let i = first; i < first + count; i++) {
    // Back to the first record.
    if (i === count) at = source + dataAt
    for (let b = 0; b < bytes; b += 4) {
      out[to + b] = from[at + b] as number
      out[to + b + 1] = from[at + b + 1] as number
      out[to + b + 2] = from[at + b + 2] as number
      out[to + b + 3] = from[at + b + 3] as number
    }
    to += size
    at += size
  }
}
