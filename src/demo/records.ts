/**
 * Resource records of the stand-ins, as bytes. Knows no zone and no socket. Texts are literals of this program, so a
 * malformed one is a defect and throws.
 */
import { addressBytes } from '../address/ip-address.ts'
import { putU16, putU32 } from '../wire/bytes.ts'
import { Flag1, headerBytes, RrClass, RrType, recordFixedBytes } from '../wire/constants.ts'
import { wireName } from '../wire/name.ts'
import type { Question } from '../wire/question.ts'

export interface DemoRecord {
  readonly owner: string
  readonly type: number
  readonly ttlSeconds: number
  readonly data: Uint8Array
}

/** What a stand-in says to one question. */
export interface DemoAnswer {
  readonly rcode: number
  readonly answers: readonly DemoRecord[]
  readonly authority: readonly DemoRecord[]
}

/**
 * The answer as a message that carries the client's question, ID 0, no OPT: what `writeReply` takes.
 * @param query holds header and question
 * @param flags2 the fourth header byte without the rcode
 */
export function answerImage(
  query: Uint8Array,
  question: Question,
  answer: DemoAnswer,
  flags2: number,
): Buffer {
  const records = [...answer.answers, ...answer.authority].map(encodeRecord)
  const image = Buffer.concat([query.subarray(0, question.questionEnd), ...records])
  image.fill(0, 0, headerBytes)
  image[2] = Flag1.qr | Flag1.aa
  image[3] = flags2 | answer.rcode
  putU16(image, 4, 1)
  putU16(image, 6, answer.answers.length)
  putU16(image, 8, answer.authority.length)
  return image
}

function encodeRecord({ owner, type, ttlSeconds, data }: DemoRecord): Buffer {
  const name = wireName(owner)
  const record = Buffer.alloc(name.length + recordFixedBytes + data.length)
  record.set(name)
  putU16(record, name.length, type)
  putU16(record, name.length + 2, RrClass.in)
  putU32(record, name.length + 4, ttlSeconds)
  putU16(record, name.length + 8, data.length)
  record.set(data, name.length + recordFixedBytes)
  return record
}

/** The parts of a record that depend on its type. */
export type TypedData = Pick<DemoRecord, 'type' | 'data'>

export function a(address: string): TypedData {
  return { type: RrType.a, data: addressBytes(address) }
}

export function aaaa(address: string): TypedData {
  return { type: RrType.aaaa, data: addressBytes(address) }
}

export function cname(target: string): TypedData {
  return { type: RrType.cname, data: wireName(target) }
}

export function ptr(target: string): TypedData {
  return { type: RrType.ptr, data: wireName(target) }
}

export function mx(preference: number, exchange: string): TypedData {
  return { type: RrType.mx, data: joined(u16(preference), wireName(exchange)) }
}

export function txt(text: string): TypedData {
  const bytes = Buffer.from(text, 'utf8')
  return { type: RrType.txt, data: joined([bytes.length], bytes) }
}

export function srv(port: number, target: string): TypedData {
  return { type: RrType.srv, data: joined(u16(0), u16(100), u16(port), wireName(target)) }
}

/** ServiceMode, own name, `alpn=h2` (RFC 9460 2.2, 7.1). */
export function https(): TypedData {
  const alpn = Buffer.from('\x02h2', 'latin1')
  return { type: RrType.https, data: joined(u16(1), [0], u16(1), u16(alpn.length), alpn) }
}

/** @param times refresh, retry, expire, minimum in seconds */
export function soa(
  primary: string,
  mailbox: string,
  serial: number,
  times: readonly [number, number, number, number],
): TypedData {
  const numbers = Buffer.alloc(20)
  ;[serial, ...times].forEach((value, index) => {
    putU32(numbers, index * 4, value)
  })
  return { type: RrType.soa, data: joined(wireName(primary), wireName(mailbox), numbers) }
}

function u16(value: number): readonly number[] {
  return [value >>> 8, value & 0xff]
}

function joined(...parts: readonly ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)))
}
