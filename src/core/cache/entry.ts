/** One cached answer: its bytes, its times, and its present TTLs. Whole messages under their question. Pure. */
import { u16 } from '../../wire/bytes.ts'
import { Rcode, RrType } from '../../wire/constants.ts'
import { skipName } from '../../wire/name.ts'
import type { StoredImage } from '../../wire/reply.ts'
import { type AddressRun, addressRun } from '../../wire/rotation.ts'
import type { ResponseScan } from '../../wire/scan.ts'
import type { Route } from '../router.ts'
import { nameIn, typeIn } from './key.ts'
import type { CacheMemory } from './memory.ts'
import { Storable } from './queue.ts'
import type { StoreLimits } from './store.ts'
import { ageTtls, overwriteTtls } from './ttl.ts'

export interface CacheSettings extends StoreLimits {
  /** Longest life of a denial without SOA; 0 keeps none. */
  readonly noSoaSeconds: number
  readonly prefetch: {
    /** Hits since the answer was stored that justify a refresh; 0 turns prefetch off. */
    readonly hitsMin: number
    /** A refresh is due when this share of the lifetime remains. */
    readonly remainingPercent: number
  }
  readonly serveStale: {
    readonly enabled: boolean
    /** How long after its expiry an answer may still be given. */
    readonly stalenessMaxSeconds: number
    /** Expired data outside the cluster go before an upstream's NXDOMAIN or NODATA. */
    readonly overDenials: boolean
    /** How long upstreams may take before the client gets the stale answer instead (RFC 8767 5). */
    readonly clientTimeoutMs: number
    /** The same for names that the cluster's DNS knows itself. */
    readonly clusterClientTimeoutMs: number
    readonly replyTtlSeconds: number
    /** Pause before upstreams are asked again after a failure; stale answers are instant in that time. */
    readonly failureRecheckSeconds: number
  }
}

/**
 * Bytes of resident memory that an entry costs beside its image: the entry, key, place in the index. Measured:
 * docs/decisions/0011.
 */
export const entryOverheadBytes = 520

/**
 * One answer. Its times are whole milliseconds, rounded down, and `never` instead of infinity: V8 stores small integers in the
 * entry itself, and fractions in heap objects of their own.
 */
export class CacheEntry extends Storable implements StoredImage {
  // The fields of a hit come first, as in Storable.
  expiresMs = 0
  storedMs = 0
  /** Age, in seconds, at which the image's TTLs are written; -1 while they are those of a stale answer. */
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
  run: AddressRun = 0
  /** No refresh will become due, or it was already taken. */
  isRefreshSpent = false
  /** An NXDOMAIN for A that denies AAAA and the other address types as well, in the cluster zone. */
  deniesFamily = false
  /** Equal to `expiresMs` for entries that are never served stale. */
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

  /** Becomes the entry of another question. Only for one that has left the cache, and that nobody holds. */
  reuse(stored: StoredAnswer, settings: CacheSettings): this {
    this.begin(stored.key, stored.hash, stored.image.length + entryOverheadBytes, stored.isDenial)
    this.memory = stored.image
    this.imageAt = 0
    this.imageBytes = stored.image.length
    this.fill(stored, settings)
    return this
  }

