/** Messages about special-use names: the records that they have, and denials with the SOA of a zone that is served locally (RFC 6303 3). */
import { putU16, putU32 } from '../../wire/bytes.ts'
import {
  Flag1,
  Flag2,
  headerBytes,
  Rcode,
  RrClass,
  RrType,
  recordFixedBytes,
} from '../../wire/constants.ts'
import { wireName } from '../../wire/name.ts'
import type { Question } from '../../wire/question.ts'
import { negativeImage } from '../../wire/reply.ts'
import { localSoa } from '../soa.ts'
import type { SpecialName } from './names.ts'

/** How long clients may keep it, seconds. It never changes but by configuration; the value is that of RFC 6303 3. */
const ttlSeconds = 10_800

interface LocalRecord {
  readonly type: number
  readonly data: Uint8Array
}

const localhost = wireName('localhost.')
const loopbackV4: LocalRecord = { type: RrType.a, data: Uint8Array.of(127, 0, 0, 1) }
const loopbackV6: LocalRecord = { type: RrType.aaaa, data: new Uint8Array(16).fill(1, 15) }
const pointer: LocalRecord = { type: RrType.ptr, data: localhost }
const addresses = [loopbackV4, loopbackV6]
export interface LocalReply {
  readonly image: Buffer
  readonly rcode: number
}

/** @param isExact the question is about the special name itself, not about a name below it */
export function localReply(
  { saying, name }: SpecialName,
  query: Uint8Array,
  question: Question,
  isExact: boolean,
): LocalReply {
  const exists = saying === 'loopback' || (saying === 'pointer' && isExact)
  const kept = saying === 'loopback' ? addresses : [pointer]
  const records = exists ? kept.filter(({ type }) => isAsked(type, question.qtype)) : []
  if (records.length > 0)
    return { image: answerImage(query, question, records), rcode: Rcode.noerror }
  const rcode = exists ? Rcode.noerror : Rcode.nxdomain
  return { image: negativeImage(query, question, rcode, localSoa(name, ttlSeconds)), rcode }
}

function isAsked(type: number, qtype: number): boolean {
  return qtype === type || qtype === RrType.any
}

/** A message with these records at the name of the question, uncompressed. */
function answerImage(
  query: Uint8Array,
  { questionEnd, qnameEnd }: Question,
  records: readonly LocalRecord[],
): Buffer {
  const owner = query.subarray(headerBytes, qnameEnd)
  const recordBytes = records.map(({ data }) => owner.length + recordFixedBytes + data.length)
  const image = Buffer.alloc(recordBytes.reduce((sum, bytes) => sum + bytes, questionEnd))
  image[2] = Flag1.qr | Flag1.aa
  image[3] = Flag2.ra
  image[5] = 1
  image[7] = records.length
  image.set(query.subarray(headerBytes, questionEnd), headerBytes)
  let at = questionEnd
  for (const { type, data } of records) {
    image.set(owner, at)
    const fixedAt = at + owner.length
    putU16(image, fixedAt, type)
    putU16(image, fixedAt + 2, RrClass.in)
    putU32(image, fixedAt + 4, ttlSeconds)
    putU16(image, fixedAt + 8, data.length)
    image.set(data, fixedAt + recordFixedBytes)
    at = fixedAt + recordFixedBytes + data.length
  }
  return image
}
