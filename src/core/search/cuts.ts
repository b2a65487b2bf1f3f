/**
 * Learned cuts: names of which CoreDNS has just said that they do not exist, and below which therefore nothing does
 * (RFC 8020). Only at the depths where CoreDNS keeps that rule, and for a few seconds: a cut says nothing that a cached
 * NXDOMAIN of the same age would not say, it says it about more names. Also remembers which of those names exist, so
 * that they are not asked for again and again.
 */
import { LatestMap } from '../cache/latest-map.ts'
import { pairMs } from './pairs.ts'

/** Most seconds a cut may live, whatever its SOA says: what NodeLocal DNSCache's `denial 9984 5` promises users. */
export const cutSecondsMax = 5
/**
 * A cut that was used is asked for again this long before its use ends: enough for an answer, and no more, because this is what
 * keeps asking CoreDNS (84 cuts of a busy node: 18 a second).
 */
const refreshMs = 100
/** A cut that has ended so lately is asked for in place of the names below it: they will hardly be there now. */
const lapsedMs = 60_000
/** For so long nobody asks whether what was seen to exist still does. To be wrong costs the saving below it, no answer. */
const existenceMs = 60_000
/** What is known to exist is not noted anew for so long. */
const relearnMs = 1000
/** Namespaces with pods on a node times top-level domains in use; a cut is some 300 octets. */
const cutsMax = 20_000

/** What is known about one possible cut point. */
export interface Cut {
  readonly exists: boolean
  readonly learnedMs: number
  readonly expiresMs: number
  /** No new pair is denied after this; before `expiresMs`, so that the second half of the last one still can be. */
  readonly usableUntilMs: number
  /** A probe for it is under way. */
  isProbing: boolean
}

export class CutTable {
  /** Names by folded wire octets, as a one-byte string. */
  private readonly cuts = new LatestMap<Cut>(cutsMax)

  get size(): number {
    return this.cuts.size
  }

  /** @returns what is known now, or undefined */
  get(name: string, nowMs: number): Cut | undefined {
    const cut = this.cuts.get(name)
    return cut !== undefined && nowMs < cut.usableUntilMs ? cut : undefined
  }

  /** @returns a cut that has ended, but not long ago */
  getLapsed(name: string, nowMs: number): Cut | undefined {
    const cut = this.cuts.get(name)
    if (cut === undefined || cut.exists || nowMs < cut.usableUntilMs) return undefined
    return nowMs < cut.usableUntilMs + lapsedMs ? cut : undefined
  }

  /** Whether a question about it would tell something new that is likely to be of use. */
  isWorthProbing(name: string, nowMs: number): boolean {
    const cut = this.cuts.get(name)
    if (cut === undefined) return true
    return nowMs >= (cut.exists ? cut.learnedMs + existenceMs : cut.usableUntilMs)
  }

  /** The name does not exist. @param seconds life of the evidence: the smaller of SOA TTL and MINIMUM */
  learnAbsence(name: string, seconds: number, nowMs: number): void {
    this.learn(name, false, seconds, nowMs)
  }

  /**
   * The name exists, or one below it.
   * @param seconds life of the evidence; 0 where it proves nothing, but that the name is no cut
   * @returns whether a cut was killed
   */
  learnExistence(name: string, seconds: number, nowMs: number): boolean {
    const cut = this.cuts.get(name)
    const isKilled = cut !== undefined && !cut.exists && nowMs < cut.usableUntilMs
    if (seconds === 0) this.cuts.delete(name)
    // A namespace is told to exist by each answer from it.
    else if (cut?.exists !== true || nowMs >= cut.learnedMs + relearnMs)
      this.learn(name, true, seconds, nowMs)
    return isKilled
  }

  private learn(name: string, exists: boolean, seconds: number, timeMs: number): void {
    // Whole milliseconds: V8 keeps small integers in the object, and fractions beside it.
    const nowMs = Math.floor(timeMs)
    const expiresMs = nowMs + Math.min(seconds, cutSecondsMax) * 1000
    this.cuts.set(name, {
      exists,
      learnedMs: nowMs,
      expiresMs,
      usableUntilMs: exists ? expiresMs : expiresMs - pairMs,
      isProbing: false,
    })
  }

  /** Whether a cut is in use and about to end: its probe should be sent now. Says so once. */
  takeRefreshDue(cut: Cut, nowMs: number): boolean {
    if (!this.isRefreshDue(cut, nowMs)) return false
    cut.isProbing = true
    return true
  }

  /** As `takeRefreshDue`, as often as it is asked. */
  isRefreshDue({ isProbing, usableUntilMs }: Cut, nowMs: number): boolean {
    return !isProbing && nowMs >= usableUntilMs - refreshMs
  }
}
