/**
 * Cuts a reply to the size that a client can take over UDP. RFC 2181 5.2 and 9: an RRset goes whole or not at all, except that a
 * part of a set of addresses is more useful to a stub than none; TC says that a needed record is missing. Records that only help
 * (additional, authority of a positive answer) are dropped first and leave TC clear.
 */
import { putU16, u8, u16 } from './bytes.ts'
import { Flag1, headerBytes, RrType, recordFixedBytes } from './constants.ts'
import { skipName } from './name.ts'

/**
 * @param image a sound message without OPT, longer than `bytesMax`
 * @param bytesMax at least header and question
 * @param out takes the cut message
 * @returns bytes written
 */
export function truncate(image: Uint8Array, bytesMax: number, out: Uint8Array): number {
  const answers = u16(image, 6)
  const authorities = u16(image, 8)
  const questionEnd = skipName(image, headerBytes, image.length) + 4
  const answerEnd = skipRecords(image, questionEnd, answers)
  const authorityEnd = skipRecords(image, answerEnd, authorities)
  if (answerEnd > bytesMax) {
    const cut = cutAnswers(image, questionEnd, bytesMax)
    return copyHead(image, out, cut.end, [cut.records, 0], true)
  }
  if (authorityEnd <= bytesMax)
    return copyHead(image, out, authorityEnd, [answers, authorities], false)
  // Without its SOA a negative answer cannot be cached (RFC 2308 5), so the SOA is needed.
  const isNegative = hasSoa(image, answerEnd, authorities)
  return copyHead(image, out, answerEnd, [answers, 0], isNegative)
}

/** Finds the last offset in the answer section, not after `bytesMax`, where a cut is allowed. */
function cutAnswers(
  image: Uint8Array,
  questionEnd: number,
  bytesMax: number,
): { end: number; records: number } {
  let setAt = questionEnd
  let setIndex = 0
  let at = questionEnd
  for (let index = 0; ; index++) {
    if (index > 0 && !isSameSet(image, setAt, at)) {
      setAt = at
      setIndex = index
    }
    const next = recordEnd(image, at)
    if (next > bytesMax) {
      return isAddress(image, at) ? { end: at, records: index } : { end: setAt, records: setIndex }
    }
    at = next
  }
}

function copyHead(
  image: Uint8Array,
  out: Uint8Array,
  end: number,
  [answers, authorities]: readonly [number, number],
  isTruncated: boolean,
): number {
  out.set(image.subarray(0, end))
  putU16(out, 6, answers)
  putU16(out, 8, authorities)
  putU16(out, 10, 0)
  if (isTruncated) out[2] = u8(out, 2) | Flag1.tc
  return end
}

function recordEnd(image: Uint8Array, at: number): number {
  const typeAt = skipName(image, at, image.length)
  return typeAt + recordFixedBytes + u16(image, typeAt + 8)
}

function skipRecords(image: Uint8Array, at: number, records: number): number {
  let next = at
  for (let i = 0; i < records; i++) next = recordEnd(image, next)
  return next
}

function typeOf(image: Uint8Array, at: number): number {
  return u16(image, skipName(image, at, image.length))
}

function isAddress(image: Uint8Array, at: number): boolean {
  const type = typeOf(image, at)
  return type === RrType.a || type === RrType.aaaa
}

/** Owners are compared as written: servers that compress write the same pointer for all records of a set. */
function isSameSet(image: Uint8Array, oneAt: number, otherAt: number): boolean {
  const oneEnd = skipName(image, oneAt, image.length)
  const otherEnd = skipName(image, otherAt, image.length)
  if (oneEnd - oneAt !== otherEnd - otherAt) return false
  for (let i = 0; i < oneEnd - oneAt + 2; i++) {
    if (image[oneAt + i] !== image[otherAt + i]) return false
  }
  return true
}

function hasSoa(image: Uint8Array, authorityAt: number, authorities: number): boolean {
  let at = authorityAt
  for (let i = 0; i < authorities; i++) {
    if (typeOf(image, at) === RrType.soa) return true
    at = recordEnd(image, at)
  }
  return false
}
