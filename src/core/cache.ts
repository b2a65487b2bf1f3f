/**
 * What is kept of upstreams' answers, and when it may be used: fresh, due for a refresh, or stale (RFC 2308, RFC 8767).
 * Whole messages under their question, never single records under their owner: an answer can say nothing about any other
 * name (CVE-2025-40778, MaginotDNS). Time is passed in.
 */
import type { Question } from '../wire/question.ts'
import type { ResponseScan } from '../wire/scan.ts'
import { CacheKeys, hashOf, keyLike, nameIn } from './cache-key.ts'
import { CacheStore, type Storable, type StoreLimits, type StoreObserver } from './cache-store.ts'
import type { Route } from './router.ts'
import { ageTtls, listTtls, overwriteTtls, type TtlList } from './ttl.ts'

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
 * Octets of resident memory that an entry costs beside its image: objects, key, place in the index, and the allocator's own
 * around the image. Measured (docs/decisions/0003): 1,100 to 1,240 octets an entry with images of 74.
 */
export const entryOverheadBytes = 1_150

export class CacheEntry implements Storable {
  readonly key: string
  readonly hash: number
  readonly bytes: number
  isResident = false
  readonly isDenial: boolean
  readonly rcode: number
  /** An NXDOMAIN for A that denies AAAA and its like as well, in the cluster zone. */
  readonly deniesFamily: boolean
  readonly route: Route
  /** Generation of the routes that the entry was last checked against. */
  routeGeneration: number
  readonly storedMs: number
  readonly expiresMs: number
  /** When a refresh becomes due, if the entry is in use; infinite once it was tried. */
  refreshAtMs: number
  /** Equal to `expiresMs` for what is never served stale. */
  readonly staleUntilMs: number
  /** Until then a stale answer is given without asking first. */
  recheckAtMs = 0
  hits = 0
  private readonly image: Buffer
  private readonly ttls: TtlList
  private agedSeconds = 0

  constructor(stored: StoredAnswer, settings: CacheSettings) {
    const lifetimeMs = stored.lifetimeSeconds * 1000
    const { prefetch, serveStale } = settings
    this.key = stored.key
    this.hash = stored.hash
    this.image = stored.image
    this.ttls = listTtls(stored.image, stored.scan)
    this.bytes = stored.image.length + 16 * stored.scan.records + entryOverheadBytes
    this.isDenial = stored.isDenial
    this.deniesFamily = stored.deniesFamily ?? false
    this.rcode = stored.image.readUInt8(3) & 0x0f
    this.route = stored.route
    this.routeGeneration = stored.routeGeneration
    this.storedMs = stored.nowMs
    this.expiresMs = stored.nowMs + lifetimeMs
    // A second at least: in less, the refresh would come too late to be of use.
    const refreshMs = Math.max((lifetimeMs * prefetch.remainingPercent) / 100, 1000)
    this.refreshAtMs =
      prefetch.hitsMin === 0 ? Number.POSITIVE_INFINITY : this.expiresMs - refreshMs
    // A Service that has just been made must not be denied by what was true before an outage.
    const isNeverStale = !serveStale.enabled || (stored.isDenial && stored.route.isCluster)
    this.staleUntilMs = this.expiresMs + (isNeverStale ? 0 : serveStale.stalenessMaxSeconds * 1000)
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

  /**
   * The image with its TTLs as they are now. Aged in place, at most once a second: one entry serves thousands of hits in
   * that time.
   * @returns the entry's own bytes, to be copied and not written to
   */
  aged(nowMs: number): Buffer {
    const elapsedSeconds = Math.floor((nowMs - this.storedMs) / 1000)
    if (elapsedSeconds !== this.agedSeconds) {
      ageTtls(this.image, this.ttls, elapsedSeconds)
      this.agedSeconds = elapsedSeconds
    }
    return this.image
  }

  /** The image with the TTL of a stale answer (RFC 8767 4). */
  stale(ttlSeconds: number): Buffer {
    // Below zero: an age that no fresh entry has.
    const mark = -1 - ttlSeconds
    if (this.agedSeconds !== mark) {
      overwriteTtls(this.image, this.ttls, ttlSeconds)
      this.agedSeconds = mark
    }
    return this.image
  }
}

export interface StoredAnswer {
  readonly key: string
  readonly hash: number
  /** Becomes the entry's own. */
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

export class Cache implements StoreObserver<CacheEntry> {
  /** Key of the last look-up: what a miss is asked and stored under. */
  key = ''
  readonly keys = new CacheKeys()
  settings: CacheSettings
  readonly stats = {
    entriesSuccess: 0,
    entriesDenial: 0,
    evictionsSuccess: 0,
    evictionsDenial: 0,
    prefetches: 0,
    refused: 0,
  }
  private readonly store: CacheStore<CacheEntry>

