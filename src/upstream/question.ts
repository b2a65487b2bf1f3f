/**
 * One question's way through the upstreams of its group: first choice, hedge when it takes longer than usual, fail-over, replay,
 * TCP after TC, plain DNS after FORMERR; the first usable answer ends it. Bounded in packets (`attemptsMax`) and in time. Reports
 * exactly one outcome. Knows no socket, and judges upstreams only through their health.
 */
import type { Ask, ExchangeFailure, OutcomeSink } from '../core/ports.ts'
import { type WheelTask, WheelTimer } from '../platform/timer-wheel.ts'
import { withoutOpt } from '../wire/query.ts'
import { type ResponseScan, scanResponse } from '../wire/scan.ts'
import {
  Attempt,
  type AttemptKind,
  AttemptList,
  type AttemptOwner,
  type Upstream,
} from './attempt.ts'
import type { AttemptFailure } from './counters.ts'
import { KeptReply } from './kept-reply.ts'
import { isCutAnswer, isUnhelpful, refusesEdns } from './policy/choice.ts'
import type { OpenQuestion, QuestionGroup } from './question-group.ts'
import { QuestionTimes, trialAfterMs } from './question-times.ts'

export class UpstreamQuestion implements AttemptOwner, OpenQuestion, WheelTask {
  private readonly group: QuestionGroup
  private readonly ask: Ask
  private readonly sink: OutcomeSink<Ask>
  private readonly attempts = new AttemptList()
  private readonly timer = new WheelTimer(this)
  private readonly times: QuestionTimes
  private hedges = 0
  private isFinished = false
  private failure: ExchangeFailure | undefined
  /** SERVFAIL or the like, or half an answer: passed on when no upstream has a better one. */
  private kept: KeptReply | undefined
  private hasSpent = false
  private sawMalformed = false
  /** An attempt was lost for another reason than one of our limits. */
  private sawFault = false

  constructor(group: QuestionGroup, ask: Ask, sink: OutcomeSink<Ask>) {
    this.group = group
    this.ask = ask
    this.sink = sink
    this.times = new QuestionTimes(group, ask.mayRecurse, group.nowMs())
  }

  begin(): void {
    const upstream = this.group.firstChoice(this.times.startMs)
    if (upstream === undefined) return this.fail('unreachable')
    this.launch(upstream, 'first')
    this.settleOrWait()
  }

  /** Reports an outcome that was settled without a reply in hand; the exchange calls it in a later turn. */
  deliver(): void {
    const { kept, group } = this
    if (kept === undefined || this.failure !== undefined)
      return this.sink.onOutcome(this.ask, { kind: 'failed', why: this.failure ?? 'timeout' })
    const { scan } = group.context
    scanResponse(kept.reply, kept.reply.length, scan)
    const { reply, upstream } = kept
    this.sink.onOutcome(this.ask, { kind: 'answer', reply, scan, upstream: upstream.name })
  }

  onReply(attempt: Attempt, reply: Buffer, scan: ResponseScan): void {
    const { upstream } = attempt
    upstream.noteReply(attempt, scan.rcode, this.group.nowMs())
    if (isCutAnswer(scan)) return this.onTruncated(attempt, reply, scan)
    if (!isUnhelpful(reply, scan)) return this.answer(attempt, reply, scan)
    this.keep(reply, scan, upstream)
    if (attempt.hasOpt && refusesEdns(scan.rcode) && this.askPlain(upstream)) return
    if (!this.failOver()) this.settleWithKept()
  }

  onLost(attempt: Attempt, why: AttemptFailure): void {
    if (this.isFinished) return
    this.noteLoss(why)
    this.replace(attempt, why)
    this.settleOrWait()
  }

  onStalled(attempt: Attempt): void {
    if (this.isFinished || this.attempts.lastLive() !== attempt) return
    const tried = this.attempts.upstreams()
    const upstream = this.group.otherChoice(tried) ?? this.group.otherChoice([])
    if (upstream === undefined) return
    // Not charged to the budget: it is one packet for each question on a connection that seems dead.
    this.launch(upstream, 'replay')
    this.settleOrWait()
  }