  /**
   * Replaces the present answer with a newer one to the same question; other holders of the entry see the new answer.
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

  override detach(): void {
    super.detach()
    this.memory = Buffer.from(this.image())
    this.imageAt = 0
  }

  private fill(stored: StoredAnswer, { prefetch, serveStale }: CacheSettings): void {
    const { image, scan, route } = stored
    const lifetimeMs = stored.lifetimeSeconds * 1000
    this.recordsAt = scan.questionEnd
    this.records = scan.records
    this.run = addressRun(image)
    this.agedSeconds = 0
    this.deniesFamily = stored.deniesFamily ?? false
    this.rcode = image.readUInt8(3) & 0x0f
    this.route = route
    this.routeGeneration = stored.routeGeneration
    this.storedMs = Math.floor(stored.nowMs)
    this.expiresMs = this.storedMs + lifetimeMs
    // At least a second: with less, the refresh would come too late to be useful.
    const refreshMs = Math.max((lifetimeMs * prefetch.remainingPercent) / 100, 1000)
    this.refreshAtMs = Math.floor(this.expiresMs - refreshMs)
    this.isRefreshSpent = prefetch.hitsMin === 0
    // A Service that was just created must not be denied on knowledge from before an outage, and NXDOMAIN without SOA proves
    // little even while it is fresh. NODATA stays: musl fails a look-up for the SERVFAIL of either type.
    const isWeak = this.rcode === Rcode.nxdomain && (route.isCluster || scan.soaIndex < 0)
    const isNeverStale = !serveStale.enabled || isWeak
    this.staleUntilMs = this.expiresMs + (isNeverStale ? 0 : serveStale.stalenessMaxSeconds * 1000)
    this.recheckAtMs = 0
    this.hits = 0
  }

  /** The image's TTLs are already the present ones. */
  restored(hits: number, nowMs: number): void {
    this.hits = hits
    this.agedSeconds = Math.floor((nowMs - this.storedMs) / 1000)
  }

  /** Goes on by one with each hit, and begins anywhere: an upstream whose order is fixed must not be heard again after each refresh. */
  get turns(): number {
    return this.storedMs + this.hits
  }

  /** The qname, folded, one character a byte. */
  get name(): string {
    return nameIn(this.key)
  }

  /** Is of no use any more, also to those who hold it: a question on its way that would fall back on it. */
  end(): void {
    this.expiresMs = 0
    this.staleUntilMs = 0
  }

  isFresh(nowMs: number): boolean {
    return nowMs < this.expiresMs
  }

  isUsableStale(nowMs: number): boolean {
    return nowMs < this.staleUntilMs
  }

  /** Whether it begins with an alias: then whoever answers has to ask for the target, as a rule somebody else. */
  get isAlias(): boolean {
    if (this.records === 0 || typeIn(this.key) === RrType.cname) return false
    const { memory, imageAt, recordsAt, imageBytes } = this
    return u16(memory, skipName(memory, imageAt + recordsAt, imageAt + imageBytes)) === RrType.cname
  }

  /** Brings the image's TTLs up to date, in place and at most once a second: one entry serves thousands of hits in that time. */
  age(nowMs: number): void {
    const elapsedSeconds = Math.floor((nowMs - this.storedMs) / 1000)
    if (elapsedSeconds !== this.agedSeconds) this.rewriteTtls(elapsedSeconds, nowMs)
  }

  /**
   * The image with present TTLs.
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
      // A failed refresh had it given as stale before its time: all records get the shortest remaining TTL.
      const leftSeconds = Math.max(0, Math.floor((this.expiresMs - nowMs) / 1000))
      overwriteTtls(memory, at, records, leftSeconds)
    }
    this.agedSeconds = elapsedSeconds
  }

  /**
   * The image with the TTL of a stale answer (RFC 8767 4). A denial promises no more than it did while it was fresh: a cache behind this
   * one would hide a new Service for half a minute where CoreDNS had said five seconds.
   * @returns as `aged`
   */
  stale(ttlSeconds: number): Buffer {
    const keptSeconds = Math.ceil((this.expiresMs - this.storedMs) / 1000)
    const mostSeconds = this.isDenial ? Math.min(ttlSeconds, keptSeconds) : ttlSeconds
    overwriteTtls(this.memory, this.imageAt + this.recordsAt, this.records, mostSeconds)
    this.agedSeconds = -1
    return this.image()
  }

  /** The image with the TTLs last written. @returns as `aged` */
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
  /** See `CacheEntry`; default false. */
  readonly deniesFamily?: boolean
  /** Its parts come from several upstream groups; default false. */
  readonly isJoined?: boolean
  readonly lifetimeSeconds: number
  readonly route: Route
  readonly routeGeneration: number
  readonly nowMs: number
  /** Flushes (`FlushLog.count`) when its question was asked; absent: there is no question. */
  readonly asOf?: number
}
