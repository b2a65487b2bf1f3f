/**
 * FIFO of stored values that share a standing (the shard gives second chances). Their bytes lie in the same order, so that memory
 * is freed at the end where values leave. A value that was removed keeps its place, and is accounted, until its turn. Evicts
 * nothing itself.
 */

import { type KeyBytes, textOf, wordsFor, wordsOf } from './key-bytes.ts'
import { CacheMemory } from './memory.ts'

/** Which queue a value belongs to. */
export const Standing = {
  /** Not stored, or no longer. */
  none: 0,
  /** Not asked for again yet. */
  fresh: 1,
  /** It was asked for again. */
  proven: 2,
} as const
export type Standing = (typeof Standing)[keyof typeof Standing]

/** What the store needs of a value, and the fields it keeps on it: a value is in one store at most. */
export abstract class Storable {
  // V8 lays fields out in this order. Those that a hit reads are together, because 100,000 values do not fit into the CPU's cache
  // and each cache line has to be fetched.
  /** @internal Hash of the whole key. */
  keyHash = 0
  /** @internal */
  nextInBucket: this | undefined = undefined
  private keyBytes: number
  /** Chunk that holds the key's bytes, and their offset in words. */
  private keyWords: Int32Array | undefined = undefined
  private keyAt = 0
  /** @internal Look-ups that found it since it was queued, up to the number that keeps it. */
  uses = 0
  /** Denials are counted separately, and have their own budget while they are new. */
  isDenial: boolean
  /** Somebody keeps it for longer than the present call: it is used for no other key, and takes its bytes along when it leaves. */
  isHeld = false
  /** @internal */
  standing: Standing = Standing.none
  /** Until the value is queued; then the key is in the queue's memory, where it takes a third of what a string does. */
  private newKey: string | undefined
  /** Hash of the key; picks the shard. The same at each call for the same key. */
  hash: number
  /** Bytes that the value is accounted with. */
  bytes: number
  /** @internal The next value of the queue. */
  next: this | undefined = undefined

  constructor(key: string, hash: number, bytes: number, isDenial: boolean) {
    this.newKey = key
    this.keyBytes = key.length
    this.hash = hash
    this.bytes = bytes
    this.isDenial = isDenial
  }

  /** Makes another value of one that has left its store. */
  protected begin(key: string, hash: number, bytes: number, isDenial: boolean): void {
    this.newKey = key
    this.keyBytes = key.length
    this.hash = hash
    this.bytes = bytes
    this.isDenial = isDenial
    this.uses = 0
  }

  /** One character a byte. Made anew at each call. */
  get key(): string {
    const { newKey, keyWords, keyAt, keyBytes } = this
    return newKey ?? textOf(keyWords as Int32Array, keyAt, keyBytes)
  }

  /** Called when the value is queued: moves its bytes to the queue's memory. */
  settle(memory: CacheMemory): void {
    const { newKey, keyWords, keyAt, keyBytes } = this
    const count = wordsFor(keyBytes)
    this.keyAt =
      newKey === undefined
        ? memory.keepWords(keyWords as Int32Array, keyAt, count)
        : memory.keepWords(wordsOf(newKey), 0, count)
    this.keyWords = memory.words
    this.newKey = undefined
  }

  /** Takes its bytes out of the queue's memory. */
  detach(): void {
    this.newKey = this.key
  }

  /** @internal Where the key's bytes are. */
  get words(): Int32Array | undefined {
    return this.keyWords
  }

  /** @internal Only for a stored value. */
  hasKey({ words, wordCount }: KeyBytes): boolean {
    return this.hasWords(words, wordCount)
  }

  /** @internal As `hasKey`, by the key's words. */
  hasWords(words: Int32Array, wordCount: number): boolean {
    const { keyWords, keyAt } = this
    if (keyWords === undefined || wordsFor(this.keyBytes) !== wordCount) return false
    for (let i = 0; i < wordCount; i++) {
      if (keyWords[keyAt + i] !== words[i]) return false
    }
    return true
  }
}

export class CacheQueue<V extends Storable> {
  /** Stored values. */
  entries = 0
  /** Including removed values, until their turn. */
  heldBytes = 0
  private goneBytes = 0
  private readonly memory = new CacheMemory()
  private first: V | undefined
  private last: V | undefined

  push(value: V): void {
    // Set when the value comes from another queue, of a store that is being rebuilt.
    value.next = undefined
    if (this.last === undefined) this.first = value
    else this.last.next = value
    this.last = value
    this.entries += 1
    this.heldBytes += value.bytes
    value.settle(this.memory)
    // Not when a value leaves: then it may be on its way to the end, with its bytes still where they were.
    this.memory.release(this.first?.words)
  }

  /** Removes the head. @returns undefined when that value was removed before, or the queue is empty */
  shift(): V | undefined {
    const { first } = this
    if (first === undefined) return undefined
    this.first = first.next
    // An unreferenced old value must not keep later ones alive.
    first.next = undefined
    if (this.first === undefined) this.last = undefined
    this.heldBytes -= first.bytes
    if (first.isHeld) first.detach()
    if (first.standing === Standing.none) {
      this.goneBytes -= first.bytes
      return undefined
    }
    this.entries -= 1
    return first
  }

  /** Removes a value that stays queued until its turn. When most queued bytes belong to such values, the queue is compacted. */
  lose(value: V): void {
    value.standing = Standing.none
    this.entries -= 1
    this.goneBytes += value.bytes
    if (2 * this.goneBytes > this.heldBytes) this.tidy()
  }

  /** In queue order. */
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