  onSuspicion(attempt: Attempt): void {
    if (this.isFinished || !attempt.canGoOverTcp) return
    this.launch(attempt.upstream, 'tcp')
    this.settleOrWait()
  }

  onSent({ kind, upstream }: Attempt): void {
    if (kind === 'first') this.times.sent(this.group.nowMs(), upstream.hedgeDelay.after(0))
    this.rearm()
  }

  onTimer(nowMs: number): void {
    const { times } = this
    if (times.isHeld) return nowMs >= times.endMs ? this.fail('overloaded') : this.rearm()
    times.noteUnheard(nowMs)
    if (nowMs >= times.endMs) return this.expire(nowMs)
    if (times.takeTrial(nowMs)) this.attempts.askForSignsOfLife(nowMs, trialAfterMs)
    if (nowMs >= times.hedgeAtMs) this.hedge(nowMs)
    this.settleOrWait()
  }

  /** Sends the question once more, if allowed; if sending fails, to another upstream at once. */
  private launch(upstream: Upstream, kind: AttemptKind): boolean {
    if (this.isFinished || !this.attempts.mayGrow(this.group.settings.attemptsMax)) return false
    const nowMs = this.group.nowMs()
    const { frame, questionEnd } = this.ask
    const isPlain = kind === 'plain' || upstream.speaksPlain(nowMs)
    const attempt = new Attempt(this, upstream, {
      kind,
      frame: isPlain ? withoutOpt(frame, questionEnd) : frame,
      questionEnd,
      overTcp: kind === 'tcp' || this.attempts.wentOverTcp(upstream),
      siblings: this.attempts,
      madeMs: nowMs,
      claim: this.ask.claim,
    })
    this.attempts.add(attempt)
    if (kind === 'hedge') this.group.counters.hedges++
    else if (kind !== 'first') this.group.counters.retries++
    this.times.hedgeAtMs = Math.ceil(nowMs + upstream.hedgeDelay.after(this.hedges))
    const failure = upstream.send(attempt)
    this.times.isHeld = attempt.isHeld && kind === 'first'
    if (failure === undefined) return true
    attempt.isDone = true
    this.noteLoss(failure)
    return this.replace(attempt, failure)
  }

  /** Asks again in place of a lost attempt. */
  private replace(lost: Attempt, why: AttemptFailure): boolean {
    // There is no socket to spare for it: the question waits on, for the upstream that has it.
    if (why === 'overloaded' && lost.kind === 'hedge') return false
    // The server is gone, but perhaps not all servers behind the address: once more, on another connection.
    if (why === 'connection-lost' && lost.kind !== 'replay') {
      return this.launch(lost.upstream, 'replay')
    }
    const tried = this.attempts.upstreams()
    const other = this.group.otherChoice(tried) ?? this.group.trialChoice(tried)
    if (other !== undefined) return this.launch(other, 'failover')
    const isHopeless = why === 'overloaded' || why === 'closed' || this.kept?.isCut === true
    if (isHopeless || this.attempts.lastLive() !== undefined) return false
    // One refusal takes no upstream down; where there is no other, it is asked once more.
    const again = this.group.otherChoice([])
    return again !== undefined && this.launch(again, 'failover')
  }

  /** TCP has the rest, or another upstream; TCP that fails leaves half an answer, whose TC bit lets the client try for itself. */
  private onTruncated(attempt: Attempt, reply: Buffer, scan: ResponseScan): void {
    const { upstream } = attempt
    upstream.counters.truncated++
    this.keep(reply, scan, upstream)
    this.times.boundSilence(this.group.nowMs())
    if (!attempt.canGoOverTcp || !this.launch(upstream, 'tcp')) {
      const other = this.group.otherChoice(this.attempts.upstreams())
      if (other !== undefined && this.attempts.lastLive() === undefined)
        this.launch(other, 'failover')
    }
    this.settleOrWait()
  }

  /** @returns false when the question may not be sent again */
  private askPlain(upstream: Upstream): boolean {
    if (!this.attempts.mayGrow(this.group.settings.attemptsMax)) return false
    this.launch(upstream, 'plain')
    this.settleOrWait()
    return true
  }

