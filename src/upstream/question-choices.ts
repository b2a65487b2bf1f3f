/**
 * Whom one question may ask next. Equals stand in for each other at any time; in an order nobody stands in for the first, and what
 * those below it deny waits for it. Sends nothing.
 */
import type { Ask } from '../core/ports.ts'
import { clientIn } from '../core/sharing/claim.ts'
import { Rcode } from '../wire/constants.ts'
import type { ResponseScan } from '../wire/scan.ts'
import type { Attempt, AttemptList, Upstream } from './attempt.ts'
import type { AttemptFailure } from './counters.ts'
import { type DoubtOwner, EdnsDoubts } from './edns-doubts.ts'
import type { KeptReply } from './kept-reply.ts'
import { isChallenge, kindAfter, learnFrom } from './manner.ts'
import { type AttemptKind, isTcpBeside } from './policy/attempt-kind.ts'
import { isBareDenial } from './policy/choice.ts'
import type { RetryTurn } from './policy/plain-retries.ts'
import type { QuestionGroup } from './question-group.ts'
import { type QuestionTimes, trialAfterMs } from './question-times.ts'

export interface ChoosingQuestion {
  /** The question has waited to be asked again without EDNS there. */
  onRetryTurn(upstream: Upstream, turn: RetryTurn): void
}

/** The next packet of a question. */
export interface Launch {
  readonly upstream: Upstream
  readonly kind: AttemptKind
}

export class QuestionChoices implements DoubtOwner {
  /** Asking again after SERVFAIL was paid for. */
  private hasSpent = false
  private doubts: EdnsDoubts | undefined
  private readonly group: QuestionGroup
  private readonly attempts: AttemptList
  private readonly times: QuestionTimes

  private readonly owner: ChoosingQuestion

