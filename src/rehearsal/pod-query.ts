/** A pod's query with the reply that it got and the one that the instance gives. */
import { u8, u16 } from '../wire/bytes.ts'
import { Flag2, headerBytes } from '../wire/constants.ts'
import { foldTable } from '../wire/name.ts'
import { Question, readQuestion, Verdict } from '../wire/question.ts'

/** What the instance gave. */
export interface Given {
  readonly reply: Buffer
  /** Of `ReplySource`; negative while it is not known. */
  source: number
  readonly atMs: number
}

export interface PodQuery {
  readonly client: string
  readonly clientPort: number
  readonly family: 4 | 6
  readonly bytes: Buffer
  /** See `questionKey`. */
  readonly key: string
  readonly atMs: number
  reply: Buffer | undefined
  repliedMs: number
  given: Given | undefined
  /** No captured reply could be given to the instance when it would have asked for this query. */
  isUnfed: boolean
  /** The server answered it by asking another one, as far as that can be seen. */
  isFetch: boolean
}

const question = new Question()

/**
 * Name (folded wire form), type and class of a question, and the bits that make it another question to a server: DO and CD.
 * @returns undefined when there is no whole question
 */
export function questionKey(query: Buffer): string | undefined {
  if (readQuestion(query, query.length, question) !== Verdict.ask) return undefined
  return keyText(query, question.questionEnd, question.dnssecOk)
}

/** @param query at least header and question */
export function keyText(query: Buffer, questionEnd: number, dnssecOk: boolean): string {
  const folded = Buffer.from(query.subarray(headerBytes, questionEnd))
  for (let i = 0; i < folded.length - 4; i++) folded[i] = foldTable[folded[i] as number] as number
  const bits = (dnssecOk ? 2 : 0) + ((u8(query, 3) & Flag2.cd) === 0 ? 0 : 1)
  return folded.toString('latin1') + String(bits)
}

/** Name of a key, folded wire form, one character a byte. */
export function nameOf(key: string): string {
  return key.slice(0, -5)
}

export function typeOf(key: string): number {
  return u16(Buffer.from(key.slice(-5, -3), 'latin1'), 0)
}

/** The same name with another type, and the bits of `key`. */
export function withType(key: string, type: number): string {
  return nameOf(key) + String.fromCharCode(type >>> 8, type & 0xff) + key.slice(-3)
}
