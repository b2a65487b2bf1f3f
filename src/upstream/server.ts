/**
 * One upstream of one group: its transports, its health, its usual round trip, its counters. Sends what it is told to; which
 * upstream is asked, and when again, is decided elsewhere (`upstream/question.ts`, `upstream/policy/choice.ts`).
 */

import { formatUpstream } from '../address/upstream-url.ts'
import type { Attempt, ExchangeContext, QuestionFrame, Upstream } from './attempt.ts'
import { type AttemptFailure, UpstreamCounters } from './counters.ts'
import { type Candidate, speaksOfName } from './policy/choice.ts'
import { Dialect } from './policy/dialect.ts'
import { Rank, UpstreamHealth } from './policy/health.ts'
import { HedgeDelay } from './policy/hedge-delay.ts'
import type { ExchangeSettings, UpstreamAddress } from './settings.ts'
import { StreamPool } from './stream-pool.ts'
import { UpstreamTrial } from './trial.ts'
import { UdpTransport } from './udp.ts'

/** For one that has been silent for long: a resolver on the node's network answers from memory in this time. */
const downTimeoutMs = 200

export interface UpstreamWatcher {
  /** A valid reply arrived. @param isAnswer to a client's question, not to a trial of ours */
  onSignOfLife(isAnswer: boolean, nowMs: number): void
  onUpOrDown(upstream: UpstreamServer, up: boolean, why: string): void
}

export class UpstreamServer implements Candidate, Upstream {
  readonly address: UpstreamAddress
  readonly name: string
  readonly health = new UpstreamHealth()
  readonly hedgeDelay: HedgeDelay
  readonly counters = new UpstreamCounters()
  readonly dialect = new Dialect()
  private readonly context: ExchangeContext
  private readonly watcher: UpstreamWatcher
  private settings: ExchangeSettings
  private readonly udp: UdpTransport | undefined
  /** For a UDP upstream: created at the first truncated reply. */
  private pool: StreamPool | undefined
  private isRetired = false
  private readonly trial: UpstreamTrial

  constructor(
    address: UpstreamAddress,
    settings: ExchangeSettings,
    context: ExchangeContext,
    watcher: UpstreamWatcher,
  ) {
    this.address = address
    this.name = formatUpstream(address)
    this.settings = settings
    this.context = context
    this.watcher = watcher
    this.hedgeDelay = new HedgeDelay(settings.hedge)
    this.trial = new UpstreamTrial(this, context)
    if (address.transport === 'udp') this.udp = new UdpTransport(address, settings.udp, context)
  }

  get load(): number {
    return (this.udp?.load ?? 0) + (this.pool?.load ?? 0)
  }

  get roundTripMs(): number {
    return this.hedgeDelay.smoothedMs
  }

  get isUp(): boolean {
    return !this.health.isDown
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.pool?.openCount ?? 0
  }

  reconfigure(settings: ExchangeSettings): void {
    this.settings = settings
    this.hedgeDelay.reconfigure(settings.hedge)
    if (this.udp !== undefined) this.udp.settings = settings.udp
    if (this.pool !== undefined) this.pool.settings = settings.stream
  }

  /** @returns why it could not be sent; undefined when it was sent, or waits for a connection */
  send(attempt: Attempt): AttemptFailure | undefined {
    const failure = this.isRetired ? 'closed' : this.transmit(attempt)
    if (failure !== undefined) this.counters.failures[failure]++
    return failure
  }

  private transmit(attempt: Attempt): AttemptFailure | undefined {
    if (this.udp === undefined || attempt.overTcp) return this.streams().submit(attempt)
    const failure = this.udp.submit(attempt)
    if (failure !== undefined) this.noteFailure(failure, this.context.wheel.nowMs())
    else if (attempt.kind !== 'trial' && !attempt.isHeld) this.counters.sent++
    return failure
  }

