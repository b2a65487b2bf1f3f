/**
 * Values of one standing in the order in which they came, first in line first to go (FIFO; the second chance is the shard's to give).
 * Their octets lie in the same order, so that memory becomes free at the end where the line is served. A value that was taken away
 * keeps its place, and is accounted, until its turn.
 */

import { type KeyBytes, wordsFor, wordsOf } from './key-bytes.ts'
import { CacheMemory } from './memory.ts'

/** Why a value is where it is. */
export const Standing = {
  /** Not stored, or not any more. */
  none: 0,
  /** Not asked for again yet. */
  fresh: 1,
  /** It has been found in use. */
  proven: 2,
} as const
export type Standing = (typeof Standing)[keyof typeof Standing]

/** What the store needs of a value, and what it notes on it: a value is in one store at most. */
export abstract class Storable {
  // V8 lays fields out in this order. Those of a hit are together, since 100,000 values do not lie in the CPU's cache and each of its
  // lines has to be fetched.
  /** @internal Hash of the whole key. */
  keyHash = 0
  /** @internal */
  nextInBucket: this | undefined = undefined
  /** Not read off `key`, for the same reason. */
  private readonly keyWordCount: number
  /** Chunk that holds the key's octets, and where in it, counted in words. */
  private keyWords: Int32Array | undefined = undefined
  private keyAt = 0
  /** @internal Look-ups that found it since it came into its line, up to what is needed to stay. */
  uses = 0
  /** Counted apart from each other, and with a budget of their own while they are new. */
  readonly isDenial: boolean
  /** @internal */
  standing: Standing = Standing.none
  readonly key: string
  /** Hash of the key; picks the shard. The same at each call for the same key. */
  readonly hash: number
  /** Octets this value is accounted with. */
  readonly bytes: number
  /** @internal The next in line. */
  next: this | undefined = undefined

  constructor(key: string, hash: number, bytes: number, isDenial: boolean) {
    this.key = key
    this.hash = hash
    this.bytes = bytes
    this.isDenial = isDenial
    this.keyWordCount = wordsFor(key.length)
  }

  /** The value comes into a line: its octets are to be kept in that one's memory. */
  settle(memory: CacheMemory): void {
    const { keyWords, keyAt, key, keyWordCount } = this
    this.keyAt = memory.keepWords(keyWords ?? wordsOf(key), keyAt, keyWordCount)
    this.keyWords = memory.words
  }

  /** @internal Of a stored value. */
  hasKey({ words, wordCount }: KeyBytes): boolean {
    const { keyWords, keyAt } = this
    if (keyWords === undefined || this.keyWordCount !== wordCount) return false
    for (let i = 0; i < wordCount; i++) {
      if (keyWords[keyAt + i] !== words[i]) return false
    }
    return true
  }
}

export class CacheQueue<V extends Storable> {
  /** Those that are stored. */
  entries = 0
  /** Those that are gone included, until their turn. */
  heldBytes = 0
  private goneBytes = 0
  private readonly memory = new CacheMemory()
  private first: V | undefined
  private last: V | undefined

  push(value: V): void {
    // It may come from another line, of a store that is made anew.
    value.next = undefined
    if (this.last === undefined) this.first = value
    else this.last.next = value
    this.last = value
    this.entries += 1
    this.heldBytes += value.bytes
    value.settle(this.memory)
  }

  /** Takes the first in line out. @returns undefined when that one was gone already, or nobody is there */
  shift(): V | undefined {
    const { first } = this
    if (first === undefined) return undefined
    this.first = first.next
    // An old object that nobody needs must not keep those behind it.
    first.next = undefined
    if (this.first === undefined) this.last = undefined
    this.heldBytes -= first.bytes
    if (first.standing === Standing.none) {
      this.goneBytes -= first.bytes
      return undefined
    }
    this.entries -= 1
    return first
  }

  /** The value is gone, though still in line. When most of those in line are, they are sent away. */
  lose(value: V): void {
    value.standing = Standing.none
    this.entries -= 1
    this.goneBytes += value.bytes
    if (2 * this.goneBytes > this.heldBytes) this.tidy()
  }

  /** In line order. */
  *all(): Generator<V> {
    for (let value = this.first; value !== undefined; value = value.next) {
      if (value.standing !== Standing.none) yield value
    }
  }

  private tidy(): void {
    const { last } = this
    let isLast = false
    while (!isLast) {
      isLast = this.first === last
      const value = this.shift()
      if (value !== undefined) this.push(value)
    }
  }
}
