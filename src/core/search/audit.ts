/**
 * Proof that what is answered without asking is what CoreDNS would have said. The first denial of each subject is asked for
 * instead of given; of the others one in so many is asked of CoreDNS in the background. An answer other than NXDOMAIN opens
 * the breaker: that kind is asked, not answered, for ten minutes. A false NXDOMAIN sends a client to a public name, so
 * there is no second chance.
 */
import { LatestMap } from '../cache/latest-map.ts'
import { Contradictions } from './contradictions.ts'

/** How long a kind stays off after a mismatch, and how long the check of a subject counts. */
const breakerMs = 600_000
/**
 * So long the denials of a new subject wait for what CoreDNS says of the first. Then they are given, and checked in the
 * background: a CoreDNS that is down must not take the shapes along that cannot grow old (SP-17, SP-20).
 */
const firstMs = 2000
const kindsMax = 20_000
/** Where denials are few, a name that was never checked is so after this many times the least gap. */
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
  /** Subjects and names. */
  private readonly auditedUntilMs = new LatestMap<number>(kindsMax)
  /** Subjects that are being asked about for the first time, and since when. */
  private readonly firstAskedMs = new LatestMap<number>(kindsMax)
  /** Rules by which something was denied since they were contradicted last. */
  private readonly usedRules = new Set<string>()
  private readonly openUntilMs = new LatestMap<number>(kindsMax)
  readonly contradictions = new Contradictions()

  /** @param oneIn 0 audits first uses only */
  constructor(oneIn: number) {
    this.oneIn = oneIn
    this.left = oneIn
  }

  /** Whether denials of this kind may not be made now. @param kind a structural rule, or the name of a cut */
  isOpen(kind: string, nowMs: number): boolean {
    if (this.openUntilMs.size === 0) return false
    return nowMs < (this.openUntilMs.get(kind) ?? 0)
  }

  /**
   * Whether a denial has to be asked for instead of given: nothing that stands or falls with it was ever checked.
   * @param subject what is the same about denials that stand or fall together
   */
  isFirst(subject: string, nowMs: number): boolean {
    if (this.isProved(subject)) return false
    const askedMs = this.firstAskedMs.get(subject)
    return askedMs === undefined || nowMs < askedMs + firstMs
  }

  /** A denial of this subject is being asked for instead of given. */
  noteFirst(subject: string, nowMs: number): void {
    if (!this.firstAskedMs.has(subject)) this.firstAskedMs.set(subject, nowMs)
  }

  /** Whether a denial of this subject was checked, lately or long ago. */
  isProved(subject: string): boolean {
    return this.auditedUntilMs.has(subject)
  }

  /** CoreDNS itself has denied a name of this subject. */
  confirm(subject: string, nowMs: number): void {
    if (!this.firstAskedMs.delete(subject)) return
    this.audits += 1
    this.auditedUntilMs.set(subject, nowMs + breakerMs)
  }

  /** Something is being denied by this rule. */
  noteUse(rule: string): void {
    this.usedRules.add(rule)
  }

  /** @returns whether anything was denied by the rule since this was asked last */
  takeUse(rule: string): boolean {
    return this.usedRules.delete(rule)
  }

  /**
   * Whether the denial that is being made now is to be checked. Names that were not checked lately come first: what a Corefile
   * adds are single names, and those in demand are soon all covered.
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
    this.auditedUntilMs.set(subject, nowMs + breakerMs)
    this.auditedUntilMs.set(name, nowMs + breakerMs)
    this.audits += 1
  }

  /** A denial that was given is not what CoreDNS says. */
  mismatch(kind: string, nowMs: number): void {
    this.mismatches += 1
    this.trip(kind, nowMs)
  }

  /** A name exists that this kind would have denied: off, before it does harm. */
  trip(kind: string, nowMs: number, forMs = breakerMs): void {
    this.openUntilMs.set(kind, nowMs + forMs)
  }

  /** Kinds that are off now. */
  openKinds(nowMs: number): string[] {
    return [...this.openUntilMs.all()]
      .filter(([, untilMs]) => nowMs < untilMs)
      .map(([kind]) => kind)
  }
}
