/**
 * Which answers of the cache the kernel may give, and for how long: a shadow of it. An entry is put there when it is asked for often, when
 * the daemon itself would give it to everybody who asks, and only then; it is taken back before the daemon changes it. The daemon goes on
 * deciding what is kept and refreshed, for which the uses come back once a second. docs/decisions/0055.
 */
import type { Cache, CacheWatcher } from '../core/cache/cache.ts'
import type { CacheEntry } from '../core/cache/entry.ts'
import { isPlain, typeIn } from '../core/cache/key.ts'
import { pairMs } from '../core/search/pairs.ts'
import { RrClass } from '../wire/constants.ts'
import type { HitMaps } from './hit-maps.ts'
import { shapes } from './layout.ts'
import { Waiting } from './waiting.ts'

/** Between two rounds. */
export const roundMs = 1000
/** Hits in the daemon that show that an answer is in demand. */
const hitsMin = 2
/** Reading two clocks takes a microsecond. */
const readingMsMax = 0.02
const readingsMax = 10
/** An answer that nobody asked for in so many rounds makes room. */
const idleRoundsMax = 60

export interface ShadowSettings {
  /** How long the kernel answers without a round, milliseconds. */
  readonly leaseMs: number
  readonly replyBytesMax: number
  /** Whether addresses take turns. */
  readonly rotates: boolean
}

/** Hits of one round on one entry that were alike. */
export interface HitUses {
  readonly entry: CacheEntry
  readonly server: number
  /** As in layout.ts. */
  readonly shape: number
  readonly hits: number
}

export interface ShadowParts {
  readonly maps: HitMaps
  readonly cache: Cache
  /** Generation of the routes in force. */
  readonly generation: () => number
  readonly nowMs: () => number
  /** CLOCK_BOOTTIME. */
  readonly bootNs: () => bigint
  /** Whether the daemon would answer from this entry, under the present routes and settings. */
  readonly isPresent: (entry: CacheEntry) => boolean
  /** Asks for the answer to a question again. */
  readonly refresh: (entry: CacheEntry) => void
  readonly onHits: (uses: HitUses) => void
  /** Calls back after `ms`. */
  readonly later: (ms: number, work: () => void) => void
}

interface Held {
  readonly entry: CacheEntry
  readonly name: Buffer
  readonly qtype: number
  readonly slot: number
  idleRounds: number
}

export class Shadow implements CacheWatcher {
  settings: ShadowSettings
  private readonly parts: ShadowParts
  private readonly held = new Map<CacheEntry, Held>()
  private readonly free: number[]
  /** No longer in the kernel; their last uses have not been read yet. */
  private departed: Held[] = []
  /** Keys of answers that are being replaced, and were held. */
  private readonly returning = new Set<string>()
  /** Answers of the cluster in their first moments. */
  private readonly waiting: Waiting
  /** Uses as of the last round, their lower halves. */
  private readonly before: Uint32Array
  /** Entries that found no room since the last round. */
  private refused = 0

  constructor(parts: ShadowParts, settings: ShadowSettings) {
    this.parts = parts
    this.settings = settings
    this.waiting = new Waiting({
      ...parts,
      waitMs: pairMs,
      onDue: (entry) => this.holdWaited(entry),
    })
    const { answersMax, servers } = parts.maps.sizes
    this.free = Array.from({ length: answersMax }, (_, i) => answersMax - 1 - i)
    this.before = new Uint32Array(answersMax * servers * shapes)
  }

  get entries(): number {
    return this.held.size
  }

  holds(entry: CacheEntry): boolean {
    return this.held.has(entry)
  }

  /** The daemon has answered from this entry. */
  noteHit(entry: CacheEntry): void {
    if (entry.hits >= hitsMin && !this.held.has(entry)) this.hold(entry)
  }

  /**
   * The cache has this entry from before.
   * @param entry as the cache had it a moment ago
   * @returns false when there is no room for another one
   */
  offer(entry: CacheEntry): boolean {
    if (this.free.length === 0) return false
    const isWanted = entry.hits >= hitsMin && !this.held.has(entry) && this.isStored(entry)
    if (isWanted && this.parts.isPresent(entry)) this.hold(entry)
    return true
  }

  /** For who follows us: what is in demand here, is so there, though the answer may be too new to show it. */
  usesOf(entry: CacheEntry): number {
    return this.held.has(entry) ? Math.max(entry.hits, hitsMin) : entry.hits
  }

  leaving(entry: CacheEntry, isReplaced: boolean): void {
    const one = this.held.get(entry)
    if (one === undefined) return
    this.release(one)
    if (isReplaced) this.returning.add(entry.key)
  }

  stored(entry: CacheEntry): void {
    if (this.returning.size === 0 || !this.returning.delete(entry.key)) return
    this.hold(entry)
  }

  /** Takes everything back. */
  clear(): void {
    for (const one of this.held.values()) this.release(one)
    this.returning.clear()
  }

  /** Nothing is answered any more, until the next round. */
  suspend(): void {
    this.parts.maps.lease(0n, this.settings.replyBytesMax)
  }

  /** Takes over the last uses of what was taken back; its places are free then. */
  takeLast(): void {
    this.takeDeparted(new Uint32Array(this.parts.maps.readUses().buffer))
  }

