/**
 * A map bounded in entries and in octets, least recently used first out. Two generations a shard, as in quick-lru's algorithm: what is
 * used moves to the young one; when that is full, the old one is dropped whole and the young one is the old. Dropping costs
 * nothing per entry, because each generation keeps its own accounts; shards keep the growing of a Map from holding the loop.
 * Why not quick-lru itself: docs/decisions/0011.
 */
import { CacheMemory } from './cache-memory.ts'

/** What the store needs of a value. */
export interface Storable {
  /** Hash of the key; picks the shard. The same at each call for the same key. */
  readonly hash: number
  /** Octets this value is accounted with; must not change while it is stored. */
  readonly bytes: number
  /** Counted apart from each other. */
  readonly isDenial: boolean
  /** The value comes into a generation: its octets are to be kept in that one's memory. */
  settle(memory: CacheMemory): void
}

export interface StoreLimits {
  readonly entriesMax: number
  readonly bytesMax: number
}

export interface StoreCounts {
  success: number
  denial: number
}

const shardsMax = 64
const entriesPerShardMin = 64
/** Room for the largest message there is and its accounts, so that the number of shards forbids no answer. */
const bytesPerShardMin = 262_144

class Generation<V extends Storable> {
  readonly values = new Map<string, V>()
  readonly memory = new CacheMemory()
  bytes = 0
  denials = 0

  add(key: string, value: V): void {
    this.values.set(key, value)
    this.bytes += value.bytes
    if (value.isDenial) this.denials += 1
    value.settle(this.memory)
  }

  remove(key: string, value: V): void {
    this.values.delete(key)
    this.bytes -= value.bytes
    if (value.isDenial) this.denials -= 1
  }
}

class Shard<V extends Storable> {
  young = new Generation<V>()
  old = new Generation<V>()
}

export class CacheStore<V extends Storable> {
  entries = 0
  bytes = 0
  limits: StoreLimits
  readonly present: StoreCounts = { success: 0, denial: 0 }
  /** Values that had to make room, since the store was made. */
  readonly evicted: StoreCounts = { success: 0, denial: 0 }
  private shards: Shard<V>[] = []
  /** Of one shard. */
  private entriesMax = 0
  private bytesMax = 0

  constructor(limits: StoreLimits) {
    this.limits = limits
    this.makeShards()
  }

  /** @param hash as in the value's own `hash` */
  get(key: string, hash: number): V | undefined {
    const shard = this.shardOf(hash)
    const value = shard.young.values.get(key)
    return value === undefined ? this.rescue(shard, key) : value
  }

  /** Finds a value without counting that as use. */
  peek(key: string, hash: number): V | undefined {
    const { young, old } = this.shardOf(hash)
    return young.values.get(key) ?? old.values.get(key)
  }

  /** @returns false when the value alone is too large to be kept; what was there under the key is gone then, too */
  set(key: string, value: V): boolean {
    this.delete(key, value.hash)
    return this.add(key, value)
  }

  /** As `set`, for a key that nothing is stored under. */
  add(key: string, value: V): boolean {
    if (value.bytes > this.bytesMax) return false
    const shard = this.shardOf(value.hash)
    this.makeRoom(shard, value)
    shard.young.add(key, value)
    this.count(1, value.bytes, value.isDenial ? 1 : 0)
    return true
  }

  delete(key: string, hash: number): void {
    const { young, old } = this.shardOf(hash)
    const recent = young.values.get(key)
    const value = recent ?? old.values.get(key)
    if (value === undefined) return
    const generation = recent === undefined ? old : young
    generation.remove(key, value)
    this.count(-1, -value.bytes, value.isDenial ? -1 : 0)
  }

  /** All keys and values, in every shard the least recently used generation first. */
  *all(): Generator<[string, V]> {
    for (const { old, young } of this.shards) {
      yield* old.values
      yield* young.values
    }
  }

  /** Applies new limits; keeps as much of the contents as they allow. Costs one pass over all entries. */
  resize(limits: StoreLimits): void {
    const kept = [...this.all()]
    this.limits = limits
    this.makeShards()
    this.entries = 0
    this.bytes = 0
    Object.assign(this.present, { success: 0, denial: 0 })
    for (const [key, value] of kept) this.set(key, value)
  }

  private makeShards(): void {
    const { entriesMax, bytesMax } = this.limits
    const wanted = Math.floor(
      Math.min(entriesMax / entriesPerShardMin, bytesMax / bytesPerShardMin),
    )
    const count = 2 ** Math.floor(Math.log2(Math.min(Math.max(wanted, 1), shardsMax)))
    this.shards = Array.from({ length: count }, () => new Shard<V>())
    this.entriesMax = Math.floor(entriesMax / count)
    this.bytesMax = bytesMax / count
  }

  private shardOf(hash: number): Shard<V> {
    return this.shards[hash & (this.shards.length - 1)] as Shard<V>
  }

  /** Moves a value of the old generation, which is in use after all, to the young one. */
  private rescue(shard: Shard<V>, key: string): V | undefined {
    const value = shard.old.values.get(key)
    if (value === undefined) return undefined
    shard.old.remove(key, value)
    this.makeRoom(shard, value)
    shard.young.add(key, value)
    return value
  }

  /** Makes room in the young generation. Its memory counts, too: what was replaced there is still in it. */
  private makeRoom(shard: Shard<V>, { bytes }: V): void {
    const { young } = shard
    const isFull =
      young.values.size >= this.entriesMax / 2 ||
      young.bytes + bytes > this.bytesMax / 2 ||
      young.memory.bytes > this.bytesMax / 2
    if (isFull) this.turn(shard)
    // One value may need the room of both generations.
    const isOver =
      shard.old.values.size + shard.young.values.size >= this.entriesMax ||
      shard.old.bytes + shard.young.bytes + bytes > this.bytesMax
    if (isOver) this.turn(shard)
  }

  private turn(shard: Shard<V>): void {
    const { bytes, denials, values } = shard.old
    this.count(-values.size, -bytes, -denials)
    this.evicted.success += values.size - denials
    this.evicted.denial += denials
    shard.old = shard.young
    shard.young = new Generation<V>()
  }

  private count(entries: number, bytes: number, denials: number): void {
    this.entries += entries
    this.bytes += bytes
    this.present.success += entries - denials
    this.present.denial += denials
  }
}
