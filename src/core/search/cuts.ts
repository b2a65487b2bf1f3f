/**
 * Learned cuts: names that CoreDNS has just denied, and below which therefore nothing exists (RFC 8020). Cuts exist only at the
 * depths where CoreDNS keeps that rule (SP-7), and for a few seconds: a cut is no staler than a cached NXDOMAIN of the same age,
 * it covers more names. The table also remembers which of those names exist, so that they are not asked again and again.
 */
import { LatestNames } from '../cache/latest-names.ts'
import { pairMs } from './pairs.ts'

/** Longest life of a cut in seconds, whatever its SOA says: what NodeLocal DNSCache's `denial 9984 5` promises. */
export const cutSecondsMax = 5
/**
 * A cut in use is asked again this long before its use ends: enough for an answer, and no more, because these refreshes are the
 * steady load on CoreDNS (84 cuts of a busy node: 18 a second).
 */
const refreshMs = 100
/** A cut that ended this recently is asked in place of the names below it: they probably still do not exist. */
const lapsedMs = 60_000
/** Names seen to exist are not probed again for this long. A wrong entry costs the saving below the name, never an answer. */
const existenceMs = 60_000
/** A known existence is not recorded again for this long. */
const relearnMs = 1000
/** Namespaces with pods on a node times top-level domains in use; a cut takes some 100 bytes. */
const cutsMax = 20_000

/** What a table keeps of a cut. */
const Field = { exists: 0, learnedMs: 1, expiresMs: 2, isProbing: 3 } as const
const fields = 4
/** The cut in hand. */
const numbers = new Float64Array(fields)

/** What is known about one possible cut point, as it was when it was read. */
export interface Cut {
  readonly exists: boolean
  readonly learnedMs: number
  readonly expiresMs: number
  /**
   * No new pair is denied after this time; it is before `expiresMs`, so that the second half of the last pair can still be
   * denied.
   */
  readonly usableUntilMs: number
  /** A probe for it is in flight. */
  readonly isProbing: boolean
}

export class CutTable {
  /** By folded wire bytes, as a one-byte string. */
  private readonly cuts = new LatestNames(cutsMax, fields)

  get size(): number {
    return this.cuts.size
  }

  /** @returns what is known now, or undefined */
  get(name: string, nowMs: number): Cut | undefined {
    const cut = this.read(name)
    return cut !== undefined && nowMs < cut.usableUntilMs ? cut : undefined
  }

  /** @returns a cut that ended recently */
  getLapsed(name: string, nowMs: number): Cut | undefined {
    const cut = this.read(name)
    if (cut === undefined || cut.exists || nowMs < cut.usableUntilMs) return undefined
    return nowMs < cut.usableUntilMs + lapsedMs ? cut : undefined
  }

  /** Whether asking for the name would tell something new and useful. */
  isWorthProbing(name: string, nowMs: number): boolean {
    const cut = this.read(name)
    if (cut === undefined) return true
    return nowMs >= (cut.exists ? cut.learnedMs + existenceMs : cut.usableUntilMs)
  }

  /** The name does not exist. @param seconds life of the evidence: the smaller of SOA TTL and MINIMUM */
  learnAbsence(name: string, seconds: number, nowMs: number): void {
    this.learn(name, false, seconds, nowMs)
  }

  /**
   * The name exists, or one below it.
   * @param seconds life of the evidence; 0 when the evidence shows only that the name is no cut
   * @returns whether a cut was killed
   */
  learnExistence(name: string, seconds: number, nowMs: number): boolean {
    const cut = this.read(name)
    const isKilled = cut !== undefined && !cut.exists && nowMs < cut.usableUntilMs
    if (seconds === 0) this.cuts.delete(name)
    // Each answer from a namespace shows that the namespace exists.
    else if (cut?.exists !== true || nowMs >= cut.learnedMs + relearnMs)
      this.learn(name, true, seconds, nowMs)
    return isKilled
  }

  clear(): void {
    this.cuts.clear()
  }

  private learn(name: string, exists: boolean, seconds: number, timeMs: number): void {
    const nowMs = Math.floor(timeMs)
    numbers[Field.exists] = exists ? 1 : 0
    numbers[Field.learnedMs] = nowMs
    numbers[Field.expiresMs] = nowMs + Math.min(seconds, cutSecondsMax) * 1000
    numbers[Field.isProbing] = 0
    this.cuts.write(name, numbers)
  }

  /** A probe for the cut is sent now. */
  noteProbing(name: string): void {
    if (!this.cuts.read(name, numbers)) return
    numbers[Field.isProbing] = 1
    this.cuts.write(name, numbers)
  }

  /** Whether the cut is in use and about to end, so that its probe should be sent now. True once only. */
  takeRefreshDue(name: string, nowMs: number): boolean {
    const cut = this.read(name)
    if (cut === undefined || !this.isRefreshDue(cut, nowMs)) return false
    this.noteProbing(name)
    return true
  }

  /** As `takeRefreshDue`, but changes nothing. */
  isRefreshDue({ isProbing, usableUntilMs }: Cut, nowMs: number): boolean {
    return !isProbing && nowMs >= usableUntilMs - refreshMs
  }

  private read(name: string): Cut | undefined {
    if (!this.cuts.read(name, numbers)) return undefined
    const exists = numbers[Field.exists] === 1
    const expiresMs = numbers[Field.expiresMs] as number
    return {
      exists,
      learnedMs: numbers[Field.learnedMs] as number,
      expiresMs,
      usableUntilMs: exists ? expiresMs : expiresMs - pairMs,
      isProbing: numbers[Field.isProbing] === 1,
    }
  }
}
