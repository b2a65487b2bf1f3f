/**
 * One question's way through the upstreams of its group: first choice, hedge when it takes longer than usual, fail-over, replay,
 * TCP after TC, plain DNS after FORMERR; the first usable answer ends it. Equals stand in for each other at any time; in an order
 * the next is asked when the one before has answered or let its time pass, and what it denies waits for those above it. Bounded.
 * Reports exactly one outcome. Knows no socket (docs/upstreams.md).
 */
import type { Ask, ExchangeFailure, OutcomeSink } from '../core/ports.ts'
import { Chained } from '../core/sharing/chain.ts'
import { type WheelTask, WheelTimer } from '../platform/timer-wheel.ts'
import { Rcode } from '../wire/constants.ts'
import type { ResponseScan } from '../wire/scan.ts'
import { type Attempt, AttemptList, type AttemptOwner, type Upstream } from './attempt.ts'
import type { AttemptFailure } from './counters.ts'
import { attemptFor, hasLearned, hedgeKinds, learnFromLoss } from './manner.ts'
import { type AttemptKind, isBeside } from './policy/attempt-kind.ts'
import { isBareDenial, isCutAnswer, isUnhelpful } from './policy/choice.ts'
import type { RetryTurn } from './policy/plain-retries.ts'
import { QuestionChoices } from './question-choices.ts'
import type { OpenQuestion, QuestionGroup } from './question-group.ts'
import { QuestionOutcome } from './question-outcome.ts'
import { QuestionTimes } from './question-times.ts'

export class UpstreamQuestion extends Chained<OpenQuestion> implements AttemptOwner, WheelTask {
  private readonly group: QuestionGroup
  private readonly ask: Ask
  private readonly attempts = new AttemptList()
  private readonly choices: QuestionChoices
  private readonly outcome: QuestionOutcome
  private readonly timer = new WheelTimer(this)
  private readonly times: QuestionTimes
  private hedges = 0
  private isFinished = false

  constructor(group: QuestionGroup, ask: Ask, sink: OutcomeSink<Ask>) {
    super()
    this.group = group
    this.ask = ask
    this.outcome = new QuestionOutcome(group, ask, sink, this.attempts)
    this.times = new QuestionTimes(group, ask.mayRecurse, group.nowMs())
    this.choices = new QuestionChoices(this, group, this.attempts, this.times)
  }

  begin(): void {
    const upstream = this.group.firstChoice(this.times.startMs)
    if (upstream === undefined) this.outcome.noteLoss('unreachable')
    this.launch(upstream, 'first')
    this.settleOrWait()
  }

  deliver(): void {
    this.outcome.deliver()
  }

  onReply(attempt: Attempt, reply: Buffer, scan: ResponseScan): void {
    const { upstream } = attempt
    upstream.noteReply(attempt, scan.rcode, this.group.nowMs())
    if (isCutAnswer(scan)) return this.onTruncated(attempt, reply, scan)
    if (this.choices.mayBeLetters(attempt, this.ask, scan) && this.launch(upstream, 'replay'))
      return this.settleOrWait()
    if (isUnhelpful(reply, scan)) return this.onUnhelpful(attempt, reply, scan)
    if (scan.rcode !== Rcode.nxdomain || !this.isNotLastWord(attempt, scan))
      return this.answer(attempt, reply, scan)
    this.outcome.keep(reply, scan, upstream)
    this.launch(this.choices.appealFrom(upstream), 'appeal')
    this.settleOrWait()
  }

  /** Whether a denial waits: for the same question without EDNS, or for those above in the order. */
  private isNotLastWord(attempt: Attempt, scan: ResponseScan): boolean {
    const isOfEdns = isBareDenial(scan) && this.triesPlain(attempt, scan)
    if (isOfEdns) this.times.boundSilence(this.group.nowMs())
    return isOfEdns || this.choices.isHeldBack(attempt.upstream, this.outcome.kept)
  }

  /** Asks again without EDNS, or waits for what others see who do, if the reply may be about that. */
  private triesPlain(attempt: Attempt, scan: ResponseScan): boolean {
    const turn = this.choices.plainTurn(attempt, this.ask, scan)
    return turn === 'wait' || (turn === 'now' && this.launch(attempt.upstream, 'plain'))
  }

  onRetryTurn(upstream: Upstream, turn: RetryTurn): void {
    if (turn === 'now' && this.launch(upstream, 'plain')) this.settleOrWait()
    else this.turnAway(upstream)
  }