  constructor(settings: CacheSettings) {
    this.settings = settings
    this.store = new CacheStore<CacheEntry>(settings, this)
  }

  get bytes(): number {
    return this.store.bytes
  }

  /** Applies new settings to what is stored from now on; sizes apply at once. */
  reconfigure(settings: CacheSettings): void {
    const { entriesMax, bytesMax } = this.settings
    this.settings = settings
    if (entriesMax === settings.entriesMax && bytesMax === settings.bytesMax) return
    this.store.resize(settings)
  }

  /**
   * Finds what is known about a question: its own answer while that is fresh, else a fresh denial of the whole name, else
   * the later of the two past their time.
   */
  lookup(query: Uint8Array, question: Question, nowMs: number): CacheEntry | undefined {
    this.key = this.keys.exact(query, question)
    const hash = this.keys.nameHash
    const own = this.store.get(this.key, hash)
    if (own?.isFresh(nowMs) === true) return own
    const denial = this.store.get(this.keys.wholeName(question), hash)
    if (own === undefined || denial?.isFresh(nowMs) === true) return denial ?? own
    // Past its time, too: then whichever upstream said last. An older answer must not come back.
    return denial !== undefined && denial.storedMs > own.storedMs ? denial : own
  }

  /** Finds the entry of another type of the name that was looked up last. */
  lookupType(question: Question, qtype: number): CacheEntry | undefined {
    return this.store.get(this.keys.otherType(question, qtype), this.keys.nameHash)
  }

  isFresh(key: string, hash: number, nowMs: number): boolean {
    return this.store.get(key, hash)?.isFresh(nowMs) === true
  }

  /** Finds the entry of another type of a name. @param key of a question about any name, as a model */
  entryLike(key: string, name: string, qtype: number): CacheEntry | undefined {
    return this.store.get(keyLike(key, name, qtype), hashOf(name))
  }

  /** Whether a refresh should be started now; says so once per entry. */
  takeRefreshDue(entry: CacheEntry, nowMs: number): boolean {
    entry.hits += 1
    if (nowMs < entry.refreshAtMs || entry.hits < this.settings.prefetch.hitsMin) return false
    entry.refreshAtMs = Number.POSITIVE_INFINITY
    return true
  }

  /** @returns the entry, also when it was too large to be kept */
  put(answer: StoredAnswer): CacheEntry {
    const entry = new CacheEntry(answer, this.settings)
    if (!this.store.set(answer.key, entry)) this.stats.refused += 1
    return entry
  }

  drop(key: string, hash: number): void {
    this.store.delete(key, hash)
  }

  /** @internal */
  added(entry: CacheEntry): void {
    if (entry.isDenial) this.stats.entriesDenial += 1
    else this.stats.entriesSuccess += 1
  }

  /** @internal */
  removed(entry: CacheEntry, isEvicted: boolean): void {
    if (entry.isDenial) {
      this.stats.entriesDenial -= 1
      if (isEvicted) this.stats.evictionsDenial += 1
    } else {
      this.stats.entriesSuccess -= 1
      if (isEvicted) this.stats.evictionsSuccess += 1
    }
  }
}
