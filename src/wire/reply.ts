/**
 * Writes what a client gets: a stored image adapted to the client's question, or a short reply made from the question alone.
 * Everything goes into the caller's `out`; nothing is allocated.
 */
import { putU16, u8, u16 } from './bytes.ts'
import {
  EdnsOption,
  edeTexts,
  Flag1,
  Flag2,
  headerBytes,
  messageBytesMax,
  optFixedBytes,
  Rcode,
  RrType,
} from './constants.ts'
import type { Question } from './question.ts'
import { type AddressRun, addressRun, turnAddresses } from './rotation.ts'
import { truncate } from './truncate.ts'

/** How one reply differs from the plain one. Reused by its owner from packet to packet. */
export class ReplyShape {
  /** Longest reply that the client can take: its EDNS size or 512 over UDP, 65,535 over TCP. */
  bytesMax = messageBytesMax
  /** RFC 8914 extended error, or -1 for none. Sent only to clients with EDNS. */
  ede = -1
  /** EXTRA-TEXT in place of the one that the code has in `edeTexts`. */
  edeText: Buffer | undefined
  /** RFC 7828 idle timeout in units of 100 ms, or -1 for none. TCP only. */
  keepalive = -1
  /** Each reply has its addresses in another order. */
  rotates = false
  /** Order of the addresses of a message that is not stored. */
  turns = 0
}

/** UDP payload size that our own OPT announces (RFC 9715). */
const ednsPayloadBytes = 1232

/** Bytes of the OPT record that this reply will carry. */
function optBytes(question: Question, shape: ReplyShape): number {
  if (!question.hasEdns) return 0
  return optFixedBytes + edeBytes(shape) + (shape.keepalive >= 0 ? 4 + 2 : 0)
}

function edeBytes(shape: ReplyShape): number {
  return shape.ede < 0 ? 0 : 4 + 2 + (textOf(shape)?.length ?? 0)
}

function textOf({ ede, edeText }: ReplyShape): Buffer | undefined {
  return edeText ?? edeTexts.get(ede)
}

/** A message in a buffer that may hold others: `imageBytes` bytes from `imageAt` on. */
export interface StoredImage {
  readonly memory: Buffer
  readonly imageAt: number
  readonly imageBytes: number
  /** Its addresses. */
  readonly run: AddressRun
  /** Another number for each reply. */
  readonly turns: number
}

/** A turned message before it is cut. */
const turned = Buffer.allocUnsafeSlow(messageBytesMax)

/**
 * Copies an image and makes it this client's answer: its ID, its letter case, its RD and CD bits, an OPT record if it sent one,
 * no longer than it can take.
 * @param image TTLs already aged
 * @param query the client's packet, or at least its header and question
 * @param out at least `min(bytesMax, image.length + 32)` bytes
 * @returns bytes written
 */
export function writeReply(
  out: Buffer,
  image: Buffer,
  query: Uint8Array,
  question: Question,
  shape: ReplyShape,
): number {
  const run = shape.rotates ? addressRun(image) : 0
  const room = roomFor(out, question, shape)
  if (image.length > room) {
    return finish(out, cut(out, image, room, run, shape.turns), query, question, shape)
  }
  out.set(image)
  if (run !== 0) turnAddresses(out, image, 0, run, shape.turns)
  return finish(out, image.length, query, question, shape)
}

/** As `writeReply`, for a stored image. */
export function writeStored(
  out: Buffer,
  { memory, imageAt, imageBytes, run, turns }: StoredImage,
  query: Uint8Array,
  question: Question,
  shape: ReplyShape,
): number {
  const end = imageAt + imageBytes
  const order = shape.rotates ? run : 0
  const room = roomFor(out, question, shape)
  if (imageBytes > room) {
    const written = cut(out, memory.subarray(imageAt, end), room, order, turns)
    return finish(out, written, query, question, shape)
  }
  // 37 ns; `set` with a view made for it takes 50, and a loop 1 ns for each byte.
  memory.copy(out, 0, imageAt, end)
  if (order !== 0) turnAddresses(out, memory, imageAt, order, turns)
  return finish(out, imageBytes, query, question, shape)
}

/** Turned before it is cut, so that clients get different addresses. @returns bytes written */
function cut(out: Buffer, image: Buffer, room: number, run: AddressRun, turns: number): number {
  if (run === 0) return truncate(image, room, out)
  image.copy(turned)
  turnAddresses(turned, image, 0, run, turns)
  return truncate(turned.subarray(0, image.length), room, out)
}

/** Bytes available to a reply without its OPT record. */
function roomFor(out: Buffer, question: Question, shape: ReplyShape): number {
  return Math.min(shape.bytesMax, out.length) - optBytes(question, shape)
}

