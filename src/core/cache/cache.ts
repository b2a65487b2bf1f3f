/**
 * The cached answers of upstreams, and when each may be used: fresh, due for a refresh, or stale (RFC 2308, RFC 8767). Stores
 * whole messages under their question, never single records under their owner: an answer can say nothing about any other name
 * (CVE-2025-40778, MaginotDNS). Reads no clock.
 */

import { Rcode } from '../../wire/constants.ts'
import type { Route } from '../router.ts'
import { DenialFilter } from './denial-filter.ts'
import { CacheEntry, type CacheSettings, type StoredAnswer } from './entry.ts'
import { FlushLog } from './flush-log.ts'
import { hashLike, keyLike, type QuestionKey } from './key.ts'
import { type Selection, selectsAnswer } from './selection.ts'
import { CacheStats } from './stats.ts'
import { CacheStore } from './store.ts'

/** Keeps copies of entries elsewhere. */
export interface CacheWatcher {
  /** The entry will not be what it is, or not be there, when the call that changes it returns. @param isReplaced a newer answer follows */
  leaving(entry: CacheEntry, isReplaced: boolean): void
  /** An answer was stored, in a new entry or a known one. */
  stored(entry: CacheEntry): void
  /** @returns uses of the entry, of which the last may not have been counted for it yet */
  usesOf(entry: CacheEntry): number
}

/** Entries that were evicted, for the next answers: each makes room for one, but for a large one several. */
const spareMax = 16

export class Cache {
  settings: CacheSettings
  watcher: CacheWatcher | undefined
  readonly stats: CacheStats
  readonly flushes = new FlushLog()
  private readonly store: CacheStore<CacheEntry>
  /** Entries whose parts have several owners. A field in every entry would cost eight bytes of memory each. */
  private readonly joined = new WeakSet<CacheEntry>()
  private readonly spare: CacheEntry[] = []
  /** Names with an NXDOMAIN for any type. */
  private readonly denied = new DenialFilter(16)

  constructor(settings: CacheSettings) {
    this.settings = settings
    this.store = new CacheStore<CacheEntry>(settings, (entry) => this.onEvicted(entry))
    this.stats = new CacheStats(this.store)
  }

  get bytes(): number {
    return this.store.bytes
  }

  /** Applies new settings to answers stored from now on; sizes apply at once. */
  reconfigure(settings: CacheSettings): void {
    const { entriesMax, bytesMax, denialPercent } = this.settings
    this.settings = settings
    const hasSameShare = denialPercent === settings.denialPercent
    if (hasSameShare && entriesMax === settings.entriesMax && bytesMax === settings.bytesMax) return
    this.store.resize(settings)
  }

  /** Finds what is known about a question, fresh or not, and counts a use. */
  lookup(key: QuestionKey): CacheEntry | undefined {
    return this.store.get(key)
  }

  /** As `lookup`, without counting a use. */
  peek(key: QuestionKey): CacheEntry | undefined {
    return this.store.peek(key.text(), key.nameHash)
  }

  /** As `peek`, by the key as text. @param hash of the name */
  peekText(key: string, hash: number): CacheEntry | undefined {
    return this.store.peek(key, hash)
  }

  /** Finds the entry of another type of the key's name. */
  peekType(key: QuestionKey, qtype: number): CacheEntry | undefined {
    // Nearly always it is not there: then its key need not be made.
    if (!this.store.mayHave(key.nameHash, key.hashOfType(qtype))) return undefined
    return this.store.peek(key.ofType(qtype), key.nameHash)
  }

  /** Finds the entry of another type of a name. @param key of a question about any name, as a model. @param hash of the name */
  peekLike(key: string, name: string, hash: number, qtype: number): CacheEntry | undefined {
    if (!this.store.mayHave(hash, hashLike(key, hash, qtype))) return undefined
    return this.store.peek(keyLike(key, name, qtype), hash)
  }

  /** Whether a refresh should be started now; true once per entry. */
  takeRefreshDue(entry: CacheEntry, nowMs: number): boolean {
    entry.hits += 1
    if (nowMs < entry.refreshAtMs || entry.isRefreshSpent) return false
    if (entry.hits < this.settings.prefetch.hitsMin) return false
    entry.isRefreshSpent = true
    return true
  }

  /**
   * Counts uses of an entry from which others have answered. @param uses one or more
   * @returns as `takeRefreshDue`
   */
  noteUses(entry: CacheEntry, uses: number, nowMs: number): boolean {
    // Twice: that is what keeps an entry.
    for (let i = 0; i < Math.min(uses, 2); i++) this.store.getText(entry.key, entry.hash)
    entry.hits += uses - 1
    return this.takeRefreshDue(entry, nowMs)
  }