  private onUnhelpful(attempt: Attempt, reply: Buffer, scan: ResponseScan): void {
    this.outcome.keep(reply, scan, attempt.upstream)
    this.choices.noteUnhelpful(attempt)
    if (this.triesTcp(attempt, scan) || this.triesPlain(attempt, scan)) this.settleOrWait()
    else this.turnAway(attempt.upstream)
  }

  /** TC sends to TCP, whatever stands beside it (RFC 2181 9): so do devices that want to see who asks. */
  private triesTcp(attempt: Attempt, scan: ResponseScan): boolean {
    return scan.tc && attempt.canGoOverTcp && this.launch(attempt.upstream, 'tcp')
  }

  /** The upstream has no answer: another may. */
  private turnAway(upstream: Upstream): void {
    if (this.ask.hasReturned === true || this.group.isOrdered) this.attempts.cancelAt(upstream)
    if (!this.failOver()) this.settleWithKept()
  }

  onLost(attempt: Attempt, why: AttemptFailure): void {
    if (this.isFinished) return
    this.outcome.noteLoss(why)
    learnFromLoss(attempt, why, this.group.nowMs())
    this.replace(attempt, why)
    this.settleOrWait()
  }

  onStalled(attempt: Attempt): void {
    // Not charged to the budget: it is one packet for each question on a connection that seems dead.
    if (this.launch(this.choices.replayAt(attempt), 'replay')) this.settleOrWait()
  }

  onHeldUp({ upstream }: Attempt): void {
    if (this.launch(upstream, 'overtake')) this.rearm()
  }

  onSuspicion(attempt: Attempt): void {
    if (this.isFinished || !attempt.canGoOverTcp || !this.choices.hasRoomToRepeat) return
    this.launch(attempt.upstream, 'tcp')
    this.settleOrWait()
  }

  onSent({ kind, upstream }: Attempt): void {
    if (kind === 'first') this.times.sent(this.group.nowMs(), upstream)
    this.rearm()
  }

  onTimer(nowMs: number): void {
    const { times } = this
    if (times.isHeld) return nowMs >= times.endMs ? this.fail('overloaded') : this.rearm()
    times.noteUnheard(nowMs)
    // Turning to another gives it time of its own.
    if (times.takeTimeout(nowMs)) this.moveOn(nowMs)
    if (nowMs >= times.endMs) return this.expire(nowMs)
    if (times.takeTrial(nowMs)) this.launch(this.choices.lookForLife(nowMs), 'revival')
    if (nowMs >= times.hedgeAtMs) this.hedge(nowMs)
    this.settleOrWait()
  }

  /** The group may have other upstreams now: those that were asked are perhaps late, or gone, because they are none any more. */
  onRegrouped(): void {
    if (this.isFinished) return
    const upstream = this.choices.afterRegrouping()
    if (this.hedges === 0 && this.choices.isAwaited) return
    this.launch(upstream, 'failover')
    this.settleOrWait()
  }

  /** Sends the question once more, if allowed; if sending fails, to another upstream at once. */
  private launch(upstream: Upstream | undefined, kind: AttemptKind): boolean {
    const { ask, attempts, group } = this
    if (upstream === undefined || this.isFinished) return false
    if (!attempts.mayGrow(group.settings.attemptsMax, kind)) return false
    const nowMs = group.nowMs()
    const attempt = attemptFor(upstream, kind, { owner: this, ask, attempts, group, nowMs })
    const isAnother = kind !== 'first' && !this.attempts.upstreams().includes(upstream)
    this.attempts.add(attempt)
    if (!isBeside(kind))
      this.times.awaitUpstream(nowMs, upstream.timeoutMs(kind === 'tcp'), isAnother)
    this.group.counters.launched(kind)
    this.times.hedgeAtMs = Math.ceil(nowMs + upstream.hedgeDelay.after(this.hedges))
    const failure = upstream.send(attempt)
    this.times.isHeld = attempt.isHeld && kind === 'first'
    if (failure === undefined) return true
    attempt.isDone = true
    this.outcome.noteLoss(failure)
    return this.replace(attempt, failure)
  }

  private replace(lost: Attempt, why: AttemptFailure): boolean {
    const next = this.choices.inPlaceOf(lost, why, this.outcome.kept)
    return next !== undefined && this.launch(next.upstream, next.kind)
  }

  /** TCP has the rest, or another upstream; TCP that fails leaves half an answer, whose TC bit lets the client try for itself. */
  private onTruncated(attempt: Attempt, reply: Buffer, scan: ResponseScan): void {
    const { upstream } = attempt
    upstream.counters.truncated++
    this.choices.learn(attempt, scan)
    this.outcome.keep(reply, scan, upstream)
    this.times.boundSilence(this.group.nowMs())
    if (!this.triesTcp(attempt, scan) && this.attempts.lastLive() === undefined)
      this.launch(this.choices.next(), 'failover')
    this.settleOrWait()
  }

