/**
 * Numbers under names, in typed arrays: nothing of a name is an object of its own, so that the garbage collector has nothing to
 * copy or mark, however many names come and go. Names are put one behind another and given up all at once; bounds nothing itself.
 */
import { KeyBytes } from './key-bytes.ts'

const sizeMin = 16
const wordsMin = 16 * sizeMin

/** Of a name, and of what may stand before it. */
export const nameKeyBytesMax = 512

/** A folded name as bytes and words, with its hash; one at a time. */
export class NameKey extends KeyBytes {
  constructor() {
    super(nameKeyBytesMax)
  }

  /** @param name folded wire form, one character a byte; something that says where it ends may stand before it */
  read(name: string): this {
    this.write(name)
    this.hash = this.hashOfWords(this.wordCount)
    return this
  }
}

export class NameTable {
  /** Names that are there. */
  size = 0
  /** Places given out, those of removed names included. */
  used = 0
  private readonly fields: number
  /** First place of each bucket and the next one of each place, plus one; 0 is the end. */
  private heads = new Int32Array(sizeMin)
  private next = new Int32Array(sizeMin)
  private hashes = new Int32Array(sizeMin)
  /** Where each place's name begins in `words`, and after the last one where the next will. */
  private starts = new Int32Array(sizeMin + 1)
  private words = new Int32Array(wordsMin)
  private numbers: Float64Array

  /** @param fields numbers of each name */
  constructor(fields: number) {
    this.fields = fields
    this.numbers = new Float64Array(sizeMin * fields)
  }

  /** @returns the name's place, -1 when it is not there */
  find(key: NameKey): number {
    const { next, hashes } = this
    let place = (this.heads[this.bucketOf(key.hash)] as number) - 1
    while (place >= 0 && (hashes[place] !== key.hash || !this.isAt(place, key))) {
      place = (next[place] as number) - 1
    }
    return place
  }

  /** @returns the place of a name that is not there yet */
  add(key: NameKey): number {
    if (this.used === this.hashes.length) this.grow()
    const place = this.used
    const start = this.starts[place] as number
    const end = start + key.wordCount
    if (end > this.words.length) this.words = resized(this.words, this.words.length * 2)
    for (let i = start; i < end; i++) this.words[i] = key.words[i - start] as number
    this.starts[place + 1] = end
    this.hashes[place] = key.hash
    this.link(place)
    this.used += 1
    this.size += 1
    return place
  }

  /** Its place is not given out again before `clear`. */
  remove(key: NameKey): boolean {
    const place = this.find(key)
    if (place < 0) return false
    const { heads, next } = this
    const bucket = this.bucketOf(key.hash)
    const after = next[place] as number
    let before = heads[bucket] as number
    if (before === place + 1) heads[bucket] = after
    else {
      while (next[before - 1] !== place + 1) before = next[before - 1] as number
      next[before - 1] = after
    }
    this.size -= 1
    return true
  }

  get(place: number, field: number): number {
    return this.numbers[place * this.fields + field] as number
  }

  set(place: number, field: number, value: number): void {
    this.numbers[place * this.fields + field] = value
  }

  /** Gives all names up, and keeps the memory for the next ones. */
  clear(): void {
    this.heads.fill(0)
    this.size = 0
    this.used = 0
  }

  private isAt(place: number, { words, wordCount }: NameKey): boolean {
    const start = this.starts[place] as number
    if ((this.starts[place + 1] as number) - start !== wordCount) return false
    for (let i = 0; i < wordCount; i++) if (this.words[start + i] !== words[i]) return false
    return true
  }

  private bucketOf(hash: number): number {
    return (hash ^ (hash >>> 16)) & (this.heads.length - 1)
  }

  private link(place: number): void {
    const bucket = this.bucketOf(this.hashes[place] as number)
    this.next[place] = this.heads[bucket] as number
    this.heads[bucket] = place + 1
  }

  private grow(): void {
    const size = this.hashes.length * 2
    // Removed names are in no chain: only those are linked anew that are found.
    const isThere = this.places()
    this.hashes = resized(this.hashes, size)
    this.starts = resized(this.starts, size + 1)
    this.numbers = resized(this.numbers, size * this.fields)
    this.next = new Int32Array(size)
    this.heads = new Int32Array(size)
    for (const place of isThere) this.link(place)
  }

  private places(): Int32Array {
    const places = new Int32Array(this.size)
    let count = 0
    for (const head of this.heads) {
      for (let at = head; at > 0; at = this.next[at - 1] as number) places[count++] = at - 1
    }
    return places
  }
}

function resized<A extends Int32Array | Float64Array>(from: A, length: number): A {
  const to = from instanceof Int32Array ? new Int32Array(length) : new Float64Array(length)
  to.set(from)
  return to as A
}
