/**
 * Proof that what is answered without asking is what CoreDNS would have said. One in so many synthesised denials, and the
 * first of each kind, is asked of CoreDNS in the background. An answer other than NXDOMAIN opens the breaker: that kind is
 * asked, not answered, for ten minutes. A false NXDOMAIN sends a client to a public name, so there is no second chance.
 */

/** How long a kind stays off after a mismatch, and how long the audit of its first use counts. */
const breakerMs = 600_000
const kindsMax = 20_000
/** Where denials are few, a name that was never checked is so after this many times the least gap. */
const idleFactor = 5

import { SearchDoubts } from './search-doubts.ts'

export interface AuditStats {
  readonly audits: number
  readonly mismatches: number
}

export class SearchAudit {
  audits = 0
  mismatches = 0
  private oneIn: number
  private left: number
  private sampledMs = Number.NEGATIVE_INFINITY
  private readonly auditedUntilMs = new Map<string, number>()
  private readonly openUntilMs = new Map<string, number>()
  readonly doubts = new SearchDoubts()

  /** @param oneIn 0 audits first uses only */
  constructor(oneIn: number) {
    this.oneIn = oneIn
    this.left = oneIn
  }

  reconfigure(oneIn: number): void {
    this.oneIn = oneIn
    this.left = oneIn
  }

  /** Whether denials of this kind may not be made now. @param kind a structural rule, or the name of a cut */
  isOpen(kind: string, nowMs: number): boolean {
    if (this.openUntilMs.size === 0) return false
    const untilMs = this.openUntilMs.get(kind)
    if (untilMs === undefined) return false
    if (nowMs < untilMs) return true
    this.openUntilMs.delete(kind)
    return false
  }

  /**
   * Whether the denial that is being made now is to be checked. Names that were not checked lately come first: what a Corefile
   * adds are single names, and those in demand are soon all covered.
   * @param subject what is the same about denials that stand or fall together
   * @param name the denied name
   */
  isDue(subject: string, name: string, nowMs: number): boolean {
    const { oneIn, auditedUntilMs } = this
    this.left -= 1
    if (nowMs >= (auditedUntilMs.get(subject) ?? 0)) return true
    const sinceMs = nowMs - this.sampledMs
    // As many milliseconds as denials: proof does not grow with the load, and CoreDNS's share of it should not either.
    if (oneIn === 0 || sinceMs < oneIn) return false
    if (this.left <= -oneIn) return true
    const isTurn = this.left <= 0 || sinceMs >= idleFactor * oneIn
    return isTurn && nowMs >= (auditedUntilMs.get(name) ?? 0)
  }

  /** The question that checks it is on its way. */
  begin(subject: string, name: string, nowMs: number): void {
    this.left = this.oneIn
    this.sampledMs = nowMs
    remember(this.auditedUntilMs, subject, nowMs + breakerMs)
    remember(this.auditedUntilMs, name, nowMs + breakerMs)
    this.audits += 1
  }

  /** A denial that was given is not what CoreDNS says. */
  mismatch(kind: string, nowMs: number): void {
    this.mismatches += 1
    this.trip(kind, nowMs)
  }

  /** A name exists that this kind would have denied: off, before it does harm. */
  trip(kind: string, nowMs: number, forMs = breakerMs): void {
    remember(this.openUntilMs, kind, nowMs + forMs)
  }

  /** Kinds that are off now. */
  openKinds(nowMs: number): string[] {
    return [...this.openUntilMs].filter(([, untilMs]) => nowMs < untilMs).map(([kind]) => kind)
  }
}

function remember(map: Map<string, number>, key: string, untilMs: number): void {
  map.delete(key)
  if (map.size >= kindsMax) {
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }
  map.set(key, untilMs)
}