  /** @returns uses of an entry, also of copies elsewhere */
  usesOf(entry: CacheEntry): number {
    return this.watcher?.usesOf(entry) ?? entry.hits
  }

  /** @returns the entry, or undefined when the answer is too large to be kept, which is counted, or was flushed meanwhile */
  put(answer: StoredAnswer): CacheEntry | undefined {
    const { key, hash, asOf } = answer
    if (asOf !== undefined && asOf !== this.flushes.count && this.flushes.covers(asOf, answer))
      return undefined
    const known = this.store.peek(key, hash)
    if (known !== undefined) this.watcher?.leaving(known, true)
    // A refreshed answer nearly always has the length of the old one: no new entry, and no hole in the memory.
    if (known?.renew(answer, this.settings) === true) return this.told(this.noted(known, answer))
    const entry = this.noted(this.entryFor(answer), answer)
    const isKept = known === undefined ? this.store.add(entry) : this.store.set(entry)
    if (isKept) return this.told(entry)
    this.stats.refused += 1
    return undefined
  }

  /**
   * Restores an entry of another process.
   * @param answer its TTLs are the present ones, `nowMs` is when it was stored there
   * @returns false when it is of no use any more, or too large
   */
  restore(answer: StoredAnswer, hits: number, nowMs: number): boolean {
    const entry = this.noted(new CacheEntry(answer, this.settings), answer)
    entry.restored(hits, nowMs)
    this.tellLeaving(answer.key, answer.hash)
    return entry.isUsableStale(nowMs) && this.store.set(entry)
  }

  /**
   * All entries, recently used ones last. Entries that are added or move during a slow iteration may be missing or come twice; each is
   * what it is only until the next one is asked for.
   */
  *all(): Generator<CacheEntry> {
    yield* this.store.all()
  }

  /**
   * All entries in parts, each as it is when it is asked for. Between two parts the cache may change: then those of the last part are
   * nobody's, or other questions'.
   */
  *parts(): Generator<readonly CacheEntry[]> {
    yield* this.store.parts()
  }

  /** Drops entries of a part that are meant, for whoever still holds one as well. @returns how many */
  dropFrom(part: readonly CacheEntry[], selection: Selection): number {
    let dropped = 0
    for (const entry of part) {
      const { key, isDenial } = entry
      if (!selectsAnswer(selection, { key, isDenial, image: entry.image() })) continue
      entry.end()
      this.drop(key, entry.hash)
      dropped += 1
    }
    return dropped
  }

  /** False when no NXDOMAIN in the cache denies any type of the name; true says nothing. @param hash of the name */
  mayDeny(hash: number, nowMs: number): boolean {
    return this.denied.mayHold(hash, nowMs)
  }

  /** Whether the parts of an answer have several owners. */
  isJoined(entry: CacheEntry): boolean {
    return this.joined.has(entry)
  }

  /**
   * Whether an entry is what its name's present route gives. A joined answer is not, once any zone has changed.
   * @param route of the name
   * @param generation of the routes
   */
  isOf(entry: CacheEntry, route: Route, generation: number): boolean {
    const isChanged = entry.routeGeneration !== generation
    return entry.route === route && !(isChanged && this.joined.has(entry))
  }

  /** An entry that outlives a few thousand misses is promoted: made anew for each miss, that is most of what a collection marks. */
  private entryFor(answer: StoredAnswer): CacheEntry {
    const { settings, spare } = this
    return spare.pop()?.reuse(answer, settings) ?? new CacheEntry(answer, settings)
  }

  private onEvicted(entry: CacheEntry): void {
    this.watcher?.leaving(entry, false)
    if (!entry.isHeld && this.spare.length < spareMax) this.spare.push(entry)
  }

  private noted(entry: CacheEntry, { isJoined }: StoredAnswer): CacheEntry {
    if (isJoined === true) this.joined.add(entry)
    else this.joined.delete(entry)
    if (entry.rcode === Rcode.nxdomain) this.denied.note(entry.hash, entry.staleUntilMs)
    return entry
  }

  drop(key: string, hash: number): void {
    this.tellLeaving(key, hash)
    this.store.delete(key, hash)
  }

  private tellLeaving(key: string, hash: number): void {
    const { watcher } = this
    const entry = watcher && this.store.peek(key, hash)
    if (entry !== undefined) watcher?.leaving(entry, false)
  }

  private told(entry: CacheEntry): CacheEntry {
    this.watcher?.stored(entry)
    return entry
  }
}
