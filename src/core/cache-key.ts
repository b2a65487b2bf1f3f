/**
 * Which bits of a query split the cache: the folded qname as wire octets, type, class, DO and CD. Not the letter case, the
 * EDNS size, the transport or the client. DO and CD are in because an upstream answers them differently (signatures,
 * unvalidated data: CVE-2024-0874). Octets, not text: `a.b` as one label is another name than `a`, `b`.
 */
import { headerBytes, nameBytesMax } from '../wire/constants.ts'
import { foldTable } from '../wire/name.ts'
import type { Question } from '../wire/question.ts'

const suffixBytes = 5
/** DO and CD. */
const dnssecBits = 3
const byNameBit = 4

/** Hash of a folded qname, as in `CacheKeys.nameHash`. @param name octets, one character each */
export function hashOf(name: string): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return hash
}

/** 2 ** 32 divided by the golden ratio (Knuth, TAOCP 6.4). */
const hashMultiplier = 0x9e3779b1

/** A name's hash with all its bits in the upper ones (Fibonacci hashing): its lowest are hardly more than a sum of the octets. Signed. */
export function spread(hash: number): number {
  return Math.imul(hash, hashMultiplier)
}

/** The qname that a key is about, folded, one character an octet. */
export function nameIn(key: string): string {
  return key.slice(0, -suffixBytes)
}

/** The question's type that a key is about. */
export function typeIn(key: string): number {
  const at = key.length - suffixBytes
  return (key.charCodeAt(at) << 8) | key.charCodeAt(at + 1)
}

/** Whether a key is of a question without DO and CD. */
export function isPlain(key: string): boolean {
  return (key.charCodeAt(key.length - 1) & dnssecBits) === 0
}

/** Key of everything there is at the name of a key, as `CacheKeys.wholeName` makes it. */
export function wholeNameKeyOf(key: string): string {
  const at = key.length - suffixBytes
  const bits = key.charCodeAt(at + 4) | byNameBit
  return `${key.slice(0, at)}\0\0${key.slice(at + 2, at + 4)}${String.fromCharCode(bits)}`
}

/** Key of another question about a name. @param like key of the question that it is to be like, but for its type */
export function keyLike(like: string, name: string, qtype: number): string {
  const type = String.fromCharCode(qtype >>> 8, qtype & 0xff)
  return `${name}${type}${like.slice(2 - suffixBytes)}`
}

/** Makes keys in one scratch buffer; the strings are one-byte strings, cheap to hash and compare. */
export class CacheKeys {
  /** Hash of the folded qname alone, of the last key made; 32 bits, signed. */
  nameHash = 0
  /** Octets of `name`. */
  nameBytes = 0
  private readonly scratch = Buffer.allocUnsafeSlow(nameBytesMax + suffixBytes)

  /** Key of exactly this question. */
  exact(query: Uint8Array, question: Question): string {
    this.readName(query, question)
    return this.finish(question, question.qtype, 0)
  }

  /** The folded qname of the last `exact`, `nameBytes` octets long; a view that the next call overwrites. */
  get name(): Buffer {
    return this.scratch
  }

  /** Key of another type of the same name. After `exact`. */
  otherType(question: Question, qtype: number): string {
    return this.finish(question, qtype, 0)
  }

  /** Key of everything there is at this name, for answers that hold whatever the type (RFC 2308 5). After `exact`. */
  wholeName(question: Question): string {
    return this.finish(question, 0, byNameBit)
  }

  private readName(query: Uint8Array, question: Question): void {
    const { scratch } = this
    let hash = 0
    let to = 0
    for (let from = headerBytes; from < question.qnameEnd; from++) {
      const octet = foldTable[query[from] as number] as number
      hash = (Math.imul(hash, 31) + octet) | 0
      scratch[to++] = octet
    }
    this.nameHash = hash
    this.nameBytes = to
  }

  private finish(question: Question, qtype: number, extra: number): string {
    const { scratch, nameBytes } = this
    scratch[nameBytes] = qtype >>> 8
    scratch[nameBytes + 1] = qtype & 0xff
    scratch[nameBytes + 2] = question.qclass >>> 8
    scratch[nameBytes + 3] = question.qclass & 0xff
    const bits = (question.dnssecOk ? 1 : 0) | (question.checkingDisabled ? 2 : 0) | extra
    scratch[nameBytes + 4] = bits
    return scratch.toString('latin1', 0, nameBytes + suffixBytes)
  }
}
