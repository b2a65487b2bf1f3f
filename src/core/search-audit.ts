/**
 * Proof that what is answered without asking is what CoreDNS would have said. One in so many synthesised denials, and the
 * first of each kind, is asked of CoreDNS in the background. An answer other than NXDOMAIN opens the breaker: that kind is
 * asked, not answered, for ten minutes. A false NXDOMAIN sends a client to a public name, so there is no second chance.
 */

/** How long a kind stays off after a mismatch, and how long the audit of its first use counts. */
const breakerMs = 600_000
const kindsMax = 20_000
/** How long a cut is suspect: later, what CoreDNS says of it may be about another world again. */
const suspicionMs = 2000
/** Each is an audit that failed a moment ago; so many are a world that changes as a whole. */
const suspectsMax = 1000
/** Where denials are few, a name that was never checked is so after this many times the least gap. */
const idleFactor = 5

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
  /** At most one for each audit under way. */
  private readonly suspects = new Map<string, { name: string; untilMs: number }>()

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

  /**
   * A name below this cut exists. Most likely the cut was right and the cluster has changed since, as it may within the life
   * of a cut; it was wrong if CoreDNS still denies the cut itself. Whoever asks it that next will tell.
   * @param name the denied name, folded wire form, one character an octet
   */
  suspect(cut: string, name: string, nowMs: number): void {
    if (this.suspects.size >= suspectsMax) this.suspects.clear()
    this.suspects.set(cut, { name, untilMs: nowMs + suspicionMs })
  }

  /**
   * CoreDNS has spoken about a cut that may be suspect: that settles it.
   * @returns the name that was denied from it and exists, while the suspicion lasts
   */
  takeSuspect(cut: string, nowMs: number): string | undefined {
    if (this.suspects.size === 0) return undefined
    const suspect = this.suspects.get(cut)
    this.suspects.delete(cut)
    return suspect !== undefined && nowMs < suspect.untilMs ? suspect.name : undefined
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