  /** Renews the lease, and takes over what the kernel has counted. Call each second. */
  round(): void {
    const { maps, bootNs } = this.parts
    const { leaseMs, replyBytesMax } = this.settings
    maps.lease(bootNs() + BigInt(leaseMs) * 1_000_000n, replyBytesMax)
    const uses = new Uint32Array(maps.readUses().buffer)
    this.takeDeparted(uses)
    const nowMs = this.parts.nowMs()
    for (const one of this.held.values()) this.keepOrRelease(one, this.takeUses(one, uses), nowMs)
    this.refused = 0
  }

  private takeDeparted(uses: Uint32Array): void {
    for (const one of this.departed) {
      this.takeUses(one, uses)
      this.free.push(one.slot)
    }
    this.departed = []
  }

  private keepOrRelease(one: Held, hits: number, nowMs: number): void {
    const { cache, refresh } = this.parts
    if (hits > 0) {
      one.idleRounds = 0
      if (cache.noteUses(one.entry, hits, nowMs)) refresh(one.entry)
    } else {
      one.idleRounds += 1
    }
    const idleMax = this.refused > 0 ? 0 : idleRoundsMax
    if (one.idleRounds > idleMax || !one.entry.isFresh(nowMs)) this.release(one)
  }

  /** @returns hits since the last round */
  private takeUses(one: Held, uses: Uint32Array): number {
    const { before, parts } = this
    const { servers } = parts.maps.sizes
    let sum = 0
    for (let column = 0; column < servers * shapes; column++) {
      const at = one.slot * servers * shapes + column
      const now = uses[2 * at] as number
      const hits = (now - (before[at] as number)) >>> 0
      if (hits === 0) continue
      before[at] = now
      sum += hits
      const server = Math.floor(column / shapes)
      parts.onHits({ entry: one.entry, server, shape: column % shapes, hits })
    }
    return sum
  }

  private release(one: Held): void {
    this.held.delete(one.entry)
    this.parts.maps.take(one.name, one.qtype)
    this.departed.push(one)
  }

  private hold(entry: CacheEntry): void {
    const { nowMs, maps } = this.parts
    const now = nowMs()
    const waitMs = this.waitMs(entry, now)
    if (waitMs === undefined) return
    if (waitMs > 0) {
      this.waiting.add(entry)
      return
    }
    const slot = this.free.pop()
    if (slot === undefined) {
      this.refused += 1
      return
    }
    const { key } = entry
    const name = Buffer.from(entry.name, 'latin1')
    const one: Held = { entry, name, qtype: typeIn(key), slot, idleRounds: 0 }
    if (maps.put(one.qtype, { ...this.timesOf(entry), slot, name, ...this.imageOf(entry, now) }))
      this.keep(one)
    else this.free.push(slot)
  }

  private holdWaited(entry: CacheEntry): void {
    if (!this.held.has(entry) && this.isStored(entry)) this.hold(entry)
  }

  /** Its uses are counted when it may have left the cache. */
  private keep(one: Held): void {
    one.entry.isHeld = true
    this.held.set(one.entry, one)
  }

  /** Later work may come when the entry has gone. */
  private isStored(entry: CacheEntry): boolean {
    return this.parts.cache.peekText(entry.key, entry.hash) === entry
  }

  /**
   * How long an entry has to wait until everybody gets it, 0 for not at all; undefined when the daemon has to decide about each question.
   * A denial of the whole name is answer mode's to judge, and half of a pair; so is any answer of the cluster in its first moments.
   */
  private waitMs(entry: CacheEntry, nowMs: number): number | undefined {
    const { key, deniesFamily, route, storedMs } = entry
    const isClassIn =
      key.charCodeAt(key.length - 3) * 256 + key.charCodeAt(key.length - 2) === RrClass.in
    if (!isClassIn || !isPlain(key) || deniesFamily || !entry.isFresh(nowMs)) return undefined
    if (entry.routeGeneration !== this.parts.generation()) return undefined
    return route.isCluster ? Math.max(0, storedMs + pairMs - nowMs) : 0
  }

  /**
   * By how much CLOCK_BOOTTIME is ahead of the daemon's clock: they differ by what the machine was suspended for, and go alike else. Never too
   * large, so that nothing lives longer there than here.
   */
  private offsetNs(): bigint {
    const { bootNs, nowMs } = this.parts
    for (let attempt = 1; ; attempt++) {
      const beforeMs = nowMs()
      const boot = bootNs()
      const afterMs = nowMs()
      // This process may have to wait between two of the three.
      if (afterMs - beforeMs < readingMsMax || attempt === readingsMax)
        return boot - BigInt(Math.round(afterMs * 1e6))
    }
  }

  private timesOf(entry: CacheEntry) {
    const offsetNs = this.offsetNs()
    const { storedMs, expiresMs, refreshAtMs, isDenial, isRefreshSpent } = entry
    // Whether a denial is worth a refresh is for the stages to say.
    const endMs = isDenial && !isRefreshSpent ? Math.min(refreshAtMs, expiresMs) : expiresMs
    return {
      storedNs: BigInt(storedMs) * 1_000_000n + offsetNs,
      expiresNs: BigInt(endMs) * 1_000_000n + offsetNs,
    }
  }

  private imageOf(entry: CacheEntry, nowMs: number) {
    const agedSeconds = Math.floor((nowMs - entry.storedMs) / 1000)
    const run = this.settings.rotates ? entry.run : 0
    return { image: entry.aged(nowMs), agedSeconds, run }
  }
}
