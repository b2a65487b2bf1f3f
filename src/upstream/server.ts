/**
 * One upstream of one group: its transports, its health, its usual round trip, its counters. Sends what it is told to; which
 * upstream is asked, and when again, is decided elsewhere (`upstream/question.ts`, `upstream/policy/choice.ts`).
 */

import { formatUpstream } from '../address/upstream-url.ts'
import type { Attempt, ExchangeContext, QuestionFrame, Upstream } from './attempt.ts'
import { type AttemptFailure, UpstreamCounters } from './counters.ts'
import { type Candidate, isBareDenial, speaksOfName } from './policy/choice.ts'
import { Dialect } from './policy/dialect.ts'
import { Rank, UpstreamHealth } from './policy/health.ts'
import { HedgeDelay } from './policy/hedge-delay.ts'
import type { ExchangeSettings, UpstreamAddress } from './settings.ts'
import { SideDoor } from './stream/side-door.ts'
import { StreamPool } from './stream/stream-pool.ts'
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
  /** UDP, for a TCP upstream. */
  private readonly door: SideDoor | undefined
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
    if (address.transport === 'tcp') this.door = new SideDoor(address, settings.udp, context)
  }

  get load(): number {
    return (this.udp?.load ?? 0) + (this.door?.load ?? 0) + (this.pool?.load ?? 0)
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

  /** Those of them whose questions are slow. */
  get connectionsHeld(): number {
    return this.pool?.lanes.heldCount ?? 0
  }

  reconfigure(settings: ExchangeSettings): void {
    this.settings = settings
    this.hedgeDelay.reconfigure(settings.hedge)
    if (this.udp !== undefined) this.udp.settings = settings.udp
    if (this.door !== undefined) this.door.settings = settings.udp
    if (this.pool !== undefined) this.pool.settings = settings.stream
  }

  /** @returns why it could not be sent; undefined when it was sent, or waits for a connection */
  send(attempt: Attempt): AttemptFailure | undefined {
    const failure = this.isRetired ? 'closed' : this.transmit(attempt)
    if (failure !== undefined) this.counters.failures[failure]++
    return failure
  }

  private transmit(attempt: Attempt): AttemptFailure | undefined {
    if (this.udp === undefined || attempt.overTcp) return this.stream(attempt)
    const failure = this.udp.submit(attempt)
    if (failure !== undefined) this.noteFailure(failure, this.context.wheel.nowMs())
    else if (attempt.kind !== 'trial' && !attempt.isHeld) this.counters.sent++
    return failure
  }

  private stream(attempt: Attempt): AttemptFailure | undefined {
    const streams = this.streams()
    const isDoubtful = attempt.kind !== 'first' && streams.fates.mayBeDropped(attempt)
    attempt.isApart = isDoubtful || attempt.kind === 'overtake' || streams.expectsSlow(attempt)
    // Another connection shows whether it was dropped, and then the next ones need not be.
    const door = isDoubtful ? undefined : this.doorFor(attempt, streams)
    if (door === undefined || door.send(attempt) !== undefined) return streams.submit(attempt)
    this.counters.sent++
    this.counters.aside++
    return undefined
  }

  /** UDP is for what would wait or let others wait; once, because it may be lost there. */
  private doorFor(attempt: Attempt, streams: StreamPool): SideDoor | undefined {
    const { door } = this
    if (door === undefined || attempt.overTcp || attempt.kind === 'trial') return undefined
    if (!attempt.isApart && !(door.isProven && streams.wouldHoldUp(attempt))) return undefined
    if (!this.settings.stream.slowOverUdp || !door.isOpen(this.context.wheel.nowMs()))
      return undefined
    return attempt.siblings.at(this).some((one) => one.isAside) ? undefined : door
  }

  /** Called once for each valid reply. */
  noteReply(attempt: Attempt, rcode: number, nowMs: number): void {
    const tookMs = nowMs - attempt.sentMs
    attempt.endMs = nowMs
    attempt.rcode = rcode
    this.noteLife(attempt, nowMs)
    if (attempt.kind === 'trial') return
    this.trial.remember(attempt, nowMs)
    this.pool?.fates.noteAnswered(attempt, nowMs)
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
    const { scan } = this.context
    if (attempt.hasOpt && speaksOfName(scan.rcode)) this.dialect.edns.worked(!isBareDenial(scan))
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
  noteFailure(why: AttemptFailure, nowMs: number, attempt?: Attempt): void {
    if (attempt?.isAside === true) return this.door?.noteRefusal(nowMs)
    // Our own limits say nothing about the upstream.
    if (why === 'overloaded' || why === 'closed') return
    if (why === 'refused' && attempt !== undefined && this.asksOverTcpNext(attempt)) return
    if (this.health.refused(nowMs, attempt?.overTcp === true))
      this.watcher.onUpOrDown(this, false, why)
  }

  /** In an order a closed UDP port says nothing before TCP was tried, whose loss then counts for both (`learnFromLoss`). */
  private asksOverTcpNext({ kind, canGoOverTcp, siblings }: Attempt): boolean {
    if (this.settings.policy !== 'sequential' || kind === 'trial' || !this.isUp) return false
    return canGoOverTcp && !siblings.wentOverTcp(this)
  }

  /**
   * Sends a trial, unless one was sent recently.
   * @param clients a question that other upstreams are being asked now
   */
  tryOut(nowMs: number, clients?: QuestionFrame): void {
    if (this.isRetired || !this.health.takeTrial(nowMs, this.context.random.fraction())) return
    this.trial.begin(nowMs, clients)
  }

  /** Dead, and others stand in for it: trials go on without questions until it is back. */
  keepTrying(nowMs: number): void {
    if (!this.isRetired && this.health.isDead(nowMs)) this.trial.keepOn(nowMs)
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

  /** Until when it is no wonder that the answer has not come: the name is slow, and asked once more it would be as slow. */
  notLateBeforeMs(attempt: Attempt): number {
    const { pool, door } = this
    if (attempt.isAside && door?.isProven !== true) return 0
    return pool?.isSlow(attempt) === true ? attempt.sentMs + pool.speed.lateAfterMs : 0
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
    this.door?.stop()
    this.pool?.stop()
  }

  private streams(): StreamPool {
    this.pool ??= new StreamPool(this, this.settings.stream, this.context)
    return this.pool
  }

  private noteLife(attempt: Attempt, nowMs: number): void {
    this.pool?.noteLife(attempt, nowMs)
    const cameBack = this.health.replied(nowMs)
    this.door?.noteLife(attempt, nowMs)
    if (attempt.isAside) this.pool?.speed.noteApart(attempt, nowMs - attempt.sentMs)
    this.watcher.onSignOfLife(attempt.kind !== 'trial', nowMs)
    if (!cameBack) return
    this.dialect.forget()
    this.watcher.onUpOrDown(this, true, 'answered')
  }
}
