/**
 * Checks that our denials are what CoreDNS would have said (SP-17 to SP-19). The first denial of each subject is asked instead of
 * given; later ones are sampled and asked of CoreDNS in the background. An answer other than NXDOMAIN opens the breaker: names of
 * that kind are asked, not denied, for ten minutes. A false NXDOMAIN sends a client to a public name, so there is no second
 * chance.
 */
import { LatestMap } from '../cache/latest-map.ts'
import { Contradictions } from './contradictions.ts'

/** How long a kind stays off after a mismatch, and how long the check of a subject counts. */
const breakerMs = 600_000
/**
 * How long denials of a new subject are held back while CoreDNS answers the first. After that they are given, and checked in the
 * background: a CoreDNS that is down must not disable structure, which cannot go stale (SP-17, SP-20).
 */
const firstMs = 2000
const kindsMax = 20_000
/** Where denials are rare, a name that was never checked is checked after this many times the minimum gap. */
const idleFactor = 5

export interface AuditStats {
  readonly audits: number
  readonly mismatches: number
}

export class SearchAudit {
  audits = 0
  mismatches = 0
  private readonly oneIn: number
  private left: number
  private sampledMs = Number.NEGATIVE_INFINITY
  /** By subject and by name. */
  private readonly auditedUntilMs = new LatestMap<number>(kindsMax)
  /** Subjects whose first question is in flight, and when it was asked. */
  private readonly firstAskedMs = new LatestMap<number>(kindsMax)
  /** Rules that have denied something since they were last contradicted. */
  private readonly usedRules = new Set<string>()
  private readonly openUntilMs = new LatestMap<number>(kindsMax)
  readonly contradictions = new Contradictions()

  /** @param oneIn 0 audits first uses only */
  constructor(oneIn: number) {
    this.oneIn = oneIn
    this.left = oneIn
  }

  /** Whether denials of this kind are switched off now. @param kind a structural rule, or the name of a cut */
  isOpen(kind: string, nowMs: number): boolean {
    if (this.openUntilMs.size === 0) return false
    return nowMs < (this.openUntilMs.get(kind) ?? 0)
  }

  /**
   * Whether a denial has to be asked instead of given, because no denial of its subject was ever checked.
   * @param subject what denials have in common that are right or wrong together
   */
  isFirst(subject: string, nowMs: number): boolean {
    if (this.isProved(subject)) return false
    const askedMs = this.firstAskedMs.get(subject)
    return askedMs === undefined || nowMs < askedMs + firstMs
  }

  /** Records that a denial of this subject is being asked instead of given. */
  noteFirst(subject: string, nowMs: number): void {
    if (!this.firstAskedMs.has(subject)) this.firstAskedMs.set(subject, nowMs)
  }

  /** Whether a denial of this subject was ever checked. */
  isProved(subject: string): boolean {
    return this.auditedUntilMs.has(subject)
  }

  /** CoreDNS itself has denied a name of this subject. */
  confirm(subject: string, nowMs: number): void {
    // The usual case; a look-up would put the name among V8's strings for good.
    if (this.firstAskedMs.size === 0 || !this.firstAskedMs.delete(subject)) return
    this.audits += 1
    this.auditedUntilMs.set(subject, nowMs + breakerMs)
  }

  /** Records that the rule is being used for a denial. */
  noteUse(rule: string): void {
    this.usedRules.add(rule)
  }

  /** @returns whether the rule has denied anything since the last call */
  takeUse(rule: string): boolean {
    return this.usedRules.delete(rule)
  }

  /**
   * Whether the denial that is being given should be checked. Names without a recent check come first: a Corefile adds single
   * names, and the names in demand are soon all covered.
   * @param name the denied name
   */
  isDue(subject: string, name: string, nowMs: number): boolean {
    const { oneIn, auditedUntilMs } = this
    this.left -= 1
    if (nowMs >= (auditedUntilMs.get(subject) ?? 0)) return true
    const sinceMs = nowMs - this.sampledMs
    // As many milliseconds as denials: the audit need not grow with the load, and its share of CoreDNS's load should not either.
    if (oneIn === 0 || sinceMs < oneIn) return false
    if (this.left <= -oneIn) return true
    const isTurn = this.left <= 0 || sinceMs >= idleFactor * oneIn
    return isTurn && nowMs >= (auditedUntilMs.get(name) ?? 0)
  }

  /** Records that the audit's question has been sent. */
  begin(subject: string, name: string, nowMs: number): void {
    this.left = this.oneIn
    this.sampledMs = nowMs
    this.auditedUntilMs.set(subject, nowMs + breakerMs)
    this.auditedUntilMs.set(name, nowMs + breakerMs)
    this.audits += 1
  }

  /** CoreDNS contradicts a denial that was given. */
  mismatch(kind: string, nowMs: number): void {
    this.mismatches += 1
    this.trip(kind, nowMs)
  }

  /** CoreDNS has a name that this kind would have denied: switches the kind off before it does harm. */
  trip(kind: string, nowMs: number, forMs = breakerMs): void {
    this.openUntilMs.set(kind, nowMs + forMs)
  }

  /** Kinds that are switched off now. */
  openKinds(nowMs: number): string[] {
    return [...this.openUntilMs.all()]
      .filter(([, untilMs]) => nowMs < untilMs)
      .map(([kind]) => kind)
  }
}
