/** One cached answer: its octets, its times, and what it looks like now. Whole messages under their question. Pure. */
import type { StoredImage } from '../../wire/reply.ts'
import type { ResponseScan } from '../../wire/scan.ts'
import type { Route } from '../router.ts'
import { nameIn } from './key.ts'
import type { CacheMemory } from './memory.ts'
import { Storable } from './queue.ts'
import type { StoreLimits } from './store.ts'
import { ageTtls, overwriteTtls } from './ttl.ts'

export interface CacheSettings extends StoreLimits {
  readonly prefetch: {
    /** Hits since the answer was stored that make a refresh worth it; 0 turns prefetch off. */
    readonly hitsMin: number
    /** Share of the lifetime that is left when a refresh is due. */
    readonly remainingPercent: number
  }
  readonly serveStale: {
    readonly enabled: boolean
    /** How long after its expiry an answer may still be given. */
    readonly stalenessMaxSeconds: number
    /** How long upstreams may take before the client gets the stale answer instead (RFC 8767 5). */
    readonly clientTimeoutMs: number
    readonly replyTtlSeconds: number
    /** Pause before upstreams are asked again after a failure; stale answers are instant meanwhile. */
    readonly failureRecheckSeconds: number
  }
}

/**
 * Octets of resident memory that an entry costs beside its image: the entry, key, place in the index.
 * Measured: docs/decisions/0011.
 */
export const entryOverheadBytes = 520

/**
 * One answer. Its times are whole milliseconds, rounded down, and `never` instead of infinity: V8 keeps small integers in the
 * entry itself, and fractions in heap objects of their own.
 */
export class CacheEntry extends Storable implements StoredImage {
  // First what a hit needs, as in Storable.
  expiresMs = 0
  storedMs = 0
  /** Age that the TTLs in the image are of; -1 while they are those of a stale answer. */
  private agedSeconds = 0
  /** When a refresh becomes due, if the entry is in use. */
  refreshAtMs = 0
  hits = 0
  rcode = 0
  route: Route
  /** Generation of the routes that the entry was last checked against. */
  routeGeneration = 0
  memory: Buffer
  imageAt = 0
  imageBytes: number
  /** No refresh becomes due, or it has been seen to. */
  isRefreshSpent = false
  /** An NXDOMAIN for A that denies AAAA and its like as well, in the cluster zone. */
  deniesFamily = false
  /** Equal to `expiresMs` for what is never served stale. */
  staleUntilMs = 0
  /** Until then a stale answer is given without asking first. */
  recheckAtMs = 0
  /** Offset of the first record in the image. */
  private recordsAt = 0
  private records = 0

  constructor(stored: StoredAnswer, settings: CacheSettings) {
    super(stored.key, stored.hash, stored.image.length + entryOverheadBytes, stored.isDenial)
    this.memory = stored.image
    this.imageBytes = stored.image.length
    this.route = stored.route
    this.fill(stored, settings)
  }

  /**
   * Takes a newer answer to the same question in place of the present one, which is then gone for whoever still holds the entry.
   * @returns false when it does not fit: another length, or a denial after an answer
   */
  renew(stored: StoredAnswer, settings: CacheSettings): boolean {
    if (stored.image.length !== this.imageBytes || stored.isDenial !== this.isDenial) return false
    this.memory.set(stored.image, this.imageAt)
    this.fill(stored, settings)
    return true
  }

  override settle(memory: CacheMemory): void {
    super.settle(memory)
    this.imageAt = memory.keep(this.memory, this.imageAt, this.imageBytes)
    this.memory = memory.octets
  }

  private fill(stored: StoredAnswer, { prefetch, serveStale }: CacheSettings): void {
    const { image, scan, route } = stored
    const lifetimeMs = stored.lifetimeSeconds * 1000
    this.recordsAt = scan.questionEnd
    this.records = scan.records
    this.agedSeconds = 0
    this.deniesFamily = stored.deniesFamily ?? false
    this.rcode = image.readUInt8(3) & 0x0f
    this.route = route
    this.routeGeneration = stored.routeGeneration
    this.storedMs = Math.floor(stored.nowMs)
    this.expiresMs = this.storedMs + lifetimeMs
    // A second at least: in less, the refresh would come too late to be of use.
    const refreshMs = Math.max((lifetimeMs * prefetch.remainingPercent) / 100, 1000)
    this.refreshAtMs = Math.floor(this.expiresMs - refreshMs)
    this.isRefreshSpent = prefetch.hitsMin === 0
    // A Service that has just been made must not be denied by what was true before an outage.
    const isNeverStale = !serveStale.enabled || (stored.isDenial && route.isCluster)
    this.staleUntilMs = this.expiresMs + (isNeverStale ? 0 : serveStale.stalenessMaxSeconds * 1000)
    this.recheckAtMs = 0
    this.hits = 0
  }

  /** The image's TTLs are those of now already. */
  restored(hits: number, nowMs: number): void {
    this.hits = hits
    this.agedSeconds = Math.floor((nowMs - this.storedMs) / 1000)
  }

  /** The qname, folded, one character an octet. */
  get name(): string {
    return nameIn(this.key)
  }

  isFresh(nowMs: number): boolean {
    return nowMs < this.expiresMs
  }

  isUsableStale(nowMs: number): boolean {
    return nowMs < this.staleUntilMs
  }

  /** Makes the TTLs in the image those of now. In place, at most once a second: one entry serves thousands of hits in that time. */
  age(nowMs: number): void {
    const elapsedSeconds = Math.floor((nowMs - this.storedMs) / 1000)
    if (elapsedSeconds !== this.agedSeconds) this.rewriteTtls(elapsedSeconds, nowMs)
  }

  /**
   * The image with its TTLs as they are now.
   * @returns a view of the entry's own bytes, to be copied and not written to
   */
  aged(nowMs: number): Buffer {
    this.age(nowMs)
    return this.image()
  }

  private rewriteTtls(elapsedSeconds: number, nowMs: number): void {
    const { memory, records, agedSeconds } = this
    const at = this.imageAt + this.recordsAt
    if (agedSeconds >= 0 && elapsedSeconds > agedSeconds) {
      ageTtls(memory, at, records, elapsedSeconds - agedSeconds)
    } else {
      // It was given as stale before its time, because a refresh had failed: what is left to the shortest record holds for all.
      const leftSeconds = Math.max(0, Math.floor((this.expiresMs - nowMs) / 1000))
      overwriteTtls(memory, at, records, leftSeconds)
    }
    this.agedSeconds = elapsedSeconds
  }

  /** The image with the TTL of a stale answer (RFC 8767 4). @returns as `aged` */
  stale(ttlSeconds: number): Buffer {
    overwriteTtls(this.memory, this.imageAt + this.recordsAt, this.records, ttlSeconds)
    this.agedSeconds = -1
    return this.image()
  }

  /** The image with its TTLs as they were made last. @returns as `aged` */
  image(): Buffer {
    return this.memory.subarray(this.imageAt, this.imageAt + this.imageBytes)
  }
}

export interface StoredAnswer {
  readonly key: string
  readonly hash: number
  /** Copied. */
  readonly image: Buffer
  /** Scan of `image`. */
  readonly scan: ResponseScan
  readonly isDenial: boolean
  /** See `CacheEntry`; false unless said. */
  readonly deniesFamily?: boolean
  readonly lifetimeSeconds: number
  readonly route: Route
  readonly routeGeneration: number
  readonly nowMs: number
}
