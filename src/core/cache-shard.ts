/**
 * One part of the cache, within one bound in entries and octets: who has to make room. First those that were not asked for again
 * since they came, then the least recently used of the others; so names that come once (water torture, a scan) push out each other
 * and not the names in use. Denials that are new have a budget within the whole: docs/decisions/0021.
 */
import { CachePool, type OnDropped, type Room, type Storable } from './cache-pool.ts'

export interface ShardLimits {
  readonly entriesMax: number
  readonly bytesMax: number
  /** Of the whole, for denials that were not asked for again. */
  readonly denialShare: number
}

/** Not one: A and AAAA of a name that does not exist are a miss and a use, by one and the same call of getaddrinfo. */
const usesToStay = 2
/** Shares that new answers and new denials have when the rest is in use: a new name must have a chance to be asked for again. */
const newAnswersShareMin = 0.1
const newDenialsShareMin = 0.05

export class CacheShard<V extends Storable> {
  private readonly limits: ShardLimits
  private readonly proven: CachePool<V>
  private readonly answers: CachePool<V>
  private readonly denials: CachePool<V>
  private readonly room: Room = { entries: 0, bytes: 0 }

  constructor(limits: ShardLimits, onDropped: OnDropped) {
    this.limits = limits
    this.proven = new CachePool(onDropped)
    this.answers = new CachePool(onDropped)
    this.denials = new CachePool(onDropped)
  }

  get entries(): number {
    return this.proven.entries + this.answers.entries + this.denials.entries
  }

  get bytes(): number {
    return this.proven.bytes + this.answers.bytes + this.denials.bytes
  }

  get(key: string): V | undefined {
    const value = this.proven.getYoung(key)
    return value === undefined ? this.rescue(key) : value
  }

  /** Finds a value without counting that as use. */
  peek(key: string): V | undefined {
    return this.proven.peek(key) ?? this.answers.peek(key) ?? this.denials.peek(key)
  }

  take(key: string): V | undefined {
    return this.proven.take(key) ?? this.answers.take(key) ?? this.denials.take(key)
  }

  /** The value must fit, and must not be there. */
  add(key: string, value: V): void {
    this.makeRoom(value)
    const pool = this.poolOf(value)
    pool.add(key, value, this.roomFor(pool))
  }

  *all(): Generator<[string, V]> {
    yield* this.denials.all()
    yield* this.answers.all()
    yield* this.proven.all()
  }

  private rescue(key: string): V | undefined {
    const old = this.proven.takeOld(key)
    if (old !== undefined) {
      this.add(key, old)
      return old
    }
    const value = this.answers.peek(key) ?? this.denials.peek(key)
    if (value === undefined) return undefined
    if (value.uses + 1 < usesToStay) {
      value.uses += 1
      return value
    }
    this.poolOf(value).take(key)
    value.uses = usesToStay
    this.add(key, value)
    return value
  }

  private poolOf({ uses, isDenial }: V): CachePool<V> {
    if (uses >= usesToStay) return this.proven
    return isDenial ? this.denials : this.answers
  }

  /** What the other pools leave, but the least share of this one in any case. */
  private roomFor(pool: CachePool<V>): Room {
    const { limits, room, answers, denials, proven } = this
    const free = this.bytes - pool.bytes
    const freeEntries = this.entries - pool.entries
    const min = pool === answers ? newAnswersShareMin : newDenialsShareMin
    const max = pool === denials ? limits.denialShare : 1
    const provenMax = 1 - newAnswersShareMin - newDenialsShareMin
    const [least, most] = pool === proven ? [provenMax, provenMax] : [min, max]
    room.bytes = clamp(limits.bytesMax - free, least * limits.bytesMax, most * limits.bytesMax)
    const { entriesMax } = limits
    room.entries = clamp(entriesMax - freeEntries, least * entriesMax, most * entriesMax)
    return room
  }

  /** Whatever the shares say, the whole stays within its bounds. */
  private makeRoom({ bytes }: V): void {
    const { entriesMax, bytesMax } = this.limits
    while (this.bytes + bytes > bytesMax || this.entries >= entriesMax) this.victim().turn()
  }

  private victim(): CachePool<V> {
    const { answers, denials, proven } = this
    if (this.isAbove(denials, newDenialsShareMin)) return denials
    if (this.isAbove(answers, newAnswersShareMin)) return answers
    if (proven.entries > 0) return proven
    return answers.entries > 0 ? answers : denials
  }

  private isAbove({ entries, bytes }: CachePool<V>, share: number): boolean {
    const { entriesMax, bytesMax } = this.limits
    return bytes > share * bytesMax || entries > share * entriesMax
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}