/** Adapts the image in the first `end` bytes of `out` to this client. @returns bytes of the reply */
function finish(
  out: Buffer,
  end: number,
  query: Uint8Array,
  question: Question,
  shape: ReplyShape,
): number {
  const { flags1, flags2 } = question
  // RFC 6840 5.7, 5.8: AD is for clients that asked for it, by DO or by AD in the query.
  const isAdWanted = question.dnssecOk || (flags2 & Flag2.ad) !== 0
  putU16(out, 0, question.id)
  out[2] = u8(out, 2) | (flags1 & Flag1.rd)
  out[3] = (isAdWanted ? u8(out, 3) : u8(out, 3) & ~Flag2.ad) | (flags2 & Flag2.cd)
  // The question has the same length in image and query, because the name is the same but for letter case. The type may differ,
  // because a denial of the whole name was made for another one (RFC 2308 5).
  for (let i = headerBytes; i < question.questionEnd; i++) out[i] = query[i] as number
  return question.hasEdns ? writeOpt(out, end, question, shape, Rcode.noerror) : end
}

/**
 * A reply without records: header, the question as far as it could be read, OPT if the client sent one.
 * @param rcode up to 4,095; values above 15 need EDNS (BADVERS has it by definition)
 */
export function writeShortReply(
  out: Buffer,
  query: Uint8Array,
  question: Question,
  rcode: number,
  shape: ReplyShape,
): number {
  const end = question.questionEnd === 0 ? headerBytes : question.questionEnd
  out.fill(0, 0, headerBytes)
  putU16(out, 0, question.id)
  // Opcode and RD are the client's (RFC 1035 4.1.1); Z and AD are ours and zero.
  out[2] = Flag1.qr | (question.flags1 & 0x79)
  // RFC 6895 2: RD and CD are copied. RA speaks of recursion, of which a message that is no question hears nothing, as from unbound.
  const isQuestion = rcode !== Rcode.formerr && rcode !== Rcode.notimp
  out[3] = (isQuestion ? Flag2.ra : 0) | (question.flags2 & Flag2.cd) | (rcode & 0x0f)
  putU16(out, 4, end > headerBytes ? 1 : 0)
  for (let i = headerBytes; i < end; i++) out[i] = query[i] as number
  return question.hasEdns ? writeOpt(out, end, question, shape, rcode) : end
}

/** Appends our OPT record; unknown options of the client are not echoed (RFC 6891 6.1.2). */
function writeOpt(
  out: Buffer,
  at: number,
  question: Question,
  shape: ReplyShape,
  rcode: number,
): number {
  putU16(out, 10, u16(out, 10) + 1)
  out[at] = 0
  putU16(out, at + 1, RrType.opt)
  putU16(out, at + 3, ednsPayloadBytes)
  out[at + 5] = rcode >>> 4
  out[at + 6] = 0
  putU16(out, at + 7, question.dnssecOk ? 0x8000 : 0)
  let end = at + optFixedBytes
  if (shape.ede >= 0) end = writeEde(out, end, shape)
  if (shape.keepalive >= 0) end = writeOption(out, end, EdnsOption.keepalive, shape.keepalive)
  putU16(out, at + 9, end - at - optFixedBytes)
  return end
}

/** RFC 8914 2. */
function writeEde(out: Buffer, at: number, shape: ReplyShape): number {
  const end = writeOption(out, at, EdnsOption.ede, shape.ede)
  const text = textOf(shape)
  if (text === undefined) return end
  putU16(out, at + 2, 2 + text.length)
  out.set(text, end)
  return end + text.length
}

function writeOption(out: Buffer, at: number, code: number, value: number): number {
  putU16(out, at, code)
  putU16(out, at + 2, 2)
  putU16(out, at + 4, value)
  return at + 6
}

/** Makes an image that sends a UDP client to TCP: no records, TC set. Send it with `writeReply`. */
export function truncatedImage(query: Uint8Array, question: Question): Buffer {
  const image = Buffer.alloc(question.questionEnd)
  image[2] = Flag1.qr | Flag1.tc
  image[3] = Flag2.ra
  image[5] = 1
  image.set(query.subarray(headerBytes, question.questionEnd), headerBytes)
  return image
}

/** A zone's SOA in the form that negative replies carry (RFC 2308 3). */
export interface SoaRecord {
  /** Uncompressed wire form. */
  readonly owner: Uint8Array
  /** RDATA with uncompressed names. */
  readonly data: Uint8Array
  readonly ttlSeconds: number
}

/**
 * Makes an image that says NXDOMAIN (or NODATA) with an SOA, for names that are answered without asking. Send it with
 * `writeReply` like a stored one.
 * @param rcode `Rcode.nxdomain` or `Rcode.noerror`
 */
export function negativeImage(
  query: Uint8Array,
  question: Question,
  rcode: number,
  soa: SoaRecord,
): Buffer {
  const at = question.questionEnd
  const typeAt = at + soa.owner.length
  const image = Buffer.alloc(typeAt + 10 + soa.data.length)
  image[2] = Flag1.qr | Flag1.aa
  image[3] = Flag2.ra | rcode
  image[5] = 1
  image[9] = 1
  image.set(query.subarray(headerBytes, at), headerBytes)
  image.set(soa.owner, at)
  putU16(image, typeAt, RrType.soa)
  putU16(image, typeAt + 2, question.qclass)
  putU16(image, typeAt + 4, Math.floor(soa.ttlSeconds / 0x1_0000))
  putU16(image, typeAt + 6, soa.ttlSeconds % 0x1_0000)
  putU16(image, typeAt + 8, soa.data.length)
  image.set(soa.data, typeAt + 10)
  return image
}
