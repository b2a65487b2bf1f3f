/**
 * The TCP or TLS connections to one upstream, and the questions that wait for a place on them. CoreDNS serves the queries of one
 * connection one after another, so questions are spread: fewest in flight first, few on each, and none on silent connections.
 * Dials on demand; an upstream that does not answer is dialled twice a second at most.
 */
import type { Attempt, Carrier, ExchangeContext, Upstream } from './attempt.ts'
import type { AttemptFailure, MismatchReason } from './counters.ts'
import type { StreamSettings, UpstreamAddress } from './settings.ts'
import { type ConnectionHost, StreamConnection } from './stream-connection.ts'

/** Dials per second while no connection has proved that the upstream answers. */
const blindDialsPerSecond = 2
/** A dial costs up to this share more, so that nodes do not dial in step. */
const dialJitter = 0.2
/** Two at once: one address may stand for several servers, one of them dead. */
const dialTokensMax = 2 * (1 + dialJitter)
/** How long each connection carries only one question after the upstream has closed a young one with questions open ... */
const singleUseMs = 2000
/** ... and after this many such closes within a second: then it is no restart but the server's habit. */
const habitMs = 10_000
const habitLosses = 3
const habitSpanMs = 1000
const quietMsMin = 100
/** Longer than a turn of a busy event loop; a slow answer is noticed before many questions queue behind it. */
const briskGapMs = 10
/** Stalled connections are kept beside those in use, because a slow answer may still come. */
const stalledFactor = 2

/** `wait`: a connection will become free or open. `none`: there is none to wait for. */
type Place = StreamConnection | 'wait' | 'none'

export class StreamPool implements ConnectionHost, Carrier {
  readonly target: UpstreamAddress
  settings: StreamSettings
  tlsSession: Buffer | undefined
  private readonly upstream: Upstream
  private readonly context: ExchangeContext
  private readonly connections: StreamConnection[] = []
  private readonly queue: Attempt[] = []
  private isRetired = false
  private isDispatching = false
  private dialTokens = dialTokensMax
  private tokensAtMs = 0
  private singleUseUntilMs = Number.NEGATIVE_INFINITY
  private losses = 0
  private firstLossMs = Number.NEGATIVE_INFINITY
  private lastFailure: AttemptFailure = 'unreachable'

  constructor(upstream: Upstream, settings: StreamSettings, context: ExchangeContext) {
    this.upstream = upstream
    this.target = upstream.address
    this.settings = settings
    this.context = context
  }

  get load(): number {
    let sum = this.queue.length
    for (const connection of this.connections) sum += connection.load
    return sum
  }

  get openCount(): number {
    let count = 0
    for (const connection of this.connections) if (connection.state === 'open') count++
    return count
  }

  /** @returns why the question can neither be sent nor wait; undefined when it was taken */
  submit(attempt: Attempt): AttemptFailure | undefined {
    if (this.isRetired) return 'closed'
    if (this.queue.length >= this.settings.queueMax) return 'overloaded'
    if (this.queue.length > 0) {
      this.enqueue(attempt)
      this.dispatch()
      return undefined
    }
    const place = this.placeFor(attempt)
    if (place === 'none') return this.noteDeadEnd()
    if (place === 'wait') this.enqueue(attempt)
    else place.send(attempt)
    return undefined
  }

  private enqueue(attempt: Attempt): void {
    attempt.carrier = this
    this.queue.push(attempt)
  }

  forget(attempt: Attempt): void {
    const at = this.queue.indexOf(attempt)
    if (at >= 0) this.queue.splice(at, 1)
  }

