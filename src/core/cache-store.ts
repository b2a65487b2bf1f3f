/**
 * A map bounded in entries and in octets, least recently used first out. The only owner of quick-lru, whose traps (7.3.0)
 * shape it: it holds up to twice `maxSize`; it drops a whole generation in one call, so the keys are spread over small shards
 * and no drop takes longer than a few microseconds; it reports overwritten values as evicted, so each value
 * carries its own `isResident` and is accounted once; with `maxAge` it deletes what serve-stale needs, so expiry is the
 * value's business.
 */
import QuickLRU from 'quick-lru'

/** What the store needs of a value. */
export interface Storable {
  /** Hash of the key; picks the shard. The same at each call for the same key. */
  readonly hash: number
  /** Octets this value is accounted with; must not change while it is stored. */
  readonly bytes: number
  /** Written by the store only. */
  isResident: boolean
}

/** Told of everything that comes and goes. */
export interface StoreObserver<V> {
  added(value: V): void
  /** @param isEvicted it had to make room; false when it was replaced or deleted */
  removed(value: V, isEvicted: boolean): void
}

export interface StoreLimits {
  readonly entriesMax: number
  readonly bytesMax: number
}

const shardsMax = 64
const entriesPerShardMin = 64
/** Room for the largest message there is and its accounts, so that the number of shards forbids no answer. */
const bytesPerShardMin = 262_144

interface Shard<V> {
  readonly lru: QuickLRU<string, V>
  bytes: number
}

export class CacheStore<V extends Storable> {
  entries = 0
  bytes = 0
  limits: StoreLimits
  private shards: Shard<V>[] = []
  private readonly observer: StoreObserver<V> | undefined

  constructor(limits: StoreLimits, observer?: StoreObserver<V>) {
    this.limits = limits
    this.observer = observer
    this.shards = this.makeShards()
  }

  /** @param hash as in the value's own `hash` */
  get(key: string, hash: number): V | undefined {
    return this.shardOf(hash).lru.get(key)
  }

  /** @returns false when the value alone is too large to be kept; what was there under the key is gone then, too */
  set(key: string, value: V): boolean {
    const shard = this.shardOf(value.hash)
    this.release(shard, shard.lru.peek(key), false)
    const shardBytesMax = this.limits.bytesMax / this.shards.length
    if (value.bytes > shardBytesMax) {
      shard.lru.delete(key)
      return false
    }
    value.isResident = true
    shard.bytes += value.bytes
    this.bytes += value.bytes
    this.entries += 1
    this.observer?.added(value)
    shard.lru.set(key, value)
    if (shard.bytes > shardBytesMax) this.makeRoom(shard, shardBytesMax)
    return true
  }

  delete(key: string, hash: number): void {
    const shard = this.shardOf(hash)
    this.release(shard, shard.lru.peek(key), false)
    shard.lru.delete(key)
  }

  clear(): void {
    for (const shard of this.shards) {
      for (const value of shard.lru.values()) this.release(shard, value, false)
      shard.lru.clear()
    }
  }

  /** Applies new limits; keeps as much of the contents as they allow. Costs one pass over all entries. */
  resize(limits: StoreLimits): void {
    const kept = this.shards.flatMap((shard) => [...shard.lru.entriesAscending()])
    this.clear()
    this.limits = limits
    this.shards = this.makeShards()
    for (const [key, value] of kept) this.set(key, value)
  }

  private makeShards(): Shard<V>[] {
    const { entriesMax, bytesMax } = this.limits
    const wanted = Math.floor(
      Math.min(entriesMax / entriesPerShardMin, bytesMax / bytesPerShardMin),
    )
    const count = 2 ** Math.floor(Math.log2(Math.min(Math.max(wanted, 1), shardsMax)))
    // Each shard may hold twice its maxSize.
    const maxSize = Math.max(1, Math.floor(entriesMax / (2 * count)))
    return Array.from({ length: count }, () => this.makeShard(maxSize))
  }

  private makeShard(maxSize: number): Shard<V> {
    const shard: Shard<V> = {
      bytes: 0,
      lru: new QuickLRU<string, V>({
        maxSize,
        onEviction: (_key, value) => this.release(shard, value, true),
      }),
    }
    return shard
  }

  private shardOf(hash: number): Shard<V> {
    return this.shards[hash & (this.shards.length - 1)] as Shard<V>
  }

  /** Takes a value off the accounts, once. */
  private release(shard: Shard<V>, value: V | undefined, isEvicted: boolean): void {
    if (value === undefined || !value.isResident) return
    value.isResident = false
    shard.bytes -= value.bytes
    this.bytes -= value.bytes
    this.entries -= 1
    this.observer?.removed(value, isEvicted)
  }

  /** Drops an eighth at a time: `evict` copies the whole shard, so one at a time would cost that copy for each. */
  private makeRoom(shard: Shard<V>, bytesMax: number): void {
    while (shard.bytes > bytesMax && shard.lru.size > 1) {
      shard.lru.evict(Math.ceil(shard.lru.size / 8))
    }
  }
}
