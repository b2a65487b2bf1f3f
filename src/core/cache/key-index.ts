/**
 * Finds values by the bytes of their key, or by its string: each bucket is a chain of values. Doubles its buckets when there are
 * as many values as buckets. Bounds and evicts nothing.
 */

import { hashOfKey, type KeyBytes, wordsFor, wordsOf } from './key-bytes.ts'
import type { Storable } from './queue.ts'

const bucketBitsMin = 4

export class KeyIndex<V extends Storable> {
  size = 0
  private bucketBits = bucketBitsMin
  private buckets: (V | undefined)[] = emptyBuckets(bucketBitsMin)

  find(keys: KeyBytes): V | undefined {
    const { hash } = keys
    let value = this.buckets[hash >>> (32 - this.bucketBits)]
    while (value !== undefined && (value.keyHash !== hash || !value.hasKey(keys))) {
      value = value.nextInBucket
    }
    return value
  }

  /** @param nameHash of the key's name */
  findText(key: string, nameHash: number): V | undefined {
    const hash = hashOfKey(key, nameHash)
    let value = this.buckets[hash >>> (32 - this.bucketBits)]
    while (value !== undefined && value.keyHash !== hash) value = value.nextInBucket
    // Most look-ups by text are for what is not there: then the key's words are not needed.
    if (value === undefined) return undefined
    const words = wordsOf(key)
    const count = wordsFor(key.length)
    while (value !== undefined && (value.keyHash !== hash || !value.hasWords(words, count))) {
      value = value.nextInBucket
    }
    return value
  }

  /** No value may be stored under its key. */
  add(value: V): void {
    if (this.size === this.buckets.length) this.grow()
    this.size += 1
    value.keyHash = hashOfKey(value.key, value.hash)
    this.link(value)
  }

  /** The value must be stored. */
  remove(value: V): void {
    const bucket = value.keyHash >>> (32 - this.bucketBits)
    const { nextInBucket } = value
    let before = this.buckets[bucket]
    if (before === value) {
      this.buckets[bucket] = nextInBucket
    } else {
      while (before !== undefined && before.nextInBucket !== value) before = before.nextInBucket
      if (before !== undefined) before.nextInBucket = nextInBucket
    }
    value.nextInBucket = undefined
    this.size -= 1
  }

  private link(value: V): void {
    const bucket = value.keyHash >>> (32 - this.bucketBits)
    value.nextInBucket = this.buckets[bucket]
    this.buckets[bucket] = value
  }

  private grow(): void {
    const { buckets } = this
    this.bucketBits += 1
    this.buckets = emptyBuckets(this.bucketBits)
    for (const first of buckets) {
      let value = first
      while (value !== undefined) {
        const { nextInBucket } = value
        this.link(value)
        value = nextInBucket
      }
    }
  }
}

function emptyBuckets(bits: number): undefined[] {
  return new Array<undefined>(2 ** bits).fill(undefined)
}