  /** Questions have waited longer than usual: one more dial, if one is due. */
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
    for (const attempt of this.queue.splice(0)) attempt.fail('closed')
    for (const connection of [...this.connections]) connection.close('closed')
  }

  onOpen(_connection: StreamConnection): void {
    this.upstream.counters.connectionsOpened++
    this.dispatch()
  }

  onFirstAnswer(): void {
    this.allowDial()
  }

  /** There is reason to believe that the upstream answers. */
  allowDial(): void {
    this.dialTokens = dialTokensMax
  }

  onRoom(): void {
    if (this.queue.length > 0) this.dispatch()
  }

  onStray(why: MismatchReason): void {
    this.upstream.counters.mismatches[why]++
  }

  onClosed(connection: StreamConnection, why: AttemptFailure, lost: readonly Attempt[]): void {
    this.connections.splice(this.connections.indexOf(connection), 1)
    if (!connection.wasOpen) this.noteFailedDial(why)
    else if (why === 'connection-lost') this.noteLoss(connection, lost.length > 0)
    for (const attempt of lost) attempt.fail(why)
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
    this.upstream.noteFailure(why, this.context.wheel.nowMs())
  }

  /** A restart ends old connections that worked, and an idle one may end; a server that closes young ones does so habitually. */
  private noteLoss(connection: StreamConnection, hasLost: boolean): void {
    const nowMs = this.context.wheel.nowMs()
    if (hasLost) this.lastFailure = 'connection-lost'
    if (!connection.wasUseless(nowMs)) return
    this.upstream.health.isUnwell(nowMs)
    if (!hasLost || connection.answers === 0) return
    if (nowMs - this.firstLossMs > habitSpanMs) {
      this.firstLossMs = nowMs
      this.losses = 0
    }
    const forMs = ++this.losses >= habitLosses ? habitMs : singleUseMs
    this.singleUseUntilMs = Math.max(this.singleUseUntilMs, nowMs + forMs)
  }

  /**
   * Places queued questions in order. Not reentrant: a question that fails here is often asked again here, and one such question
   * in a queue of a thousand would nest a thousand deep.
   */
  private dispatch(): void {
    if (this.isDispatching) return
    this.isDispatching = true
    this.placeQueued()
    this.isDispatching = false
  }

  private placeQueued(): void {
    for (let attempt = this.queue[0]; attempt !== undefined; attempt = this.queue[0]) {
      const place = this.placeFor(attempt)
      if (place === 'wait') return
      this.queue.shift()
      if (place === 'none') attempt.fail(this.noteDeadEnd())
      else place.send(attempt)
    }
    this.endIfRetired()
  }

  private endIfRetired(): void {
    if (!this.isRetired || this.queue.length > 0) return
    for (const connection of [...this.connections]) connection.retire()
  }

  private placeFor(attempt: Attempt): Place {
    const nowMs = this.context.wheel.nowMs()
    const inUse = this.countInUse(nowMs)
    const mayDial = inUse < this.settings.connections
    const lively = this.leastLoaded(attempt, nowMs, false)
    if (lively?.load === 0) return lively
    if (mayDial) this.dial(nowMs)
    const isDialing = this.connections.some((connection) => connection.state === 'dialing')
    // The dial is for the next question; this one waits for it only if it has waited behind another before.
    if (lively !== undefined && (attempt.kind === 'first' || !isDialing)) return lively
    if (isDialing) return 'wait'
    // Silent connections may belong to a busy server: while there is one, its answers are worth waiting for.
    return this.leastLoaded(attempt, nowMs, true) ?? (this.connections.length > 0 ? 'wait' : 'none')
  }

  /** Connections that new questions can use, now or once they are open. */
  private countInUse(nowMs: number): number {
    const quietMs = this.quietMs()
    let count = 0
    for (const connection of this.connections) {
      connection.checkAge(nowMs)
      // A used one may already be closing.
      if (nowMs < this.singleUseUntilMs && connection.wasUsed) connection.retireSoon(nowMs)
      if (!connection.isRetiring && !connection.isQuiet(nowMs, quietMs)) count++
    }
    return count
  }

  /** @param quiet whether to look among recently silent connections, or among the others */
  private leastLoaded(
    attempt: Attempt,
    nowMs: number,
    quiet: boolean,
  ): StreamConnection | undefined {
    const quietMs = this.quietMs()
    let best: StreamConnection | undefined
    for (const connection of this.connections) {
      if (!connection.hasRoom(this.depthOf(connection, nowMs))) continue
      if (connection.isQuiet(nowMs, quietMs) !== quiet) continue
      if (best !== undefined && connection.load >= best.load) continue
      // A hedge must not wait behind the question that it hedges.
      if (!attempt.siblings.waitsOn(connection)) best = connection
    }
    return best
  }

  private depthOf(connection: StreamConnection, nowMs: number): number {
    if (nowMs < this.singleUseUntilMs) return 1
    const { queriesPerConnection, burstPerConnection } = this.settings
    if (!connection.isBrisk(nowMs, briskGapMs)) return queriesPerConnection
    return Math.max(queriesPerConnection, burstPerConnection)
  }

  private dial(nowMs: number): void {
    if (this.isRetired) return
    if (this.connections.length >= this.settings.connections * stalledFactor) return
    if (!this.isProven(nowMs) && !this.takeDialToken(nowMs)) return
    this.connections.push(new StreamConnection(this, this.context))
  }

  /** Whether a connection that is open now has had answers. */
  private isProven(nowMs: number): boolean {
    const quietMs = this.quietMs()
    return this.connections.some(
      (connection) => connection.answers > 0 && !connection.isQuiet(nowMs, quietMs),
    )
  }

  /** Silence after which new questions avoid a connection; longer than a turn of a busy event loop. */
  private quietMs(): number {
    return Math.max(this.upstream.hedgeDelay.delayMs, quietMsMin)
  }

  private takeDialToken(nowMs: number): boolean {
    const earned = ((nowMs - this.tokensAtMs) * blindDialsPerSecond) / 1000
    this.dialTokens = Math.min(dialTokensMax, this.dialTokens + earned)
    this.tokensAtMs = nowMs
    if (this.dialTokens < 1) return false
    this.dialTokens -= 1 + this.context.random.fraction() * dialJitter
    return true
  }
}
