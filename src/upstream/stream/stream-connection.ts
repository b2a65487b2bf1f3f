/**
 * One TCP or TLS connection to an upstream: IDs, writes gathered per turn of the event loop, replies in any order, and timers for
 * silence, idleness and age (RFC 7766 6.2). TCP keepalive is silent while data is unacknowledged, and Node has no
 * TCP_USER_TIMEOUT, so a dead connection shows only by missing replies. Opens no other connection and places no questions: the
 * pool does.
 */
import type { Socket } from 'node:net'
import type { Claim } from '../../core/sharing/shares.ts'
import { type WheelTask, WheelTimer } from '../../platform/timer-wheel.ts'
import { u16 } from '../../wire/bytes.ts'
import { headerBytes } from '../../wire/constants.ts'
import { FrameReader } from '../../wire/framing.ts'
import { type Attempt, type Carrier, type ExchangeContext, examineReply } from '../attempt.ts'
import type { AttemptFailure, MismatchReason } from '../counters.ts'
import { Standing } from '../policy/stream-habits.ts'
import type { StreamSettings } from '../settings.ts'
import { type DialEvents, type DialTerms, dial, dialFailure } from './dial.ts'
import { Outbox } from './outbox.ts'
import { Unanswered } from './unanswered.ts'

/** Silence with a question open after which that question is asked on another connection. */
const stalledAfterMs = 500
/** Silence after which a connection without awaited questions is given up. */
const deadAfterMs = 2000
/** Packets that fit no question after which the connection is given up. */
const mismatchesMax = 16
/** A connection that ends during use with fewer answers was useless: its server is avoided where others can answer. */
const usefulAnswers = 4
const usedLatelyMs = 1000
/** Random share of the age limit: connections opened together must not end together. */
const ageJitter = 0.2

/** The pool as its connections see it. */
export interface ConnectionHost extends DialTerms {
  readonly settings: StreamSettings
  onOpen(connection: StreamConnection): void
  onFirstAnswer(): void
  onAnswer(connection: StreamConnection, attempt: Attempt, wasHead: boolean): void
  /** A question was answered, so there is room for another. */
  onRoom(): void
  /** A message arrived that belongs to no question here. */
  onStray(why: MismatchReason): void
  /** @param lost questions that were sent and not answered */
  onClosed(connection: StreamConnection, why: AttemptFailure, lost: readonly Attempt[]): void
}

export type ConnectionState = 'dialing' | 'open' | 'closed'

export class StreamConnection implements Carrier, WheelTask, DialEvents {
  state: ConnectionState = 'dialing'
  /** The dial succeeded at some time. */
  wasOpen = false
  /** Takes no new questions: too old, or no longer wanted. */
  isRetiring = false
  /** Accepted replies, late ones included. */
  answers = 0
  /** Takes no shared question until the next answer: its head is slow, or is expected to be. Whose place it is (`StreamLines`). */
  heldFor: Claim | undefined
  /** The server has answered others since the head came up, so that the head is at fault. */
  isHeadSlow = false
  /** Its one question was expected to be slow, by a server that answered others at that time. */
  isLent = false
  sent = 0
  private mismatches = 0
  private readonly host: ConnectionHost
  private readonly context: ExchangeContext
  private readonly socket: Socket
  private readonly reader = new FrameReader()
  private readonly timer = new WheelTimer(this)
  /** A question that was given up keeps its ID until its reply comes or the connection ends. */
  private readonly open = new Unanswered()
  private readonly outbox: Outbox
  readonly dialedMs: number
  private readonly retireAtMs: number
  private lastSentMs = 0
  /** Start of the present silence, and so when the head came up, while a question is open. */
  quietSinceMs = 0
  /** Time between the two latest answers, or between a question on an idle connection and its answer. */
  lastGapMs = Number.POSITIVE_INFINITY
  private stallReported = false