  /** Called once for each valid reply. */
  noteReply(attempt: Attempt, rcode: number, nowMs: number): void {
    const tookMs = nowMs - attempt.sentMs
    this.noteLife(attempt, nowMs)
    if (attempt.kind === 'trial') return
    this.trial.remember(attempt, nowMs)
    this.counters.replied(rcode, tookMs)
    this.hedgeDelay.add(tookMs)
  }

  /** A reply to a question that is no longer awaited. */
  noteLateReply(attempt: Attempt, nowMs: number): void {
    this.counters.lateReplies++
    this.noteLife(attempt, nowMs)
    if (attempt.kind === 'trial') return
    this.hedgeDelay.add(nowMs - attempt.sentMs)
    // A slow name, so what was asked without EDNS meanwhile has proved nothing.
    if (attempt.hasOpt && speaksOfName(this.context.scan.rcode)) this.dialect.edns.worked()
  }

  /**
   * The attempt waited longer than usual. Counts against the upstream if it has been silent since.
   * @param isProof it has answered this question before
   */
  noteWait(attempt: Attempt, nowMs: number, isProof = false): void {
    if (attempt.isStruck || attempt.isHeld || this.health.lastReplyMs >= attempt.madeMs) return
    // An upstream's TCP beside UDP may not exist at all.
    if (attempt.overTcp) return
    attempt.isStruck = true
    this.counters.silences++
    if (this.health.stayedSilent(nowMs, isProof)) this.watcher.onUpOrDown(this, false, 'silent')
  }

  /** A socket failed, or a dial failed while no connection was open. */
  noteFailure(why: AttemptFailure, nowMs: number): void {
    // Our own limits say nothing about the upstream.
    if (why === 'overloaded' || why === 'closed') return
    if (this.health.refused(nowMs)) this.watcher.onUpOrDown(this, false, why)
  }

  /**
   * Sends a trial, unless one was sent recently.
   * @param clients a question that other upstreams are being asked now
   */
  tryOut(nowMs: number, clients?: QuestionFrame): void {
    if (this.isRetired || !this.health.takeTrial(nowMs, this.context.random.fraction())) return
    this.trial.begin(nowMs, clients)
  }

  /** Opens another connection when the present ones stay silent. */
  nudge(): void {
    this.pool?.nudge()
  }

  /** Whether it has answered any question within its usual time. */
  isLively(nowMs: number): boolean {
    return nowMs - this.health.lastReplyMs < this.hedgeDelay.delayMs
  }

  /**
   * How long a question waits for it before the next upstream is asked as well.
   * @param isOverTcp it has answered over UDP, and its TCP may not exist
   */
  timeoutMs(isOverTcp: boolean): number {
    const { timeout } = this.settings
    if (isOverTcp) return this.hedgeDelay.delayMs
    return this.isUp ? this.hedgeDelay.timeoutMs(timeout) : Math.min(timeout.minMs, downTimeoutMs)
  }

  /** Whether asking again unasked-for takes nothing from other questions: half of the sockets stay theirs. */
  get hasRoom(): boolean {
    return this.udp === undefined || this.udp.load < this.settings.udp.socketsMax / 2
  }

  isWell(nowMs: number): boolean {
    return this.health.rank(nowMs) === Rank.well
  }

  /** All other upstreams of the group have just gone down: this one may be dialled out of turn. */
  becomeLastHope(): void {
    this.pool?.allowDial()
  }

  /** Takes no more questions; those in flight are finished, then the connections close. */
  retire(): void {
    this.isRetired = true
    this.trial.cancel()
    this.pool?.retire()
  }

  /** Fails all questions in flight and closes everything. */
  stop(): void {
    this.isRetired = true
    this.trial.cancel()
    this.udp?.stop()
    this.pool?.stop()
  }

  private streams(): StreamPool {
    this.pool ??= new StreamPool(this, this.settings.stream, this.context)
    return this.pool
  }

  private noteLife({ kind }: Attempt, nowMs: number): void {
    const cameBack = this.health.replied(nowMs)
    this.watcher.onSignOfLife(kind !== 'trial', nowMs)
    if (!cameBack) return
    this.dialect.forget()
    this.watcher.onUpOrDown(this, true, 'answered')
  }
}
