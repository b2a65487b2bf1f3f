/**
 * The TCP or TLS connections to one upstream, and the questions that wait for a place on them. CoreDNS answers the questions of one
 * connection one after another, so none is put behind a head that is slow, and none stays there.
 */
import type { Attempt, Carrier, ExchangeContext, Upstream } from '../attempt.ts'
import type { AttemptFailure, MismatchReason } from '../counters.ts'
import { ServerSpeed } from '../policy/server-speed.ts'
import { Standing, StreamHabits } from '../policy/stream-habits.ts'
import type { StreamSettings, UpstreamAddress } from '../settings.ts'
import { HeadWatch, type HeldUp } from './head-watch.ts'
import type { ConnectionHost, StreamConnection } from './stream-connection.ts'
import { StreamFates } from './stream-fates.ts'
import { StreamLanes } from './stream-lanes.ts'
import { StreamLines } from './stream-lines.ts'

/** `wait`: a connection will become free or open. `none`: there is none to wait for. */
type Place = StreamConnection | 'wait' | 'none'

export class StreamPool implements ConnectionHost, Carrier, HeldUp {
  readonly target: UpstreamAddress
  readonly speed: ServerSpeed
  readonly lanes: StreamLanes
  readonly fates: StreamFates
  tlsSession: Buffer | undefined
  private readonly upstream: Upstream
  private readonly context: ExchangeContext
  private readonly lines: StreamLines
  private readonly habits = new StreamHabits()
  private readonly watch = new HeadWatch(this)
  /** In this round of the watch: a server that has stalled answers nobody, and few questions are enough to see it. */
  private probesLeft = 0
  private current: StreamSettings
  private isRetired = false
  private isDispatching = false
  private lastFailure: AttemptFailure = 'unreachable'

  constructor(upstream: Upstream, settings: StreamSettings, context: ExchangeContext) {
    this.upstream = upstream
    this.target = upstream.address
    this.current = settings
    this.context = context
    this.speed = new ServerSpeed(settings)
    this.fates = new StreamFates(this.habits, this.speed, context.wheel)
    this.lines = new StreamLines(settings)
    const { speed, habits, lines } = this
    const { places } = lines
    this.lanes = new StreamLanes(this, { upstream, context, habits, places, speed })
  }

  get load(): number {
    let sum = this.lines.length
    for (const connection of this.lanes.all) sum += connection.load
    return sum
  }

  get openCount(): number {
    return this.lanes.openCount
  }

  get settings(): StreamSettings {
    return this.current
  }

  set settings(settings: StreamSettings) {
    this.current = settings
    this.speed.settings = settings
    this.lines.settings = settings
    this.dispatch()
  }

  /** Whether a slow answer is no wonder. A head not expected to be slow may also have met a dead connection, and is asked again as usual. */
  isSlow(attempt: Attempt): boolean {
    return (attempt.isApart || attempt.isAside) && this.speed.expectsSlow(attempt)
  }

  /** Whether it is better asked another way than quick ones. */
  expectsSlow(attempt: Attempt): boolean {
    const [first = attempt] = attempt.siblings.all
    return this.speed.expectsSlow(attempt) && !this.speed.wasPaused(first.madeMs, this.nowMs())
  }

  /** Whether the question would wait behind slow ones here: all connections are held, or whoever asks has no share of them left. */
  wouldHoldUp(attempt: Attempt): boolean {
    return this.lanes.isHeldUp || this.lines.refusal(attempt) !== undefined
  }

  /** @returns why the question can neither be sent nor wait; undefined when it was taken */
  submit(attempt: Attempt): AttemptFailure | undefined {
    if (this.isRetired) return 'closed'
    const refusal = this.lines.refusal(attempt)
    const waitsBehind = this.lines.hasNext(attempt.isApart)
    if (refusal === undefined && !waitsBehind) {
      const place = this.placeFor(attempt)
      if (place === 'none') return this.noteDeadEnd()
      if (place !== 'wait') return this.put(attempt, place)
    }
    if (!this.lines.add(attempt, refusal)) return 'overloaded'
    attempt.carrier = this
    if (waitsBehind) this.dispatch()
    return undefined
  }

  private put(attempt: Attempt, connection: StreamConnection): undefined {
    connection.send(attempt)
    if (attempt.isApart) this.lanes.hold(connection, attempt)
    connection.isLent = attempt.isApart && this.lanes.isLively(this.nowMs())
    this.watch.begin()
    if (!attempt.isHeld) return
    attempt.isHeld = false
    attempt.owner.onSent(attempt)
  }

  forget(attempt: Attempt): void {
    this.lines.remove(attempt)
  }

  /** Questions have waited longer than usual. */
  nudge(): void {
    this.dispatch()
  }

  /** Waiting questions are still sent; then the connections close as they become free. */
  retire(): void {
    this.isRetired = true
    this.endIfRetired()
  }

  stop(): void {
    this.isRetired = true
    this.watch.stop()
    for (const attempt of this.lines.clear()) attempt.fail('closed')
    for (const connection of [...this.lanes.all]) connection.close('closed')
  }

  onOpen({ dialedMs }: StreamConnection): void {
    this.upstream.counters.connectionsOpened++
    this.speed.noteDial(this.nowMs() - dialedMs)
    this.dispatch()
  }

  onFirstAnswer(): void {
    this.allowDial()
  }

  /** There is reason to believe that the upstream answers. */
  allowDial(): void {
    this.lanes.dials.refill()
  }

  onAnswer(connection: StreamConnection, attempt: Attempt, wasHead: boolean): void {
    const { lastGapMs, isHeadSlow } = connection
    this.fates.noteReply(attempt, wasHead)
    if (!attempt.isApart && !isHeadSlow && attempt.standing !== Standing.behind)
      this.speed.noteRoundTrip(lastGapMs)
    this.speed.noteAnswer(attempt, lastGapMs, isHeadSlow)
    this.lanes.free(connection)
  }