  /** @returns true when another upstream may have an answer */
  private failOver(): boolean {
    if (!this.group.settings.failover) return false
    if (this.attempts.lastLive() === undefined) {
      if (this.outcome.kept?.isDenial === true) return false
      const other = this.choices.payForNext()
      if (other === undefined) return false
      this.launch(other, 'failover')
    }
    this.settleOrWait()
    return true
  }

  private answer(attempt: Attempt, reply: Buffer, scan: ResponseScan): void {
    this.choices.noteHelp(attempt, scan, this.outcome.kept)
    if (attempt.kind === 'hedge') this.group.counters.hedgesWon++
    this.finish()
    this.outcome.answer(reply, scan, attempt.upstream)
  }

  private hedge(nowMs: number): void {
    this.attempts.noteWaits(nowMs)
    const last = this.attempts.lastLive()
    if (last === undefined) return
    const { isOrdered } = this.group
    const next = this.choices.next()
    if (isOrdered && next && last.upstream.health.isDead(nowMs)) return this.moveOn(nowMs)
    const other = isOrdered ? undefined : next
    const lateMs = last.upstream.notLateBeforeMs(last)
    if (other === undefined && this.times.postponeHedge(nowMs, lateMs)) return
    this.hedges++
    this.times.hedgeAtMs = Math.ceil(nowMs + last.upstream.hedgeDelay.after(this.hedges))
    if (last.sentMs === 0) {
      // It waits for a connection. One being opened may never open; a busy one will become free.
      last.upstream.nudge()
      if (last.upstream.isLively(nowMs) || other === undefined) return
    }
    const upstream = other ?? this.choices.standIn(last.upstream)
    if (upstream !== undefined) this.hedgeAt(upstream, nowMs)
  }

  private hedgeAt(upstream: Upstream, nowMs: number): void {
    const { attempts, group, hedges, times } = this
    if (!this.choices.hasRoomToRepeat) return
    if (!hasLearned(upstream, attempts, nowMs) && !group.spend(group.hedges, this.ask.claim)) return
    for (const kind of hedgeKinds(upstream, attempts, { startMs: times.startMs, nowMs, hedges }))
      if (this.choices.hasRoomToRepeat) this.launch(upstream, kind)
  }

  /** The upstream that was asked last has let its time pass. Not charged to the budget: it happens once for each upstream. */
  private moveOn(nowMs: number): void {
    this.attempts.noteWaits(nowMs)
    const waited = this.choices.stopWaiting()
    if (waited !== undefined) return this.turnAway(waited)
    const last = this.attempts.lastLive()
    if (last === undefined || this.outcome.kept?.isDenial === true) return
    const other = this.choices.next()
    if (other !== undefined) this.launch(other, 'failover')
    else if (this.choices.mayAskAgain(last.upstream)) this.launch(last.upstream, 'failover')
  }

  private expire(nowMs: number): void {
    if (this.isFinished) return
    const { group, times } = this
    this.attempts.noteWaits(nowMs)
    if (this.outcome.kept !== undefined) return this.settleWithKept()
    if (times.cameTooLate(nowMs)) return this.fail('overloaded')
    if (group.patience.isOutage(times.startMs, nowMs, group.silenceMs)) group.noteOutage()
    const isMalformed = this.outcome.whyLost === 'malformed' || this.attempts.sawMismatch()
    if (isMalformed) return this.fail('malformed')
    this.fail(group.isDown ? 'unreachable' : 'timeout')
  }

  private settleOrWait(): void {
    if (this.isFinished) return
    const { kept } = this.outcome
    if (kept?.isDenial === true && !this.choices.awaitsMore(kept)) return this.settleWithKept()
    if (this.choices.isAwaited) return this.rearm()
    if (kept !== undefined) return this.settleWithKept()
    const why = this.outcome.whyLost
    if (why !== 'unreachable' || !this.group.awaitsOthers()) return this.fail(why)
    this.times.rest()
    this.rearm()
  }

  private settleWithKept(): void {
    this.finish()
    this.outcome.answerWithKept()
    this.group.defer(this)
  }

  fail(why: ExchangeFailure): void {
    if (this.isFinished) return
    this.finish()
    this.outcome.fail(why)
    this.group.defer(this)
  }

  private finish(): void {
    this.isFinished = true
    this.choices.end()
    this.group.context.wheel.disarm(this.timer)
    this.attempts.cancel()
    this.group.end(this)
  }

  private rearm(): void {
    if (!this.isFinished) this.group.context.wheel.arm(this.timer, this.times.nextMs)
  }
}
