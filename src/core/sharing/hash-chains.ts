/**
 * The chains of a hash table, through links of its members' own: for what comes and goes with each question. Not a Map: V8 replaces a
 * Map's table every few of them, each dead table points to the next, and once one is in the old space so is all that was there whenever a
 * table was replaced, until the next major collection. A Map also enters each key into V8's table of strings, in the old space. Knows no
 * keys: who looks something up compares them. Bounds nothing.
 */

const bucketsMin = 16

/** What a table needs of its members. Each is in one table at a time. */
export interface HashChained<T> {
  /** Of its key; 32 bits, the same for as long as it is in a table. */
  readonly keyHash: number
  /** @internal Only the table changes it. */
  nextInBucket: T | undefined
}

export class HashChains<T extends HashChained<T>> {
  size = 0
  private buckets = emptyBuckets<T>(bucketsMin)

  /** No other member has its key. */
  add(member: T): void {
    if (this.size === this.buckets.length) this.grow()
    this.link(member)
    this.size += 1
  }

  /** @returns whether it was there */
  remove(member: T): boolean {
    const { buckets } = this
    const bucket = this.bucketOf(member.keyHash)
    let before: T | undefined
    let found = buckets[bucket]
    while (found !== undefined && found !== member) {
      before = found
      found = found.nextInBucket
    }
    if (found === undefined) return false
    if (before === undefined) buckets[bucket] = member.nextInBucket
    else before.nextInBucket = member.nextInBucket
    // A dead member must not keep a young one alive.
    member.nextInBucket = undefined
    this.size -= 1
    return true
  }

  /** False when no member has the key of that hash, so that it need not be made. */
  mayHave(hash: number): boolean {
    let member = this.firstFor(hash)
    while (member !== undefined && member.keyHash !== hash) member = member.nextInBucket
    return member !== undefined
  }

  all(): T[] {
    const all: T[] = []
    for (const first of this.buckets)
      for (let member = first; member !== undefined; member = member.nextInBucket) all.push(member)
    return all
  }

  /** The first of those among which a member with that hash is, if there is one; `nextInBucket` leads to the others. */
  protected firstFor(hash: number): T | undefined {
    return this.buckets[this.bucketOf(hash)]
  }

  private bucketOf(hash: number): number {
    return (hash ^ (hash >>> 16)) & (this.buckets.length - 1)
  }

  private link(member: T): void {
    const bucket = this.bucketOf(member.keyHash)
    member.nextInBucket = this.buckets[bucket]
    this.buckets[bucket] = member
  }

  private grow(): void {
    const { buckets } = this
    this.buckets = emptyBuckets<T>(buckets.length * 2)
    for (const first of buckets) {
      for (let member = first; member !== undefined; ) {
        const { nextInBucket } = member
        this.link(member)
        member = nextInBucket
      }
    }
  }
}

function emptyBuckets<T>(count: number): (T | undefined)[] {
  return new Array<T | undefined>(count).fill(undefined)
}
