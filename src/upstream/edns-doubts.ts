/**
 * One question's doubts whether what an upstream said is about EDNS (RFC 6891 7): which replies are asked again without it, at once or
 * when another question's retry has shown whether that helps, and what the retries taught. Made for questions that have such a
 * doubt. Sends nothing.
 */
import type { ResponseScan } from '../wire/scan.ts'
import type { Attempt, AttemptList, Upstream } from './attempt.ts'
import type { LessonTerms } from './manner.ts'
import { blamesNothing, isBareDenial, refusesEdns } from './policy/choice.ts'
import type { Retries, RetryTurn, RetryWaiter } from './policy/plain-retries.ts'
import type { QuestionGroup } from './question-group.ts'

export interface DoubtOwner {
  /** Whether one that was asked may be asked again. */
  readonly hasRoomToRepeat: boolean
  /** The retry of the question at this upstream is due now, or never. */
  onRetryTurn(upstream: Upstream, turn: RetryTurn): void
}

/** Which retries the question waits for, or has taken part in. */
interface Share {
  readonly upstream: Upstream
  readonly isDenial: boolean
}

export class EdnsDoubts implements RetryWaiter {
  /** It refused EDNS in so many words. */
  private refusedBy: Upstream | undefined
  /** It denied the name to EDNS, and nothing shows that it knows EDNS. */
  private deniedBy: Upstream | undefined
  private waitsFor: Share | undefined
  private readonly taken: Share[] = []
  private readonly group: Pick<QuestionGroup, 'nowMs' | 'settings'>
  private readonly attempts: AttemptList
  private readonly owner: DoubtOwner

  constructor(
    group: Pick<QuestionGroup, 'nowMs' | 'settings'>,
    attempts: AttemptList,
    owner: DoubtOwner,
  ) {
    this.group = group
    this.attempts = attempts
    this.owner = owner
  }

  /** The question waits until a retry of another question has ended. */
  get isWaiting(): boolean {
    return this.waitsFor !== undefined
  }

  /**
   * What becomes of a reply to a question with EDNS: whether it is asked again without.
   * @returns `wait` also when that is under way
   */
  turnFor({ upstream }: Attempt, scan: ResponseScan): RetryTurn {
    const isRefusal = refusesEdns(scan.rcode)
    if (isRefusal) this.refusedBy = upstream
    if (awaitsPlain(upstream, this.attempts)) return 'wait'
    if (!this.owner.hasRoomToRepeat) return 'never'
    if (isRefusal) return 'now'
    if (this.attempts.at(upstream).some(({ hasOpt }) => !hasOpt)) return 'never'
    if (isBareDenial(scan)) return this.take({ upstream, isDenial: true })
    if (!blamesNothing(scan) || !this.group.settings.failover) return 'never'
    upstream.dialect.edns.failed()
    return this.take({ upstream, isDenial: false })
  }

  private take(share: Share): RetryTurn {
    const { upstream, isDenial } = share
    const { edns } = upstream.dialect
    const turn = isDenial ? edns.mayDeny(this.group.nowMs()) : edns.mayBlame(this.group.nowMs())
    this.waitsFor = turn === 'wait' ? share : undefined
    if (turn === 'never') return turn
    if (isDenial) this.deniedBy = upstream
    if (turn === 'now') this.taken.push(share)
    else retriesOf(share).join(this)
    return turn
  }

  onRetriesKnown(): void {
    const share = this.waitsFor
    if (share === undefined) return
    const turn = this.take(share)
    if (turn !== 'wait') this.owner.onRetryTurn(share.upstream, turn)
  }

  /** Waits no longer for retries of others. @returns at which upstream it waited */
  stopWaiting(): Upstream | undefined {
    const share = this.waitsFor
    this.waitsFor = undefined
    if (share !== undefined) retriesOf(share).leave(this)
    return share?.upstream
  }

  /** Whether a denial by this upstream waits for what it says to the question without EDNS. */
  isOpenDenial(upstream: Upstream): boolean {
    if (this.deniedBy !== upstream) return false
    return this.isWaiting || awaitsPlain(upstream, this.attempts)
  }

  /** What an answer by the upstream may teach about EDNS. */
  lessonOf({ upstream, hasOpt }: Attempt, scan: ResponseScan): Partial<LessonTerms> {
    const isDenied = this.deniedBy === upstream
    const isRefused = isDenied || this.refusedBy === upstream
    return { isRefused, saysNothingOfEdns: isBareDenial(scan) && (hasOpt || isDenied) }
  }

  /** The retry at this upstream has ended. @param hasHelped it brought what the question with EDNS had not */
  conclude(upstream: Upstream, hasHelped: boolean): void {
    const index = this.taken.findIndex((share) => share.upstream === upstream)
    for (const share of index < 0 ? [] : this.taken.splice(index, 1))
      retriesOf(share).end(hasHelped, this.group.nowMs())
  }

  /** The question has ended: what is still under way was in vain. */
  end(): void {
    this.stopWaiting()
    for (const share of this.taken.splice(0)) retriesOf(share).end(false, this.group.nowMs())
  }
}

function retriesOf({ upstream, isDenial }: Share): Retries {
  const { edns } = upstream.dialect
  return isDenial ? edns.denials : edns.errors
}

/** Whether the question is under way there without EDNS. */
function awaitsPlain(upstream: Upstream, attempts: AttemptList): boolean {
  return attempts.at(upstream).some((one) => !one.hasOpt && !one.isDone)
}
