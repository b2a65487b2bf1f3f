/**
 * Checks whether a message answers the question that we asked. RFC 5452 4.2 and 9.1. A message that fails is no answer at all:
 * the caller drops it and goes on waiting, so that a bad packet that overtakes the good one does no harm.
 */
import { u8, u16 } from './bytes.ts'
import { Flag1, headerBytes, Opcode } from './constants.ts'
import { foldTable } from './name.ts'

/**
 * Compares everything but the ID, which the transport compares.
 * @param frame the query as sent (qname in lower case)
 * @param questionEnd bytes of header and question in `frame`
 */
export function matchesQuestion(
  reply: Uint8Array,
  replyBytes: number,
  frame: Uint8Array,
  questionEnd: number,
): boolean {
  if (replyBytes < questionEnd) return false
  const flags1 = u8(reply, 2)
  if ((flags1 & Flag1.qr) === 0 || ((flags1 >>> 3) & 0x0f) !== Opcode.query) return false
  if (u16(reply, 4) !== 1) return false
  const qnameEnd = questionEnd - 4
  // Label lengths are below 64, so folding never changes them.
  for (let i = headerBytes; i < qnameEnd; i++) {
    if (foldTable[u8(reply, i)] !== frame[i]) return false
  }
  return (
    u16(reply, qnameEnd) === u16(frame, qnameEnd) &&
    u16(reply, qnameEnd + 2) === u16(frame, qnameEnd + 2)
  )
}
