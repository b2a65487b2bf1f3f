/**
 * Tests a silent or doubtful upstream with a trial, so that no client has to pay for the test. No one name decides: many servers
 * ignore or refuse `. NS`, and silence about a client's question may be about its name. So every other trial is the question that
 * the upstream answered last, and only silence about what it has answered before is proof that it is gone. The reply's content
 * does not matter. `upstream/policy/health.ts` limits how often this happens.
 */
import { ourselves } from '../core/sharing/claim.ts'
import { type WheelTask, WheelTimer } from '../platform/timer-wheel.ts'
import { withoutOpt } from '../wire/query.ts'
import {
  Attempt,
  AttemptList,
  type AttemptOwner,
  type ExchangeContext,
  type QuestionFrame,
  type Upstream,
} from './attempt.ts'
import { knownManner } from './manner.ts'

/** RD=0, `. IN NS`: any reply to it will do, and no server has to ask another for one. */
const cheapFrame = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1])
const cheapQuestion: QuestionFrame = { frame: cheapFrame, questionEnd: cheapFrame.length }

const ownClaim = [ourselves]
const nothing = Buffer.alloc(0)

/** A question that took longer had to be asked of others, and may take as long again. */
const quickMs = 400
/** How long a quick answer promises another one: about the TTL of what clients ask most. */
const knownForMs = 30_000
/** An unanswered trial is given up after this time. */
const endsAfterMs = 2000
/** Between trials that no question calls for; not less than the longest rest between trials. */
const againAfterMs = 600

export class UpstreamTrial implements AttemptOwner, WheelTask {
  private readonly upstream: Upstream
  private readonly context: ExchangeContext
  private readonly timer = new WheelTimer(this)
  private current: Attempt | undefined
  private answersCheapOnes = false
  private cheapOnesInVain = 0
  private wasCheap = true
  /** A client's question that was answered quickly, the latest; without bytes before the first. */
  private knownFrame: Buffer = nothing
  private knownEnd = 0
  private knownAtMs = 0
  /** Trials go on without questions. */
  private keepsOn = false

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
    const { frame, questionEnd } = this.takeTurn(this.knownQuestion() ?? clients)
    const { isPlain, overTcp } = knownManner(this.upstream, nowMs)
    const attempt = new Attempt(this, this.upstream, {
      kind: 'trial',
      frame: isPlain && frame.length > questionEnd ? withoutOpt(frame, questionEnd) : frame,
      questionEnd,
      overTcp,
      siblings: new AttemptList(),
      madeMs: nowMs,
      claim: ownClaim,
      mayRecurse: true,
    })
    this.upstream.counters.trials++
    if (this.upstream.send(attempt) !== undefined) return
    this.current = attempt
    this.context.wheel.arm(this.timer, nowMs + (this.keepsOn ? againAfterMs : endsAfterMs))
  }

  /**
   * Goes on without questions for as long as the upstream is dead by proof: otherwise the first question after its return would be
   * asked of the next in the order.
   */
  keepOn(nowMs: number): void {
    if (this.keepsOn) return
    this.keepsOn = true
    this.context.wheel.arm(this.timer, nowMs + againAfterMs)
  }

  /** The upstream has answered this question of a client. */
  remember({ frame, questionEnd, sentMs }: Attempt, nowMs: number): void {
    if (nowMs - sentMs > quickMs) return
    this.knownFrame = frame
    this.knownEnd = questionEnd
    this.knownAtMs = nowMs
  }

  private knownQuestion(): QuestionFrame | undefined {
    if (this.knownFrame === nothing) return undefined
    return { frame: this.knownFrame, questionEnd: this.knownEnd }
  }

  /** Turns change while nothing is answered, and begin with a question that is known to be answered. */
  private takeTurn(other: QuestionFrame | undefined): QuestionFrame {
    const isKnownBetter = !this.answersCheapOnes && this.knownFrame !== nothing && this.wasCheap
    const isTurnOfOther = other !== undefined && (this.cheapOnesInVain > 0 || isKnownBetter)
    this.cheapOnesInVain = isTurnOfOther ? 0 : this.cheapOnesInVain + 1
    this.wasCheap = !isTurnOfOther
    return isTurnOfOther ? other : cheapQuestion
  }

  cancel(): void {
    this.keepsOn = false
    this.giveUp()
  }

  onTimer(nowMs: number): void {
    this.end(nowMs)
    this.keepsOn &&= this.upstream.health.isDead(nowMs)
    if (!this.keepsOn) return this.forget()
    this.context.wheel.arm(this.timer, nowMs + againAfterMs)
    this.upstream.tryOut(nowMs)
  }

  onReply(attempt: Attempt): void {
    if (attempt.frame === cheapFrame) {
      this.answersCheapOnes = true
      this.cheapOnesInVain = 0
    }
    this.keepsOn = false
    this.forget()
    this.upstream.noteReply(attempt, 0, this.context.wheel.nowMs())
  }

  onLost(): void {
    this.forget()
  }

  onStalled(): void {}

  onHeldUp(): void {}

  onSuspicion(): void {}

  onSent(): void {}

  private end(nowMs: number): void {
    const { current } = this
    if (current === undefined) return
    const isCheap = current.frame === cheapFrame
    const isProof = isCheap ? this.answersCheapOnes : this.isFresh(current, nowMs)
    // Silence to a cheap question tells nothing about an upstream that never answers them.
    if (!isCheap || isProof) this.upstream.noteWait(current, nowMs, isProof)
    this.giveUp()
  }

  private giveUp(): void {
    this.current?.cancel()
    this.forget()
  }

  /** The same question was answered quickly a moment ago, so a server that lives has the answer in memory. */
  private isFresh({ frame }: Attempt, nowMs: number): boolean {
    return frame === this.knownFrame && nowMs - this.knownAtMs < knownForMs
  }

  private forget(): void {
    this.current = undefined
    if (!this.keepsOn) this.context.wheel.disarm(this.timer)
  }
}
