/**
 * Whom one question may ask next. Equals stand in for each other at any time; in an order nobody stands in for the first, and what
 * those below it deny waits for it. Sends nothing.
 */
import type { Ask } from '../core/ports.ts'
import { clientIn } from '../core/sharing/claim.ts'
import { Rcode } from '../wire/constants.ts'
import type { ResponseScan } from '../wire/scan.ts'
import type { Attempt, AttemptList, Upstream } from './attempt.ts'
import type { KeptReply } from './kept-reply.ts'
import { isChallenge, learnFrom } from './manner.ts'
import { blamesNothing, refusesEdns } from './policy/choice.ts'
import type { QuestionGroup } from './question-group.ts'
import type { QuestionTimes } from './question-times.ts'

export class QuestionChoices {
  /** Asking again after SERVFAIL was paid for. */
  private hasSpent = false
  /** It refused EDNS in so many words. */
  private refusedBy: Upstream | undefined
  private readonly group: QuestionGroup
  private readonly attempts: AttemptList
  private readonly times: QuestionTimes

  constructor(group: QuestionGroup, attempts: AttemptList, times: QuestionTimes) {
    this.group = group
    this.attempts = attempts
    this.times = times
  }

  /** One that this question has not asked yet. */
  next(): Upstream | undefined {
    return this.group.otherChoice(this.attempts.upstreams())
  }

  /** Who is asked in place of one that may be late: an equal, or in an order nobody but itself. */
  standIn(late: Upstream): Upstream | undefined {
    if (this.group.isOrdered) return late
    return this.next() ?? this.group.otherChoice([])
  }

  /** The last upstream there is gets a second packet, budget or not, unless it has had one or is gone. */
  mayAskAgain(upstream: Upstream): boolean {
    return this.attempts.at(upstream).length === 1 && upstream.hasRoom && !upstream.health.isDown
  }

  /** Packets that asking the same one again must leave for those below it. */
  get reserve(): number {
    if (!this.group.isOrdered) return 0
    return this.group.size - new Set(this.attempts.upstreams()).size
  }

  /** Whether one that was asked may be asked again, so that those below it can still be asked. */
  get hasRoomToRepeat(): boolean {
    return this.attempts.mayGrow(this.group.settings.attemptsMax - this.reserve)
  }

  /** In an order each upstream is asked once at most, and names that fail must not use up what other names need. */
  payForFailOver(): boolean {
    if (this.group.isOrdered) return true
    this.hasSpent = this.group.spend(this.group.failovers, this.attempts.all[0]?.claim)
    return this.hasSpent
  }

  /** Whether an unhelpful reply to a question with EDNS may be about EDNS. */
  mayBeEdns(upstream: Upstream, scan: ResponseScan): boolean {
    if (refusesEdns(scan.rcode)) {
      this.refusedBy = upstream
      return this.awaitsPlain(upstream) || this.hasRoomToRepeat
    }
    if (!blamesNothing(scan) || !this.group.settings.failover) return false
    return this.hasRoomToRepeat && upstream.dialect.edns.takeTry(this.group.nowMs())
  }

  /**
   * Whether a reply without data may be about letters in random case: some servers take other letters for another name, against
   * RFC 4343, and deny what is there.
   */
  mayBeLetters(attempt: Attempt, ask: Ask, { rcode, answers }: ResponseScan): boolean {
    if (ask.hasReturned === true || !isChallenge(attempt, ask)) return false
    return rcode !== Rcode.noerror || answers === 0
  }

  /** Whether the same question is under way there without EDNS already. */
  awaitsPlain(upstream: Upstream): boolean {
    return this.attempts.at(upstream).some((one) => !one.hasOpt && !one.isDone)
  }

  /** What an answer shows about the manner in which its upstream wants to be asked. */
  learn(answered: Attempt): void {
    const isRefused = this.refusedBy === answered.upstream
    const forMs = this.group.settings.workaroundSeconds * 1000
    learnFrom(answered, this.attempts, { nowMs: this.group.nowMs(), isRefused, forMs })
  }

  /** The attempt brought an answer, where another upstream said that it has none. */
  noteHelp(answered: Attempt, kept: KeptReply | undefined): void {
    const { upstream } = answered
    upstream.health.helped()
    this.learn(answered)
    if (kept === undefined || kept.isCut || kept.upstream === upstream) return
    // In an order it is no fault of the first that it does not know a name.
    if (this.group.isOrdered) return
    kept.upstream.health.wasRescued(this.group.nowMs())
    if (this.hasSpent) this.group.failovers.refund(1, clientIn(this.attempts.all[0]?.claim ?? []))
  }

  /** A denial from further down the order is not the last word while one above may still answer, or has given half an answer. */
  isHeldBack(upstream: Upstream, kept: KeptReply | undefined): boolean {
    const { group } = this
    if (!group.isOrdered) return false
    if (kept?.isCut === true && group.comesBefore(kept.upstream, upstream)) return true
    return group.nowMs() < this.times.denialDueMs && this.waitsAbove(upstream)
  }

  private waitsAbove(upstream: Upstream): boolean {
    return this.attempts
      .awaited()
      .some((other) => this.group.comesBefore(other, upstream) && !other.health.isDown)
  }
}