  /** An answer has come, on whatever way, and is not noted as the latest yet. */
  noteLife(attempt: Attempt, nowMs: number): void {
    const tookMs = nowMs - attempt.sentMs
    if (tookMs < this.speed.slowAfterMs) return
    this.speed.noteSilence(tookMs, nowMs - this.lanes.silentSinceMs(attempt), nowMs)
  }

  onRoom(): void {
    if (this.lines.length > 0) this.dispatch()
  }

  onStray(why: MismatchReason): void {
    this.upstream.counters.mismatches[why]++
  }

  onClosed(connection: StreamConnection, why: AttemptFailure, lost: readonly Attempt[]): void {
    this.lanes.remove(connection)
    if (!connection.wasOpen) this.noteFailedDial(why)
    else if (why === 'connection-lost') this.noteLoss(connection, lost)
    for (const attempt of lost) attempt.fail(why)
    this.dispatch()
  }

  nowMs(): number {
    return this.context.wheel.nowMs()
  }

  get slowAfterMs(): number {
    return this.speed.slowAfterMs
  }

  isPassed({ quietSinceMs }: StreamConnection): boolean {
    return this.speed.isPassed(quietSinceMs, this.upstream.health.lastReplyMs, this.nowMs())
  }

  watched(): readonly StreamConnection[] {
    if (this.habits.isConcurrent(this.nowMs())) return []
    return this.lanes.all.filter(({ state, load }) => state === 'open' && load > 0)
  }

  onOldHead(connection: StreamConnection, isHeadSlow: boolean): void {
    const [head, ...behind] = connection.unanswered
    if (head === undefined) return
    this.lanes.holdOld(connection, head)
    const isDoubtful = !this.habits.answers(head.standing)
    if (isDoubtful && this.fates.dropIfSilent(connection, this.upstream)) return
    if (isHeadSlow && !isDoubtful && !connection.isHeadSlow) {
      connection.isHeadSlow = true
      this.speed.noteSlow(head)
    }
    for (const attempt of behind) {
      if (attempt.isDone || attempt.wasOvertaken) continue
      if (!isHeadSlow && this.probesLeft-- <= 0) return
      attempt.wasOvertaken = true
      attempt.owner.onHeldUp(attempt)
    }
  }

  onWatched(): void {
    this.probesLeft = this.settings.connections - this.lines.apartWanted
    this.dispatch()
  }

  private noteFailedDial(why: AttemptFailure): void {
    this.upstream.counters.connectionsFailed++
    this.lastFailure = why
    // One dead pod behind a service address does not take the service down.
    if (this.openCount === 0) this.noteUnreachable(why)
  }

  /** No connection is open or being dialled, and it is too early to dial again. */
  private noteDeadEnd(): AttemptFailure {
    this.noteUnreachable(this.lastFailure)
    return this.lastFailure
  }

  private noteUnreachable(why: AttemptFailure): void {
    // An upstream's TCP beside UDP may not exist at all.
    if (this.target.transport === 'udp' || this.isRetired) return
    this.upstream.noteFailure(why, this.nowMs())
  }

  /** A restart ends old connections that worked, and an idle one may end; a server that closes young ones does so habitually. */
  private noteLoss(connection: StreamConnection, lost: readonly Attempt[]): void {
    const nowMs = this.nowMs()
    if (lost.some(({ wasDropped }) => wasDropped)) return
    if (lost.length > 0) this.lastFailure = 'connection-lost'
    if (!connection.wasUseless(nowMs)) return
    this.upstream.health.isUnwell(nowMs)
    // With no answer at all, several questions on it may be why.
    if (lost.length > (connection.answers === 0 ? 1 : 0)) this.habits.noteLoss(nowMs)
  }

  /** Places waiting questions in order. Not reentrant: one that fails here is often asked again here, and a thousand would nest as deep. */
  private dispatch(): void {
    if (this.isDispatching) return
    this.isDispatching = true
    this.placeAll(false)
    this.placeAll(true)
    this.isDispatching = false
    this.endIfRetired()
  }

  private placeAll(isApart: boolean): void {
    const { lanes, lines } = this
    for (;;) {
      const attempt = lines.next(isApart, lanes.isStuck(this.nowMs()))
      if (attempt === undefined) return
      if (!isApart && this.expectsSlow(attempt)) {
        // It has become known while the question waited.
        lines.setApart(attempt)
        continue
      }
      const place = this.placeFor(attempt)
      if (place === 'wait') return
      lines.serve(attempt)
      if (place === 'none') attempt.fail(this.noteDeadEnd())
      else this.put(attempt, place)
    }
  }

  private endIfRetired(): void {
    if (!this.isRetired || this.lines.length > 0) return
    for (const connection of [...this.lanes.all]) connection.retire()
  }

  private placeFor(attempt: Attempt): Place {
    const { lanes } = this
    const nowMs = this.nowMs()
    lanes.tidy(nowMs)
    const lively = lanes.placeFor(attempt, nowMs)
    const isEasy = lively?.load === 0 && lanes.spareWanted(nowMs) === 0
    if (!isEasy && !this.isRetired)
      lanes.grow(nowMs, this.lines.apartWanted + (attempt.isApart ? 1 : 0))
    if (lively?.load === 0) return lively
    // The dial is for the next question; this one waits for it only if it has waited behind another before.
    if (lively !== undefined && (attempt.kind === 'first' || !lanes.isDialing)) return lively
    return lanes.all.length > 0 ? 'wait' : 'none'
  }
}