  constructor(
    owner: ChoosingQuestion,
    group: QuestionGroup,
    attempts: AttemptList,
    times: QuestionTimes,
  ) {
    this.owner = owner
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

  /** Who is asked again because this attempt's connection seems dead; undefined when it is too early, or another attempt is newer. */
  replayAt(stalled: Attempt): Upstream | undefined {
    if (isTcpBeside(stalled.kind) || this.attempts.lastLive() !== stalled) return undefined
    const { upstream } = stalled
    if (this.group.nowMs() < upstream.notLateBeforeMs(stalled)) return undefined
    return this.hasRoomToRepeat ? this.standIn(upstream) : undefined
  }

  /** What is asked in place of a lost attempt. @param kept what has been said so far */
  inPlaceOf(lost: Attempt, why: AttemptFailure, kept: KeptReply | undefined): Launch | undefined {
    const { upstream } = lost
    // There is no socket to spare for it: the question waits on, for the upstream that has it.
    if (why === 'overloaded' && lost.kind === 'hedge') return undefined
    if (isTcpBeside(lost.kind) && this.attempts.lastLive() !== undefined) return undefined
    // The server is gone, but perhaps not all servers behind the address: once more, on another connection.
    if (why === 'connection-lost' && lost.kind !== 'replay' && this.hasRoomToRepeat)
      return { upstream, kind: 'replay' }
    if (lost.isAside) return { upstream, kind: 'tcp' }
    // A limit of ours is no word of the first, so it does not give the second a say.
    if (why === 'overloaded' && this.group.isOrdered) return undefined
    if (this.mayBeOpenOverTcp(lost, why)) return { upstream, kind: 'tcp' }
    const other = this.next()
    if (other !== undefined) return { upstream: other, kind: 'failover' }
    const kind = kept?.isCut === true ? undefined : kindAfter(lost, why)
    if (kind === undefined || this.attempts.lastLive() !== undefined) return undefined
    // One refusal takes no upstream down; where there is no other, it is asked once more.
    const again = this.group.otherChoice([])
    return again?.health.isDown === false ? { upstream: again, kind } : undefined
  }

  /**
   * Tries out the upstreams that are silent.
   * @returns one that was silent for all packets of this question, which may be lost, and speaks again (RFC 1035 4.2.1)
   */
  lookForLife(nowMs: number): Upstream | undefined {
    this.attempts.askForSignsOfLife(nowMs, trialAfterMs)
    const upstream = this.attempts.lastLive()?.upstream
    // TCP repeats what is lost.
    if (upstream?.address.transport !== 'udp') return undefined
    const sent = this.attempts.at(upstream)
    const isMissed = upstream.health.mayHaveMissed(sent[0]?.sentMs ?? 0, sent.at(-1)?.sentMs ?? 0)
    return isMissed ? upstream : undefined
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

  /**
   * One that this question has not asked yet, in place of one without an answer. In an order each is asked once at most, and names that fail
   * must not use up what other names need; among equals it is charged to the budget.
   */
  payForNext(): Upstream | undefined {
    const { group, attempts } = this
    const other = this.next()
    if (other === undefined || !attempts.mayGrow(group.settings.attemptsMax)) return undefined
    if (group.isOrdered) return other
    this.hasSpent = group.spend(group.failovers, attempts.all[0]?.claim)
    return this.hasSpent ? other : undefined
  }

  /**
   * Whether a reply without data may be about letters in random case: some servers take other letters for another name, against
   * RFC 4343, and deny what is there.
   */
  mayBeLetters(attempt: Attempt, ask: Ask, { rcode, answers }: ResponseScan): boolean {
    if (ask.hasReturned === true || !isChallenge(attempt, ask)) return false
    return rcode !== Rcode.noerror || answers === 0
  }

  /**
   * Whether a reply is asked again without EDNS, which it may be about.
   * @returns `wait` while that is under way
   */
  plainTurn(attempt: Attempt, ask: Ask, scan: ResponseScan): RetryTurn {
    if (!attempt.hasOpt || ask.hasReturned === true) return 'never'
    this.doubts ??= new EdnsDoubts(this.group, this.attempts, this)
    return this.doubts.turnFor(attempt, scan)
  }

  /** Somebody has the question who may answer it, or it waits for what retries of others without EDNS show. */
  get isAwaited(): boolean {
    return this.attempts.lastLive() !== undefined || this.doubts?.isWaiting === true
  }

  /** @returns at which upstream it waited for that */
  stopWaiting(): Upstream | undefined {
    return this.doubts?.stopWaiting()
  }

  onRetryTurn(upstream: Upstream, turn: RetryTurn): void {
    this.owner.onRetryTurn(upstream, turn)
  }

  /** Whether a denial that is kept may still be overruled: by those above, or by what its upstream says to the question without EDNS. */
  awaitsMore(kept: KeptReply): boolean {
    const { upstream } = kept
    return this.doubts?.isOpenDenial(upstream) === true || this.isHeldBack(upstream, kept)
  }

  /** What an answer shows about the manner in which its upstream wants to be asked. @param scan of the answer */
  learn(answered: Attempt, scan: ResponseScan): void {
    const usual = {
      nowMs: this.group.nowMs(),
      isRefused: false,
      saysNothingOfEdns: answered.hasOpt && isBareDenial(scan),
      forMs: this.group.settings.workaroundSeconds * 1000,
    }
    const { doubts } = this
    const terms = doubts === undefined ? usual : { ...usual, ...doubts.lessonOf(answered, scan) }
    learnFrom(answered, this.attempts, terms)
    if (!answered.hasOpt) this.doubts?.conclude(answered.upstream, !terms.saysNothingOfEdns)
  }

  /** The question without EDNS has come to nothing, too. */
  noteUnhelpful({ upstream, hasOpt }: Attempt): void {
    if (!hasOpt) this.doubts?.conclude(upstream, false)
  }

  /** The question has ended. */
  end(): void {
    this.doubts?.end()
  }

  /** The attempt brought an answer, where another upstream said that it has none. */
  noteHelp(answered: Attempt, scan: ResponseScan, kept: KeptReply | undefined): void {
    const { upstream } = answered
    upstream.health.helped()
    this.learn(answered, scan)
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
    return this.awaitedAbove(upstream) !== undefined
  }

  /** An upstream above that may still answer, and is not gone. */
  private awaitedAbove(upstream: Upstream): Attempt | undefined {
    const { group } = this
    return this.attempts.all.find(
      (one) =>
        !one.isDone && group.comesBefore(one.upstream, upstream) && !one.upstream.health.isDown,
    )
  }

  /** Which upstream is asked over TCP because this one, from further down the order, denies what it has not answered over UDP. */
  appealFrom(denier: Upstream): Upstream | undefined {
    const above = this.awaitedAbove(denier)
    return above !== undefined && this.isUdpAlone(above) ? above.upstream : undefined
  }

  /** A closed UDP port of one above is no word about a name either. */
  private mayBeOpenOverTcp(lost: Attempt, why: AttemptFailure): boolean {
    if (why !== 'refused' || !this.group.isOrdered || lost.upstream.health.isDown) return false
    return this.isUdpAlone(lost)
  }

  private isUdpAlone(attempt: Attempt): boolean {
    return attempt.canGoOverTcp && !this.attempts.wentOverTcp(attempt.upstream)
  }

  /** Whom to ask when all upstreams that may still answer have left the group. What was sent to them counts no more. */
  afterRegrouping(): Upstream | undefined {
    if (this.attempts.awaited().some((one) => this.group.has(one))) return undefined
    this.attempts.startOver()
    return this.next()
  }
}
