/**
 * Makes the query that goes upstream. It is our own message, not the client's: lower-cased qname, RD set, our OPT record (EDNS is
 * hop by hop, RFC 6891 6.1.1), and no other byte of the client's packet.
 */
import { putU16 } from './bytes.ts'
import { Flag1, Flag2, headerBytes, optFixedBytes, RrClass, RrType } from './constants.ts'
import { foldTable } from './name.ts'

export interface UpstreamQueryOptions {
  readonly dnssecOk: boolean
  readonly checkingDisabled: boolean
  /** Size that our OPT announces; 1232 keeps UDP answers unfragmented (RFC 9715). */
  readonly payloadBytes: number
  /** Options of our OPT in wire form (RFC 6891 6.1.2); absent: none. */
  readonly ednsOptions?: Uint8Array | undefined
}

/** @returns a fresh message with ID 0, RD=1, one question and one OPT record */
export function upstreamQuery(
  query: Uint8Array,
  questionEnd: number,
  options: UpstreamQueryOptions,
): Buffer {
  // From the shared pool: it lives for seconds at most, and the questions in flight are bounded. Its own allocation would cost 1
  // us.
  const { ednsOptions } = options
  const optionBytes = ednsOptions === undefined ? 0 : ednsOptions.length
  const frame = Buffer.allocUnsafe(questionEnd + optFixedBytes + optionBytes)
  clear(frame, 0, headerBytes)
  clear(frame, questionEnd, questionEnd + optFixedBytes)
  frame[2] = Flag1.rd
  frame[3] = options.checkingDisabled ? Flag2.cd : 0
  frame[5] = 1
  frame[11] = 1
  const qnameEnd = questionEnd - 4
  for (let i = headerBytes; i < qnameEnd; i++) frame[i] = foldTable[query[i] as number] as number
  for (let i = qnameEnd; i < questionEnd; i++) frame[i] = query[i] as number
  putU16(frame, questionEnd + 1, RrType.opt)
  putU16(frame, questionEnd + 3, options.payloadBytes)
  frame[questionEnd + 7] = options.dnssecOk ? 0x80 : 0
  if (ednsOptions === undefined) return frame
  putU16(frame, questionEnd + 9, optionBytes)
  frame.set(ednsOptions, questionEnd + optFixedBytes)
  return frame
}

/** For the few bytes of a header: `Buffer.fill` is a call into C++. */
function clear(bytes: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i++) bytes[i] = 0
}

/**
 * A query as a simple client would send it: ID 0, RD=1, no EDNS.
 * @param name folded wire form, one character a byte
 */
export function plainQuery(name: string, qtype: number): Buffer {
  const query = Buffer.alloc(headerBytes + name.length + 4)
  query[2] = Flag1.rd
  query[5] = 1
  query.write(name, headerBytes, 'latin1')
  putU16(query, headerBytes + name.length, qtype)
  putU16(query, headerBytes + name.length + 2, RrClass.in)
  return query
}

/**
 * A question of our own that follows from a client's: as `plainQuery`, with that question's DO and CD bits.
 * @param name folded wire form, one character a byte
 */
export function followUpQuery(
  name: string,
  qtype: number,
  { dnssecOk, checkingDisabled }: Pick<UpstreamQueryOptions, 'dnssecOk' | 'checkingDisabled'>,
): Buffer {
  const plain = plainQuery(name, qtype)
  if (checkingDisabled) plain[3] = Flag2.cd
  if (!dnssecOk) return plain
  const query = Buffer.alloc(plain.length + optFixedBytes)
  plain.copy(query)
  query[11] = 1
  putU16(query, plain.length + 1, RrType.opt)
  query[plain.length + 7] = 0x80
  return query
}

/** The same query for an upstream that answers FORMERR or NOTIMP to EDNS (RFC 6891 7). */
export function withoutOpt(frame: Buffer, questionEnd: number): Buffer {
  const plain = Buffer.alloc(questionEnd)
  frame.copy(plain, 0, 0, questionEnd)
  plain[11] = 0
  return plain
}

/** Letters below which random case proves nothing. Every reverse name has more. */
const lettersMin = 8

/**
 * The same query with the letters of its name in random case, at least one of them a capital.
 * @param random16 draws 16 bits
 * @returns undefined when the name has too few letters
 */
export function inRandomCase(
  frame: Buffer,
  questionEnd: number,
  random16: () => number,
): Buffer | undefined {
  const mixed = Buffer.from(frame)
  let letters = 0
  let bits = 0
  let firstAt = 0
  for (let i = headerBytes; i < questionEnd - 4; i++) {
    const byte = frame[i] as number
    if (byte < 0x61 || byte > 0x7a) continue
    if (letters === 0) firstAt = i
    if (letters % 16 === 0) bits = random16()
    if (((bits >>> (letters % 16)) & 1) === 1) mixed[i] = byte & ~0x20
    letters += 1
  }
  if (letters < lettersMin) return undefined
  if (mixed.equals(frame)) mixed[firstAt] = (frame[firstAt] as number) & ~0x20
  return mixed
}