  /** @returns true when another upstream may have an answer */
  private failOver(): boolean {
    if (!this.group.settings.failover) return false
    if (this.attempts.lastLive() === undefined) {
      const other = this.group.otherChoice(this.attempts.upstreams())
      if (
        other === undefined ||
        !this.attempts.mayGrow(this.group.settings.attemptsMax) ||
        !this.group.spend(this.group.failovers)
      )
        return false
      this.hasSpent = true
      this.launch(other, 'failover')
    }
    this.settleOrWait()
    return true
  }

  private keep(reply: Buffer, scan: ResponseScan, upstream: Upstream): void {
    if (this.kept === undefined) this.kept = new KeptReply(reply, scan, upstream)
    else this.kept.offer(reply, scan, upstream)
  }

  private answer(attempt: Attempt, reply: Buffer, scan: ResponseScan): void {
    const { upstream } = attempt
    this.noteHelp(attempt)
    if (attempt.kind === 'hedge') this.group.counters.hedgesWon++
    this.finish()
    this.group.counters.answers++
    this.sink.onOutcome(this.ask, { kind: 'answer', reply, scan, upstream: upstream.name })
  }

  private noteHelp({ upstream, kind }: Attempt): void {
    upstream.health.helped()
    if (kind === 'plain') upstream.rememberPlain(this.group.nowMs())
    if (this.kept === undefined || this.kept.isCut || this.kept.upstream === upstream) return
    this.kept.upstream.health.wasRescued(this.group.nowMs())
    if (this.hasSpent) this.group.failovers.refund(1)
  }

  private hedge(nowMs: number): void {
    this.attempts.noteWaits(nowMs)
    const last = this.attempts.lastLive()
    if (last === undefined) return
    const other = this.group.otherChoice(this.attempts.upstreams())
    this.hedges++
    this.times.hedgeAtMs = Math.ceil(nowMs + last.upstream.hedgeDelay.after(this.hedges))
    if (last.sentMs === 0) {
      // It waits for a connection. One being opened may never open; a busy one will become free.
      last.upstream.nudge()
      if (last.upstream.isLively(nowMs) || other === undefined) return
    }
    const upstream = other ?? this.group.otherChoice([])
    if (
      upstream === undefined ||
      !this.attempts.mayGrow(this.group.settings.attemptsMax) ||
      !this.group.spend(this.group.hedges)
    )
      return
    this.launch(upstream, 'hedge')
  }

  private expire(nowMs: number): void {
    const { patience, settings } = this.group
    this.attempts.noteWaits(nowMs)
    if (this.kept !== undefined) return this.settleWithKept()
    if (this.times.cameTooLate(nowMs)) return this.fail('overloaded')
    if (patience.isOutage(this.times.startMs, nowMs, settings.silenceMs)) this.group.noteOutage()
    this.fail(this.sawMalformed || this.attempts.sawMismatch() ? 'malformed' : 'timeout')
  }

  /** Ends the question when no attempt is live; otherwise sets the timer for the next step. */
  private settleOrWait(): void {
    if (this.isFinished) return
    if (this.attempts.lastLive() !== undefined) return this.rearm()
    if (this.kept !== undefined) return this.settleWithKept()
    if (this.sawMalformed) return this.fail('malformed')
    this.fail(this.sawFault ? 'unreachable' : 'overloaded')
  }

  private settleWithKept(): void {
    this.finish()
    this.group.counters.answers++
    this.group.defer(this)
  }

  /** Ends the question without an answer, unless it has already ended. */
  fail(why: ExchangeFailure): void {
    if (this.isFinished) return
    this.failure = why
    this.finish()
    this.group.counters.failures[why]++
    if (why === 'unreachable' && this.group.isDown) this.group.noteOutage()
    this.group.defer(this)
  }

  private finish(): void {
    this.isFinished = true
    this.group.context.wheel.disarm(this.timer)
    this.attempts.cancel()
    this.group.end(this)
  }

  private rearm(): void {
    if (this.isFinished) return
    this.group.context.wheel.arm(this.timer, this.times.nextMs)
  }

  private noteLoss(why: AttemptFailure): void {
    if (why !== 'overloaded') this.sawFault = true
    if (why === 'malformed') this.sawMalformed = true
  }
}
