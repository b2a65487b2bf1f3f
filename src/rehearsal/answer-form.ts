/**
 * A reply reduced to what a client's program sees of it: response code, truncation, and the records of the answer, in canonical form
 * (RFC 4034 6.2: names in full and in lower case, those in record data as well). TTLs are beside it, and so is the order. Pure.
 */
import { u8, u16 } from '../wire/bytes.ts'
import { nameBytesMax, recordFixedBytes } from '../wire/constants.ts'
import { copyFoldedName } from '../wire/name.ts'
import { layoutOf, Part, skipPart } from '../wire/record-data.ts'
import { ResponseScan, readTtl, scanResponse } from '../wire/scan.ts'

export interface AnswerForm {
  readonly rcode: number
  readonly isTruncated: boolean
  /** Records of the answer section without their TTLs, in the order of the reply. */
  readonly records: readonly string[]
  /** The least TTL: of the answer, else of the SOA beside a denial. Undefined where there is neither. */
  readonly ttlSeconds: number | undefined
  /** All TTLs of the answer, in the order of `records`. */
  readonly ttls: readonly number[]
}

const scan = new ResponseScan()
const name = new Uint8Array(nameBytesMax)

/** @returns undefined for a reply that cannot be read; one without a question has no records */
export function answerForm(reply: Buffer): AnswerForm | undefined {
  if (reply.length >= 12 && u16(reply, 4) === 0) {
    const rcode = u8(reply, 3) & 0x0f
    const isTruncated = (u8(reply, 2) & 2) !== 0
    return { rcode, isTruncated, records: [], ttlSeconds: undefined, ttls: [] }
  }
  if (!scanResponse(reply, reply.length, scan)) return undefined
  const records: string[] = []
  const ttls: number[] = []
  for (let i = 0; i < scan.answers; i++) {
    records.push(recordForm(reply, i))
    ttls.push(readTtl(reply, (scan.typeAt[i] as number) + 4))
  }
  const ttlSeconds = ttls.length > 0 ? Math.min(...ttls) : soaTtl(reply)
  return { rcode: scan.rcode, isTruncated: scan.tc, records, ttlSeconds, ttls }
}

/** Whether both say the same, in whatever order. */
export function saysTheSame(one: AnswerForm, other: AnswerForm): boolean {
  return one.rcode === other.rcode && isSameSet(one.records, other.records)
}

export function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false
  const sorted = other.toSorted()
  return one.toSorted().every((record, i) => record === sorted[i])
}

/**
 * A copy of a reply whose TTLs are those that it was made with, as far as that is known.
 * @param ttlSeconds least TTL that the copy has; each is raised by the same
 */
export function youngAgain(reply: Buffer, ttlSeconds: number): Buffer {
  const copy = Buffer.from(reply)
  const present = answerForm(copy)?.ttlSeconds
  if (present === undefined || present >= ttlSeconds) return copy
  const by = ttlSeconds - present
  for (let i = 0; i < scan.answers + scan.authorities; i++) {
    const at = (scan.typeAt[i] as number) + 4
    copy.writeUInt32BE(readTtl(copy, at) + by, at)
  }
  return copy
}

function soaTtl(reply: Buffer): number | undefined {
  return scan.soaIndex < 0 ? undefined : readTtl(reply, (scan.typeAt[scan.soaIndex] as number) + 4)
}

function recordForm(reply: Buffer, index: number): string {
  const typeAt = scan.typeAt[index] as number
  const type = u16(reply, typeAt)
  const dataAt = typeAt + recordFixedBytes
  const end = scan.ownerAt[index + 1] as number
  const owner = folded(reply, scan.ownerAt[index] as number)
  return `${owner} ${type} ${u16(reply, typeAt + 2)} ${dataForm(reply, type, dataAt, end)}`
}

function dataForm(reply: Buffer, type: number, dataAt: number, end: number): string {
  let at = dataAt
  let text = ''
  for (const part of layoutOf(type) ?? []) {
    const next = skipPart(reply, part, at, end)
    if (next < 0) break
    const isName = part === Part.packedName || part === Part.fullName
    text += isName ? folded(reply, at) : reply.toString('latin1', at, next)
    at = next
  }
  return text + reply.toString('latin1', at, end)
}

function folded(reply: Buffer, at: number): string {
  const length = copyFoldedName(reply, at, reply.length, name)
  return Buffer.from(name.subarray(0, Math.max(length, 0))).toString('latin1')
}
