/**
 * Things by their key, for those that come and go with each question. Not a Map: V8 replaces a Map's table every few of them, each dead
 * table points to the next, and once one is in the old space so is all that was there whenever a table was replaced, until the next
 * major collection. A Map also enters each key into V8's table of strings, in the old space. Bounds nothing.
 */
import { hashOf } from '../cache/key-bytes.ts'

const bucketsMin = 64

export interface Keyed {
  /** One character a byte. */
  readonly key: string
}

interface Place<T> {
  readonly value: T
  readonly hash: number
  next: Place<T> | undefined
}

export class KeyTable<T extends Keyed> {
  size = 0
  private buckets = emptyBuckets<T>(bucketsMin)

  get(key: string): T | undefined {
    // The usual case where hits are many.
    return this.size === 0 ? undefined : this.find(key, hashOf(key))?.value
  }

  /** No other value has its key. */
  add(value: T): void {
    if (this.size === this.buckets.length) this.grow()
    this.link({ value, hash: hashOf(value.key), next: undefined })
    this.size += 1
  }

  /** @returns whether it was there */
  remove(value: T): boolean {
    const bucket = this.bucketOf(hashOf(value.key))
    let before: Place<T> | undefined
    let place = this.buckets[bucket]
    while (place !== undefined && place.value !== value) {
      before = place
      place = place.next
    }
    if (place === undefined) return false
    if (before === undefined) this.buckets[bucket] = place.next
    else before.next = place.next
    // A dead place must not keep a young one alive.
    place.next = undefined
    this.size -= 1
    return true
  }

  all(): T[] {
    const all: T[] = []
    for (const first of this.buckets)
      for (let place = first; place !== undefined; place = place.next) all.push(place.value)
    return all
  }

  private find(key: string, hash: number): Place<T> | undefined {
    let place = this.buckets[this.bucketOf(hash)]
    while (place !== undefined && (place.hash !== hash || place.value.key !== key))
      place = place.next
    return place
  }

  private bucketOf(hash: number): number {
    return (hash ^ (hash >>> 16)) & (this.buckets.length - 1)
  }

  private link(place: Place<T>): void {
    const bucket = this.bucketOf(place.hash)
    place.next = this.buckets[bucket]
    this.buckets[bucket] = place
  }

  private grow(): void {
    const { buckets } = this
    this.buckets = emptyBuckets<T>(buckets.length * 2)
    for (const first of buckets) {
      for (let place = first; place !== undefined; ) {
        const { next } = place
        this.link(place)
        place = next
      }
    }
  }
}

function emptyBuckets<T>(count: number): (Place<T> | undefined)[] {
  return new Array<Place<T> | undefined>(count).fill(undefined)
}
