/**
 * Checks whether a message answers the question that we asked. RFC 5452 4.2 and 9.1. A message that fails is no answer at all:
 * the caller drops it and goes on waiting, so that a bad packet that overtakes the good one does no harm.
 */
import { putU16, u8, u16 } from './bytes.ts'
import { Flag1, headerBytes, Opcode, optFixedBytes, Rcode, RrType } from './constants.ts'
import { foldTable } from './name.ts'

/**
 * Compares everything but the ID, which the transport compares.
 * @param frame the query as sent
 * @param questionEnd bytes of header and question in `frame`
 */
export function matchesQuestion(
  reply: Uint8Array,
  replyBytes: number,
  frame: Uint8Array,
  questionEnd: number,
): boolean {
  if (replyBytes < questionEnd || !isResponse(reply)) return false
  if (u16(reply, 4) !== 1) return false
  const qnameEnd = questionEnd - 4
  // Label lengths are below 64, so folding never changes them.
  for (let i = headerBytes; i < qnameEnd; i++) {
    if (foldTable[u8(reply, i)] !== foldTable[u8(frame, i)]) return false
  }
  return (
    u16(reply, qnameEnd) === u16(frame, qnameEnd) &&
    u16(reply, qnameEnd + 2) === u16(frame, qnameEnd + 2)
  )
}

/**
 * What can be made of a reply that has our ID but not our question, or records that cannot be read: servers that do not know EDNS
 * send a bare header, with or without counts copied from the query (RFC 6891 7 demands the question), and a truncated reply may
 * end inside its question. A reply that says neither "truncated" nor that it could not handle the query says nothing.
 * @param reply at least a header
 * @returns header and question of our own with what the reply said, or undefined
 */
export function bareReply(
  reply: Uint8Array,
  frame: Uint8Array,
  questionEnd: number,
): Buffer | undefined {
  if (!isResponse(reply) || !mayBeOurs(reply, frame, questionEnd)) return undefined
  const rcode = bareRcode(reply)
  const isCut = rcode === Rcode.noerror && (u8(reply, 2) & Flag1.tc) !== 0
  if (!isCut && !isInability(rcode)) return undefined
  const whole = Buffer.alloc(questionEnd)
  whole.set(frame.subarray(headerBytes, questionEnd), headerBytes)
  putU16(whole, 0, u16(reply, 0))
  whole[2] = Flag1.qr | (isCut ? Flag1.tc : 0)
  whole[3] = rcode
  whole[5] = 1
  return whole
}

function isResponse(message: Uint8Array): boolean {
  const flags1 = u8(message, 2)
  return (flags1 & Flag1.qr) !== 0 && ((flags1 >>> 3) & 0x0f) === Opcode.query
}

/** Whether the question is missing, or ours as far as it goes. */
function mayBeOurs(reply: Uint8Array, frame: Uint8Array, questionEnd: number): boolean {
  if (u16(reply, 4) === 0) return true
  const end = Math.min(reply.length, questionEnd)
  for (let i = headerBytes; i < end; i++) {
    if (foldTable[u8(reply, i)] !== foldTable[u8(frame, i)]) return false
  }
  return true
}

/** RFC 6891 9: BADVERS in reply to version 0 means what FORMERR means. It stands in an OPT record, here without a question. */
function bareRcode(reply: Uint8Array): number {
  const rcode = u8(reply, 3) & 0x0f
  const hasOpt =
    u16(reply, 4) === 0 &&
    reply.length >= headerBytes + optFixedBytes &&
    u8(reply, headerBytes) === 0 &&
    u16(reply, headerBytes + 1) === RrType.opt
  const extended = hasOpt ? (u8(reply, headerBytes + 5) << 4) | rcode : rcode
  return extended === Rcode.badvers ? Rcode.formerr : rcode
}

/** REFUSED is not among them: it is about the asker or the name, and such a server knows how to repeat a question. */
function isInability(rcode: number): boolean {
  return rcode === Rcode.formerr || rcode === Rcode.notimp || rcode === Rcode.servfail
}
