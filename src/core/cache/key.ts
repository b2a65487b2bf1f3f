/**
 * Which bits of a query split the cache: the folded qname as wire bytes, type, class, DO and CD; never the letter case, the EDNS
 * size, the transport or the client. DO and CD count because an upstream answers them differently (signatures, unvalidated data:
 * CVE-2024-0874). Bytes, not text: `a.b` as one label is another name than `a`, `b`.
 */
import { headerBytes } from '../../wire/constants.ts'
import { foldTable } from '../../wire/name.ts'
import type { Question } from '../../wire/question.ts'
import { KeyBytes, keyBytesMax, suffixBytes, suffixHash, writeSuffix } from './key-bytes.ts'

/** DO and CD. */
const dnssecBits = 3

/** 2 ** 32 divided by the golden ratio (Knuth, TAOCP 6.4). */
const hashMultiplier = 0x9e3779b1

/**
 * Moves all bits of a name's hash into its upper bits (Fibonacci hashing): the lowest are hardly more than a sum of the bytes.
 * Signed.
 */
export function spread(hash: number): number {
  return Math.imul(hash, hashMultiplier)
}

/** The key's qname, folded, one character a byte. */
export function nameIn(key: string): string {
  return key.slice(0, -suffixBytes)
}

/** The key's question type. */
export function typeIn(key: string): number {
  const at = key.length - suffixBytes
  return (key.charCodeAt(at) << 8) | key.charCodeAt(at + 1)
}

/** What the key's question says about DNSSEC. */
export function bitsIn(key: string): { dnssecOk: boolean; checkingDisabled: boolean } {
  const bits = key.charCodeAt(key.length - 1)
  return { dnssecOk: (bits & 1) !== 0, checkingDisabled: (bits & 2) !== 0 }
}

/** Whether the key's question has neither DO nor CD. */
export function isPlain(key: string): boolean {
  return (key.charCodeAt(key.length - 1) & dnssecBits) === 0
}

/** Key of another question about a name. @param like key of a question to copy everything but name and type from */
export function keyLike(like: string, name: string, qtype: number): string {
  const type = String.fromCharCode(qtype >>> 8, qtype & 0xff)
  return `${name}${type}${like.slice(2 - suffixBytes)}`
}

/** Hash of the key that `keyLike` makes. @param nameHash of its name */
export function hashLike(like: string, nameHash: number, qtype: number): number {
  const at = like.length - suffixBytes + 2
  const qclass = (like.charCodeAt(at) << 8) | like.charCodeAt(at + 1)
  return suffixHash(nameHash, joined(qtype, qclass), like.charCodeAt(at + 2))
}

/**
 * The key of one question at a time. Look-ups use the key's bytes; a string is made only where a key has to be kept. The function
 * that reads a question into a key passes that key on as an argument: nothing of it is remembered elsewhere.
 */
export class QuestionKey extends KeyBytes {
  private readonly scratch = Buffer.allocUnsafeSlow(keyBytesMax)
  private qclass = 0
  private bits = 0
  private keptText: string | undefined
  private keptName: string | undefined

  /** Reads the key of exactly this question. */
  read(query: Uint8Array, question: Question): this {
    const { octets } = this
    const { qnameEnd, qclass } = question
    let to = 0
    for (let from = headerBytes; from < qnameEnd; from++) {
      octets[to++] = foldTable[query[from] as number] as number
    }
    this.qclass = qclass
    this.bits = bitsOf(question)
    this.keptText = undefined
    this.keptName = undefined
    this.finish(to, joined(question.qtype, qclass), this.bits)
    return this
  }

  /** The folded qname, `nameBytes` bytes long; a view that the next `read` overwrites. */
  get name(): Buffer {
    return this.octets
  }

  /** The folded qname, one character a byte. */
  nameText(): string {
    this.keptName ??= this.octets.toString('latin1', 0, this.nameBytes)
    return this.keptName
  }

  /** The whole key, one character a byte: a miss is asked and stored under it. */
  text(): string {
    this.keptText ??= this.octets.toString('latin1', 0, this.bytes)
    return this.keptText
  }

  /** Hash of the key that `ofType` makes; 32 bits, signed. */
  hashOfType(qtype: number): number {
    return suffixHash(this.nameHash, joined(qtype, this.qclass), this.bits)
  }

  /** Key of another type of the same name. */
  ofType(qtype: number): string {
    const { scratch, octets, nameBytes, qclass, bits } = this
    octets.copy(scratch, 0, 0, nameBytes)
    const end = writeSuffix(scratch, nameBytes, joined(qtype, qclass), bits)
    return scratch.toString('latin1', 0, end)
  }
}

function joined(qtype: number, qclass: number): number {
  return (qtype << 16) | qclass
}

function bitsOf(question: Question): number {
  return (question.dnssecOk ? 1 : 0) | (question.checkingDisabled ? 2 : 0)
}