  constructor(host: ConnectionHost, context: ExchangeContext) {
    this.host = host
    this.context = context
    const nowMs = context.wheel.nowMs()
    const { ageMaxMs, connectTimeoutMs } = host.settings
    this.dialedMs = nowMs
    this.retireAtMs = nowMs + ageMaxMs * (1 - context.random.fraction() * ageJitter)
    this.socket = dial(host, context.tlsCa, this)
    this.outbox = new Outbox(this.socket)
    this.socket.on('error', (error) => this.onError(error))
    this.socket.on('end', () => this.close('connection-lost'))
    this.socket.on('close', () => this.close('connection-lost'))
    context.wheel.arm(this.timer, nowMs + connectTimeoutMs)
  }

  get isHeld(): boolean {
    return this.heldFor !== undefined
  }

  /** Questions that the peer has not answered, including those given up: it still works on them. */
  get load(): number {
    return this.open.size
  }

  /** The question that a peer which answers one after another works on. */
  get head(): Attempt | undefined {
    return this.open.first
  }

  /** The head first. */
  get unanswered(): readonly Attempt[] {
    return this.open.all()
  }

  hasRoom(depthMax: number): boolean {
    return this.state === 'open' && !this.isRetiring && this.open.size < depthMax
  }

  /** Whether it was used just now, with hardly any answers. */
  wasUseless(nowMs: number): boolean {
    return this.sent > 0 && this.answers < usefulAnswers && nowMs - this.lastSentMs < usedLatelyMs
  }

  checkAge(nowMs: number): void {
    if (nowMs >= this.retireAtMs) this.retireSoon(nowMs)
  }

  /** Takes no more questions, and closes at the next tick or with the last reply. */
  retireSoon(nowMs: number): void {
    if (this.isRetiring || this.state !== 'open') return
    this.isRetiring = true
    if (this.open.size === 0) this.context.wheel.arm(this.timer, nowMs)
  }

  /** Whether questions are open and nothing has arrived for `afterMs`. */
  isQuiet(nowMs: number, afterMs: number): boolean {
    return this.open.size > 0 && nowMs - this.quietSinceMs > afterMs
  }

  /** Whether answers come within `gapMs` of each other, and the next is not late. */
  isBrisk(nowMs: number, gapMs: number): boolean {
    return this.lastGapMs <= gapMs && !this.isQuiet(nowMs, gapMs)
  }

  send(attempt: Attempt): void {
    const nowMs = this.context.wheel.nowMs()
    const { counters } = attempt.upstream
    if (attempt.kind !== 'trial') counters.sent++
    if (this.open.size > 0) attempt.standing = Standing.behind
    else attempt.standing = this.sent > 0 ? Standing.reused : Standing.fresh
    if (this.sent++ > 0) counters.connectionsReused++
    attempt.carrier = this
    attempt.sentMs = nowMs
    attempt.id = this.freeId()
    this.lastSentMs = nowMs
    if (this.open.size === 0) {
      this.quietSinceMs = nowMs
      this.context.wheel.arm(this.timer, nowMs + stalledAfterMs)
    }
    this.open.add(attempt)
    this.outbox.add(attempt)
  }

  /** The ID stays taken: the reply may still come. */
  forget(): void {}

  retire(): void {
    this.isRetiring = true
    if (this.open.size === 0) this.close('closed')
  }

