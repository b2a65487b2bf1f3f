/**
 * Tests a silent or doubtful upstream with a trial, so that no client has to pay for the test. Every other trial is a copy of a
 * client's question, because some servers ignore questions they deem pointless and would never come back. The reply's content
 * does not matter. `upstream/policy/choice.ts` limits how often this happens.
 */
import { ourselves } from '../core/sharing/claim.ts'
import { type WheelTask, WheelTimer } from '../platform/timer-wheel.ts'
import {
  Attempt,
  AttemptList,
  type AttemptOwner,
  type ExchangeContext,
  type QuestionFrame,
  type Upstream,
} from './attempt.ts'

/** RD=0, `. IN NS`: any reply to it will do, and no server has to ask another for one. */
const cheapFrame = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1])
const cheapQuestion: QuestionFrame = { frame: cheapFrame, questionEnd: cheapFrame.length }

const ownClaim = [ourselves]

/** An unanswered trial is given up after this time. */
const endsAfterMs = 2000

export class UpstreamTrial implements AttemptOwner, WheelTask {
  private readonly upstream: Upstream
  private readonly context: ExchangeContext
  private readonly timer = new WheelTimer(this)
  private current: Attempt | undefined
  private answersCheapOnes = false
  private cheapOnesInVain = 0

  constructor(upstream: Upstream, context: ExchangeContext) {
    this.upstream = upstream
    this.context = context
  }

  /**
   * Sends a trial, which replaces an open one.
   * @param clients a question that a client is asking now, to copy
   */
  begin(nowMs: number, clients: QuestionFrame | undefined): void {
    this.end(nowMs)
    const isTurnOfClients = clients !== undefined && this.cheapOnesInVain > 0
    this.cheapOnesInVain = isTurnOfClients ? 0 : this.cheapOnesInVain + 1
    const { frame, questionEnd } = isTurnOfClients ? clients : cheapQuestion
    const attempt = new Attempt(this, this.upstream, {
      kind: 'trial',
      frame,
      questionEnd,
      overTcp: false,
      siblings: new AttemptList(),
      madeMs: nowMs,
      claim: ownClaim,
    })
    this.upstream.counters.trials++
    if (this.upstream.send(attempt) !== undefined) return
    this.current = attempt
    this.context.wheel.arm(this.timer, nowMs + endsAfterMs)
  }

  cancel(): void {
    this.current?.cancel()
    this.forget()
  }

  onTimer(nowMs: number): void {
    this.end(nowMs)
  }

  onReply(attempt: Attempt): void {
    if (attempt.frame === cheapFrame) {
      this.answersCheapOnes = true
      this.cheapOnesInVain = 0
    }
    this.forget()
    this.upstream.noteReply(attempt, 0, this.context.wheel.nowMs())
  }

  onLost(): void {
    this.forget()
  }

  onStalled(): void {}

  onSuspicion(): void {}

  onSent(): void {}

  private end(nowMs: number): void {
    const { current } = this
    if (current === undefined) return
    // Silence to a cheap question tells nothing about an upstream that never answers them.
    if (current.frame !== cheapFrame || this.answersCheapOnes) {
      this.upstream.noteWait(current, nowMs)
    }
    this.cancel()
  }

  private forget(): void {
    this.current = undefined
    this.context.wheel.disarm(this.timer)
  }
}
