/**
 * A map bounded in entries and in bytes. Spreads its keys over shards (core/cache/shard.ts), because one large Map would block
 * the loop while it grows. Reads no clock.
 */
import { spread } from './key.ts'
import type { KeyBytes } from './key-bytes.ts'
import type { Storable } from './queue.ts'
import { CacheShard } from './shard.ts'

export interface StoreLimits {
  readonly entriesMax: number
  readonly bytesMax: number
  /** Share of both limits for denials that were not asked for again; answers may use what denials leave. */
  readonly denialPercent: number
}

export interface StoreCounts {
  success: number
  denial: number
}

const shardsMax = 64
const entriesPerShardMin = 64
/** Room for the largest possible message and its overhead, so that no answer is refused because of the number of shards. */
const bytesPerShardMin = 262_144

export class CacheStore<V extends Storable> {
  entries = 0
  bytes = 0
  limits: StoreLimits
  readonly present: StoreCounts = { success: 0, denial: 0 }
  /** Values evicted since the store was made. */
  readonly evicted: StoreCounts = { success: 0, denial: 0 }
  private shards: CacheShard<V>[] = []
  /** Limit of one shard. */
  private bytesMax = 0

  /** Called with each value that is evicted. */
  private readonly onEvicted: (value: V) => void

  constructor(limits: StoreLimits, onEvicted: (value: V) => void = () => undefined) {
    this.limits = limits
    this.onEvicted = onEvicted
    this.makeShards()
  }

  /** Finds a value, and counts a use. */
  get(key: KeyBytes): V | undefined {
    return this.shardOf(key.nameHash).get(key)
  }

  /** As `get`, by a key as text. @param hash as in the value's own `hash` */
  getText(key: string, hash: number): V | undefined {
    return this.shardOf(hash).getText(key, hash)
  }

  /** Finds a value without counting a use. */
  peek(key: string, hash: number): V | undefined {
    return this.shardOf(hash).peek(key, hash)
  }

  /** False when no value has the key of that hash. @param hash as in the value's own `hash` */
  mayHave(hash: number, keyHash: number): boolean {
    return this.shardOf(hash).mayHave(keyHash)
  }

  /** @returns false when the value alone is too large to be kept; the previous value under its key is gone then, too */
  set(value: V): boolean {
    const { key, hash } = value
    const before = this.peek(key, hash)
    if (before !== undefined) {
      // A refreshed answer is as popular as the one it replaces.
      value.uses = before.uses
      value.standing = before.standing
      this.delete(key, hash)
    }
    return this.add(value)
  }

  /** As `set`, for a key that holds no value. */
  add(value: V): boolean {
    if (value.bytes > this.bytesMax) return false
    this.shardOf(value.hash).add(value)
    this.count(value, 1)
    return true
  }

  delete(key: string, hash: number): void {
    const value = this.shardOf(hash).take(key, hash)
    if (value !== undefined) this.count(value, -1)
  }

  /** All values, in each shard roughly in eviction order. */
  *all(): Generator<V> {
    for (const shard of this.shards) yield* shard.all()
  }

  /** As `all`, shard by shard; a shard's values are those of the moment in which it is asked for. */
  *parts(): Generator<readonly V[]> {
    for (const shard of this.shards) yield [...shard.all()]
  }

  /** Applies new limits, and keeps as many values as they allow. Costs one pass over all entries. */
  resize(limits: StoreLimits): void {
    const kept = [...this.all()]
    this.limits = limits
    this.makeShards()
    this.entries = 0
    this.bytes = 0
    Object.assign(this.present, { success: 0, denial: 0 })
    for (const value of kept) this.add(value)
  }

  private makeShards(): void {
    const { entriesMax, bytesMax, denialPercent } = this.limits
    const wanted = Math.floor(
      Math.min(entriesMax / entriesPerShardMin, bytesMax / bytesPerShardMin),
    )
    const count = 2 ** Math.floor(Math.log2(Math.min(Math.max(wanted, 1), shardsMax)))
    this.bytesMax = bytesMax / count
    const shardLimits = {
      entriesMax: Math.floor(entriesMax / count),
      bytesMax: this.bytesMax,
      denialShare: denialPercent / 100,
    }
    const onEvicted = (value: V) => {
      this.count(value, -1)
      this.evicted[value.isDenial ? 'denial' : 'success'] += 1
      this.onEvicted(value)
    }
    this.shards = Array.from({ length: count }, () => new CacheShard<V>(shardLimits, onEvicted))
  }

  private shardOf(hash: number): CacheShard<V> {
    return this.shards[(spread(hash) >>> 16) & (this.shards.length - 1)] as CacheShard<V>
  }

  private count({ bytes, isDenial }: V, sign: 1 | -1): void {
    this.entries += sign
    this.bytes += sign * bytes
    this.present[isDenial ? 'denial' : 'success'] += sign
  }
}
