/** A resource record of a local stage, and the message that a client gets with such records. */
import { putU16, putU32 } from '../../wire/bytes.ts'
import {
  Flag1,
  Flag2,
  headerBytes,
  messageBytesMax,
  recordFixedBytes,
} from '../../wire/constants.ts'
import type { Question } from '../../wire/question.ts'

export interface LocalRecord {
  /** Uncompressed wire form. */
  readonly owner: Uint8Array
  readonly type: number
  readonly class: number
  readonly ttlSeconds: number
  /** RDATA with uncompressed names. */
  readonly data: Uint8Array
}

export interface LocalAnswer {
  /** At most 15: without the upper bits of OPT. */
  readonly rcode: number
  readonly answers: readonly LocalRecord[]
  readonly authorities?: readonly LocalRecord[]
  readonly additionals?: readonly LocalRecord[]
}

/**
 * @param query holds header and question
 * @returns a message of its own, ID 0, no OPT, nothing compressed; undefined when it would be longer than 65,535 bytes
 */
export function answerMessage(
  query: Uint8Array,
  { questionEnd }: Question,
  { rcode, answers, authorities = [], additionals = [] }: LocalAnswer,
): Buffer | undefined {
  const records = [...answers, ...authorities, ...additionals]
  const bytes = records.reduce(
    (sum, { owner, data }) => sum + owner.length + recordFixedBytes + data.length,
    questionEnd,
  )
  if (bytes > messageBytesMax) return undefined
  const message = Buffer.alloc(bytes)
  message[2] = Flag1.qr | Flag1.aa
  message[3] = Flag2.ra | rcode
  message[5] = 1
  putU16(message, 6, answers.length)
  putU16(message, 8, authorities.length)
  putU16(message, 10, additionals.length)
  message.set(query.subarray(headerBytes, questionEnd), headerBytes)
  let at = questionEnd
  for (const record of records) at = putRecord(message, at, record)
  return message
}

function putRecord(message: Uint8Array, at: number, record: LocalRecord): number {
  const { owner, data } = record
  message.set(owner, at)
  const fixedAt = at + owner.length
  putU16(message, fixedAt, record.type)
  putU16(message, fixedAt + 2, record.class)
  putU32(message, fixedAt + 4, record.ttlSeconds)
  putU16(message, fixedAt + 8, data.length)
  message.set(data, fixedAt + recordFixedBytes)
  return fixedAt + recordFixedBytes + data.length
}
