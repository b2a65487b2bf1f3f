/**
 * How one question ends: with an answer, with the best of what was said instead (`kept-reply.ts`), or with a failure. Reports it
 * once. Decides nothing about when.
 */
import type { Ask, ExchangeFailure, OutcomeSink } from '../core/ports.ts'
import { type ResponseScan, scanResponse } from '../wire/scan.ts'
import type { AttemptList, Upstream } from './attempt.ts'
import type { AttemptFailure } from './counters.ts'
import { KeptReply } from './kept-reply.ts'
import type { QuestionGroup } from './question-group.ts'

export class QuestionOutcome {
  /** What is passed on when no upstream has a better answer. */
  kept: KeptReply | undefined
  /** Why a question ends whose attempts are all lost: what is said of upstreams comes before limits of ours. */
  whyLost: 'overloaded' | 'unreachable' | 'malformed' = 'overloaded'
  private failure: ExchangeFailure | undefined
  private readonly group: QuestionGroup
  private readonly ask: Ask
  private readonly sink: OutcomeSink<Ask>

  /** @param attempts of the question, also those to come */
  constructor(group: QuestionGroup, ask: Ask, sink: OutcomeSink<Ask>, attempts: AttemptList) {
    this.group = group
    this.ask = ask
    this.sink = sink
    ask.sendings = attempts
  }

  noteLoss(why: AttemptFailure): void {
    if (why === 'malformed') this.whyLost = 'malformed'
    else if (why !== 'overloaded' && this.whyLost === 'overloaded') this.whyLost = 'unreachable'
  }

  keep(reply: Buffer, scan: ResponseScan, upstream: Upstream): void {
    if (this.kept === undefined) this.kept = new KeptReply(reply, scan, upstream)
    else this.kept.offer(reply, scan, upstream)
  }

  answer(reply: Buffer, scan: ResponseScan, upstream: Upstream): void {
    this.group.counters.answers++
    this.sink.onOutcome(this.ask, { kind: 'answer', reply, scan, upstream: upstream.name })
  }

  /** What was kept is the answer; `deliver` reports it. */
  answerWithKept(): void {
    this.group.counters.answers++
  }

  /** There is no answer; `deliver` reports it. */
  fail(why: ExchangeFailure): void {
    this.failure = why
    this.group.counters.failures[why]++
    if (why === 'unreachable' && this.group.isDown) this.group.noteOutage()
  }

  /** Reports an outcome that was settled without a reply in hand. */
  deliver(): void {
    const { kept, group } = this
    if (this.ask.challenge !== undefined) group.loops.note(group.nowMs())
    if (kept === undefined || this.failure !== undefined) {
      this.sink.onOutcome(this.ask, { kind: 'failed', why: this.failure ?? 'timeout' })
      return
    }
    const { scan } = group.context
    scanResponse(kept.reply, kept.reply.length, scan)
    const { reply, upstream } = kept
    this.sink.onOutcome(this.ask, { kind: 'answer', reply, scan, upstream: upstream.name })
  }
}
