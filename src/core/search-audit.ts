/**
 * Proof that what is answered without asking is what CoreDNS would have said. One in so many synthesised denials, and the
 * first of each kind, is asked of CoreDNS in the background. An answer other than NXDOMAIN opens the breaker: that kind is
 * asked, not answered, for ten minutes. A false NXDOMAIN sends a client to a public name, so there is no second chance.
 */

/** How long a kind stays off after a mismatch, and how long the audit of its first use counts. */
const breakerMs = 600_000
const kindsMax = 20_000

export interface AuditStats {
  readonly audits: number
  readonly mismatches: number
}

export class SearchAudit {
  audits = 0
  mismatches = 0
  private oneIn: number
  private left: number
  private readonly auditedUntilMs = new Map<string, number>()
  private readonly openUntilMs = new Map<string, number>()

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

  /** Whether the denial that is being made now is to be checked. */
  isDue(kind: string, nowMs: number): boolean {
    const isFirst = nowMs >= (this.auditedUntilMs.get(kind) ?? 0)
    this.left -= 1
    const isTurn = this.oneIn > 0 && this.left <= 0
    if (!isFirst && !isTurn) return false
    if (isTurn) this.left = this.oneIn
    remember(this.auditedUntilMs, kind, nowMs + breakerMs)
    this.audits += 1
    return true
  }

  /** A denial that was given is not what CoreDNS says. */
  mismatch(kind: string, nowMs: number): void {
    this.mismatches += 1
    this.trip(kind, nowMs)
  }

  /** A name exists that this kind would have denied: off, before it does harm. */
  trip(kind: string, nowMs: number): void {
    remember(this.openUntilMs, kind, nowMs + breakerMs)
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