  close(why: AttemptFailure): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.context.wheel.disarm(this.timer)
    this.socket.destroy()
    this.reader.reset()
    this.host.onClosed(this, why, this.open.clear())
  }

  onTimer(nowMs: number): void {
    if (this.state === 'dialing') this.close('connect-timeout')
    else if (this.open.size > 0) this.watchSilence(nowMs)
    else this.watchIdle(nowMs)
  }

  onConnected(): void {
    if (this.state !== 'dialing') return
    this.state = 'open'
    this.wasOpen = true
    this.lastSentMs = this.context.wheel.nowMs()
    this.armIdle()
    this.host.onOpen(this)
  }

  private onError(error: NodeJS.ErrnoException): void {
    this.close(this.state === 'open' ? 'connection-lost' : dialFailure(error, this.host.target))
  }

  private freeId(): number {
    let id = this.context.random.id()
    while (this.open.withId(id) !== undefined) id = this.context.random.id()
    return id
  }

  onData(chunk: Buffer): void {
    this.reader.push(chunk)
    let reply = this.reader.next()
    while (reply !== undefined) {
      this.onMessage(reply)
      // The reply's owner may have closed this connection.
      reply = this.state === 'open' ? this.reader.next() : undefined
    }
  }

  private onMessage(reply: Buffer): void {
    const attempt = reply.length < headerBytes ? undefined : this.open.withId(u16(reply, 0))
    if (attempt === undefined) return this.onStray(reply.length < headerBytes ? 'short' : 'id')
    const message = examineReply(reply, attempt, this.context)
    if (typeof message === 'string') {
      attempt.mismatched(message)
      return this.countMismatch()
    }
    const nowMs = this.context.wheel.nowMs()
    const { head } = this
    if (head !== undefined && head !== attempt) head.wasPassed = true
    this.open.delete(attempt)
    if (++this.answers === 1) this.host.onFirstAnswer()
    this.lastGapMs = nowMs - this.quietSinceMs
    this.quietSinceMs = nowMs
    this.stallReported = false
    const wasHeld = this.isHeld
    this.host.onAnswer(this, attempt, head === attempt)
    if (attempt.isDone) {
      attempt.upstream.noteLateReply(attempt, nowMs)
    } else {
      attempt.isDone = true
      attempt.owner.onReply(attempt, message, this.context.scan)
    }
    this.afterReply(nowMs, wasHeld)
  }

  private afterReply(nowMs: number, wasHeld: boolean): void {
    if (this.state !== 'open') return
    // The peer would go on with what has been answered on another way, perhaps as slowly.
    if (wasHeld && this.open.size > 0 && !this.isAwaited()) return this.close('closed')
    if (this.open.size > 0) this.context.wheel.arm(this.timer, nowMs + stalledAfterMs)
    else if (this.isRetiring) return this.close('closed')
    else this.armIdle()
    this.host.onRoom()
  }

  private onStray(why: 'short' | 'id'): void {
    this.host.onStray(why)
    this.countMismatch()
  }

  private countMismatch(): void {
    if (++this.mismatches >= mismatchesMax) this.close('connection-lost')
  }

  private watchSilence(nowMs: number): void {
    const quietMs = nowMs - this.quietSinceMs
    if (quietMs < stalledAfterMs) {
      this.context.wheel.arm(this.timer, this.quietSinceMs + stalledAfterMs)
      return
    }
    if (quietMs >= deadAfterMs && !this.isAwaited()) return this.close('closed')
    this.context.wheel.arm(this.timer, nowMs + stalledAfterMs)
    if (this.stallReported) return
    this.stallReported = true
    for (const attempt of this.open.all()) {
      if (!attempt.isDone) attempt.owner.onStalled(attempt)
    }
  }

  /**
   * A question without an answer elsewhere may be one slow name, whose reply may come here first. When all questions were
   * answered elsewhere or given up, the connection is at fault.
   */
  private isAwaited(): boolean {
    return this.open.isAnyAwaited
  }

  private armIdle(): void {
    const { idleMs, freshSilentMs } = this.host.settings
    const lifeMs = this.sent === 0 ? freshSilentMs : idleMs
    this.context.wheel.arm(this.timer, this.lastSentMs + lifeMs)
  }

  private watchIdle(nowMs: number): void {
    const { idleMs, freshSilentMs } = this.host.settings
    const lifeMs = this.sent === 0 ? freshSilentMs : idleMs
    if (this.isRetiring || nowMs - this.lastSentMs >= lifeMs) this.close('closed')
    else this.armIdle()
  }
}
