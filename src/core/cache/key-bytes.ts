/**
 * A cache key as bytes, hashed and compared four at a time: on the hit path a string costs three times as much as the look-up,
 * because V8 has to make, hash and intern it (docs/decisions/0027). A name, then type, class and bits as in core/cache/key.ts;
 * zeros up to the next word. Keys are equal when their words are: a name ends with its root label, so it cannot run into the
 * suffix.
 */
import { nameBytesMax } from '../../wire/constants.ts'

/** Type, class, and a byte of bits. */
export const suffixBytes = 5
export const keyBytesMax = nameBytesMax + suffixBytes

/** @returns the number of words that this many bytes of a key take */
export function wordsFor(octets: number): number {
  return (octets + 3) >>> 2
}

/** Secret of this process: with it, a client could ask for names that all fall into one bucket. */
const seed = (Math.random() * 2 ** 32) | 0
const multiplier = (Math.random() * 2 ** 32) | 1

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, multiplier)
  // Multiplying carries upwards only.
  return product ^ (product >>> 15)
}

/** @returns the end of the suffix */
export function writeSuffix(
  octets: Uint8Array,
  at: number,
  typeAndClass: number,
  bits: number,
): number {
  octets[at] = typeAndClass >>> 24
  octets[at + 1] = (typeAndClass >>> 16) & 0xff
  octets[at + 2] = (typeAndClass >>> 8) & 0xff
  octets[at + 3] = typeAndClass & 0xff
  octets[at + 4] = bits
  return at + suffixBytes
}

/** Hash of the key of a name with that hash. @param typeAndClass as in `writeSuffix` */
export function suffixHash(nameHash: number, typeAndClass: number, bits: number): number {
  return mixed(mixed(nameHash, typeAndClass), bits)
}

/** Holds one key at a time. */
export class KeyBytes {
  /** The key; `bytes` of them are valid. */
  readonly octets: Buffer
  /** The same bytes as `wordCount` words, the last one filled with zeros. In the machine's byte order. */
  readonly words: Int32Array
  bytes = 0
  nameBytes = 0
  /** Hash of the folded qname alone; 32 bits, signed. */
  nameHash = 0
  /** Hash of the whole key; 32 bits, signed. */
  hash = 0

  /** @param octetsMax of the longest key */
  constructor(octetsMax = keyBytesMax) {
    // One word more: zeros are written up to three bytes past the end.
    const memory = new ArrayBuffer(4 * (wordsFor(octetsMax) + 1))
    this.octets = Buffer.from(memory)
    this.words = new Int32Array(memory)
  }

  get wordCount(): number {
    return wordsFor(this.bytes)
  }

  /** Takes the bytes of a key as they are, and makes no hashes. @param key one character a byte */
  write(key: string): void {
    const { octets } = this
    this.bytes = octets.write(key, 'latin1')
    fillWord(octets, this.bytes)
  }

  /**
   * Appends type (the upper half of `typeAndClass`), class and bits to the name.
   * @param nameBytes bytes of the folded name, which is already there
   */
  protected finish(nameBytes: number, typeAndClass: number, bits: number): void {
    const { octets } = this
    this.nameBytes = nameBytes
    fillWord(octets, nameBytes)
    this.nameHash = this.hashOfWords(wordsFor(nameBytes))
    this.bytes = writeSuffix(octets, nameBytes, typeAndClass, bits)
    fillWord(octets, this.bytes)
    this.hash = suffixHash(this.nameHash, typeAndClass, bits)
  }

  /** Hash of the first `count` words. */
  hashOfWords(count: number): number {
    const { words } = this
    let hash = seed
    for (let i = 0; i < count; i++) hash = mixed(hash, words[i] as number)
    return hash
  }
}

/** Zeros up to the next word. */
function fillWord(octets: Uint8Array, from: number): void {
  octets[from] = 0
  octets[from + 1] = 0
  octets[from + 2] = 0
}

const scratch = new KeyBytes()

/** Hash of a folded qname, as in `KeyBytes.nameHash`. @param name one character a byte */
export function hashOf(name: string): number {
  scratch.write(name)
  return scratch.hashOfWords(scratch.wordCount)
}

/** Hash of a whole key, as in `KeyBytes.hash`. @param nameHash of its name */
export function hashOfKey(key: string, nameHash: number): number {
  const at = key.length - suffixBytes
  const octet = (i: number) => key.charCodeAt(at + i)
  const typeAndClass = (octet(0) << 24) | (octet(1) << 16) | (octet(2) << 8) | octet(3)
  return suffixHash(nameHash, typeAndClass, octet(4))
}

/** @returns the words of a key; the next call overwrites them. @param key one character a byte */
export function wordsOf(key: string): Int32Array {
  scratch.write(key)
  return scratch.words
}

/** @returns the key whose words lie in a chunk. @param at in words */
export function textOf(words: Int32Array, at: number, octets: number): string {
  return Buffer.from(words.buffer, words.byteOffset + 4 * at, octets).toString('latin1')
}
