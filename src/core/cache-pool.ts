/**
 * Values of one standing, least recently used first out. Two generations, as in quick-lru's algorithm: what is used moves to the young one; when
 * that is full, the old one is dropped whole and the young one is the old. Dropping costs nothing per entry, because each
 * generation keeps its own accounts. Why not quick-lru itself: docs/decisions/0011.
 */
import { CacheMemory } from './cache-memory.ts'

/** What the store needs of a value. */
export interface Storable {
  /** Hash of the key; picks the shard. The same at each call for the same key. */
  readonly hash: number
  /** Octets this value is accounted with; must not change while it is stored. */
  readonly bytes: number
  /** Counted apart from each other, and with a budget of their own while they are new. */
  readonly isDenial: boolean
  /** Look-ups that found it while it was new. Starts at 0, written by the store only. */
  uses: number
  /** The value comes into a generation: its octets are to be kept in that one's memory. */
  settle(memory: CacheMemory): void
}

/** What a pool may hold now. */
export interface Room {
  entries: number
  bytes: number
}

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

/** Told of the accounts of a generation that was dropped. */
export type OnDropped = (entries: number, bytes: number, denials: number) => void

export class CachePool<V extends Storable> {
  private young = new Generation<V>()
  private old = new Generation<V>()
  private readonly onDropped: OnDropped

  constructor(onDropped: OnDropped) {
    this.onDropped = onDropped
  }

  get entries(): number {
    return this.young.values.size + this.old.values.size
  }

  get bytes(): number {
    return this.young.bytes + this.old.bytes
  }

  /** Counts as use only when the value is young; see `takeOld`. */
  getYoung(key: string): V | undefined {
    return this.young.values.get(key)
  }

  /** Takes a value out of the old generation, to be added again because it is in use. */
  takeOld(key: string): V | undefined {
    const value = this.old.values.get(key)
    if (value !== undefined) this.old.remove(key, value)
    return value
  }

  peek(key: string): V | undefined {
    return this.young.values.get(key) ?? this.old.values.get(key)
  }

  /** @returns the value that was there */
  take(key: string): V | undefined {
    const generation = this.young.values.has(key) ? this.young : this.old
    const value = generation.values.get(key)
    if (value !== undefined) generation.remove(key, value)
    return value
  }

  /** Makes room in the young generation. Its memory counts, too: what was replaced there is still in it. */
  add(key: string, value: V, room: Room): void {
    const { young } = this
    const isFull =
      young.values.size >= room.entries / 2 ||
      young.bytes + value.bytes > room.bytes / 2 ||
      young.memory.bytes > room.bytes / 2
    if (isFull) this.turn()
    this.young.add(key, value)
  }

  /** Drops the old generation. */
  turn(): void {
    const { bytes, denials, values } = this.old
    this.old = this.young
    this.young = new Generation<V>()
    this.onDropped(values.size, bytes, denials)
  }

  /** The old generation first. */
  *all(): Generator<[string, V]> {
    yield* this.old.values
    yield* this.young.values
  }
}
