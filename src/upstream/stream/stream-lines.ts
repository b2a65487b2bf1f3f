/**
 * The questions that wait for a place on the connections to one upstream, and whose turn is next. Connections that a slow or old
 * question holds are shared: one client or one domain cannot hold those that others need. Places nothing.
 */
import { FairLine } from '../../core/sharing/fair-line.ts'
import { refusalBy, type ShareOwner, type ShareRule, Shares } from '../../core/sharing/shares.ts'
import type { Attempt } from '../attempt.ts'
import type { StreamSettings } from '../settings.ts'
import { mayWait } from '../waiting.ts'

/**
 * Times more than a share has elsewhere: connections are few, and most of the time one burst wants them all. Names known to be slow may have
 * two thirds of the connections for a client, half for a domain ...
 */
const apartFactor = 2
/**
 * ... and names that are not known to be slow three quarters for a domain, six sevenths for a client, so that slow names beside them leave them
 * room: quick names wait for no place as long as the slow ones of their domain keep to theirs.
 */
const quickFactor = 6
/** Above all questions that one client may have in flight. */
const waitingFactor = 3

export class StreamLines {
  /** A place is a connection that is held. */
  readonly places: Shares
  private readonly waiting: Shares
  private readonly mayJoin: ShareRule
  private readonly quick: { readonly line: FairLine<Attempt>; readonly rule: ShareRule }
  private readonly apart: { readonly line: FairLine<Attempt>; readonly rule: ShareRule }

  constructor(settings: StreamSettings) {
    this.places = new Shares(placesIn(settings))
    this.waiting = new Shares(settings.queueMax)
    this.mayJoin = this.waiting.times(waitingFactor)
    this.quick = { line: new FairLine(), rule: this.places.times(quickFactor) }
    this.apart = { line: new FairLine(), rule: this.places.times(apartFactor) }
  }

  set settings(settings: StreamSettings) {
    this.places.setMax(placesIn(settings))
    this.waiting.setMax(settings.queueMax)
  }

  get length(): number {
    return this.quick.line.length + this.apart.line.length
  }

  /** Questions that could take a connection of their own now. */
  get apartWanted(): number {
    return this.hasNext(true) ? this.apart.line.length : 0
  }

  /** Whether a question waits in this line that could take a connection now. */
  hasNext(isApart: boolean): boolean {
    const { line, rule } = this.of(isApart)
    return line.hasNext(rule)
  }

  /** @returns whose share of the connections is used up */
  refusal(attempt: Attempt): ShareOwner | undefined {
    // The usual case: no connection is held.
    if (this.places.taken === 0) return undefined
    return refusalBy(this.of(attempt.isApart).rule, attempt.claim)
  }

  /**
   * Of slow names the newest goes first: where more are asked than are answered, the oldest would have no time left for an answer.
   * @returns the question whose turn it is, left in its line
   */
  next(isApart: boolean, newestFirst = false): Attempt | undefined {
    const { line, rule } = this.of(isApart)
    return line.peek(rule, newestFirst || isApart)
  }

  /** @param refusal why it has to wait, unless it is for want of a connection. @returns whether it may wait */
  add(attempt: Attempt, refusal: ShareOwner | undefined): boolean {
    if (refusal !== undefined && !mayWait(attempt)) return false
    if (refusalBy(this.mayJoin, attempt.claim) !== undefined) return false
    if (refusal !== undefined) {
      attempt.isHeld = true
      attempt.upstream.counters.waits[refusal]++
    }
    this.waiting.take(attempt.claim)
    this.of(attempt.isApart).line.add(attempt)
    return true
  }

  /** Takes it out for its turn. */
  serve(attempt: Attempt): void {
    this.of(attempt.isApart).line.serve(attempt)
    this.waiting.giveBack(attempt.claim)
  }

  remove(attempt: Attempt): void {
    if (this.of(attempt.isApart).line.remove(attempt)) this.waiting.giveBack(attempt.claim)
  }

  /** It has become known that it is slow. */
  setApart(attempt: Attempt): void {
    this.quick.line.remove(attempt)
    attempt.isApart = true
    this.apart.line.add(attempt)
  }

  /** Takes all out. */
  clear(): Attempt[] {
    const all = [...this.quick.line.clear(), ...this.apart.line.clear()]
    for (const { claim } of all) this.waiting.giveBack(claim)
    return all
  }

  private of(isApart: boolean) {
    return isApart ? this.apart : this.quick
  }
}

function placesIn({ connections, connectionsMax }: StreamSettings): number {
  return Math.max(connections, connectionsMax)
}
