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

/**
 * In the order in which they are served: a trial, because its answer shows that the names are slow and not the server; what waits for a
 * connection; what had no share of the connections when it came; and what is known to be slow. The latter two take a connection each, so
 * that those behind them do not wait for that.
 */
export const lineNames = ['trial', 'quick', 'refused', 'apart'] as const
export type LineName = (typeof lineNames)[number]

/** Whether it takes a connection that nothing else waits on. Who has used up his share of the connections may be asking for slow names. */
export function wantsOwn({ isApart, isHeld }: Attempt): boolean {
  return isApart || isHeld
}

interface Line {
  readonly line: FairLine<Attempt>
  readonly rule: ShareRule
}

export class StreamLines {
  /** A place is a connection that is held. */
  readonly places: Shares
  private readonly waiting: Shares
  private readonly mayJoin: ShareRule
  private readonly lines: Readonly<Record<LineName, Line>>

  constructor(settings: StreamSettings) {
    this.places = new Shares(placesIn(settings))
    this.waiting = new Shares(settings.queueMax)
    this.mayJoin = this.waiting.times(waitingFactor)
    const rule = this.places.times(quickFactor)
    this.lines = {
      trial: { line: new FairLine(), rule },
      quick: { line: new FairLine(), rule },
      refused: { line: new FairLine(), rule },
      apart: { line: new FairLine(), rule: this.places.times(apartFactor) },
    }
  }

  set settings(settings: StreamSettings) {
    this.places.setMax(placesIn(settings))
    this.waiting.setMax(settings.queueMax)
  }

  get length(): number {
    let sum = 0
    for (const name of lineNames) sum += this.lines[name].line.length
    return sum
  }

  /** Questions that could take a connection of their own now. */
  get apartWanted(): number {
    return this.hasNext('apart') ? this.lines.apart.line.length : 0
  }

  /** Whether a question waits in this line that could take a connection now. */
  hasNext(name: LineName): boolean {
    const { line, rule } = this.lines[name]
    return line.hasNext(rule)
  }

  /** @returns whose share of the connections is used up */
  refusal(attempt: Attempt): ShareOwner | undefined {
    if (this.places.taken === 0) return undefined
    return refusalBy(this.of(attempt).rule, attempt.claim)
  }

  /**
   * Of slow names the newest goes first: where more are asked than are answered, the oldest would have no time left for an answer.
   * @returns the question whose turn it is, left in its line
   */
  next(name: LineName, newestFirst = false): Attempt | undefined {
    const { line, rule } = this.lines[name]
    return line.peek(rule, newestFirst || name === 'apart')
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
    this.of(attempt).line.add(attempt)
    return true
  }

  /** Takes it out for its turn. */
  serve(attempt: Attempt): void {
    this.of(attempt).line.serve(attempt)
    this.waiting.giveBack(attempt.claim)
  }

  remove(attempt: Attempt): void {
    if (this.of(attempt).line.remove(attempt)) this.waiting.giveBack(attempt.claim)
  }

  /** It has become known that it is slow. */
  setApart(attempt: Attempt): void {
    this.of(attempt).line.remove(attempt)
    attempt.isApart = true
    this.of(attempt).line.add(attempt)
  }

  /** Takes all out. */
  clear(): Attempt[] {
    const all = lineNames.flatMap((name) => this.lines[name].line.clear())
    for (const { claim } of all) this.waiting.giveBack(claim)
    return all
  }

  /** The line that it is in, or would be. */
  lineOf({ isApart, isHeld, kind }: Attempt): LineName {
    if (kind === 'trial') return 'trial'
    if (isApart) return 'apart'
    return isHeld ? 'refused' : 'quick'
  }

  private of(attempt: Attempt): Line {
    return this.lines[this.lineOf(attempt)]
  }
}

function placesIn({ connections, connectionsMax }: StreamSettings): number {
  return Math.max(connections, connectionsMax)
}
