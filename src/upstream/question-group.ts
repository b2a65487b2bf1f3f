/** The interfaces by which a question and its group see each other. Types only. */
import type { ExchangeFailure } from '../core/ports.ts'
import type { Chained } from '../core/sharing/chain.ts'
import type { Claim } from '../core/sharing/shares.ts'
import type { ExchangeContext, Upstream } from './attempt.ts'
import type { GroupCounters } from './counters.ts'
import type { LoopSuspicion } from './policy/loop-suspicion.ts'
import type { Patience } from './policy/patience.ts'
import type { RetryBudget } from './policy/retry-budget.ts'
import type { ExchangeSettings } from './settings.ts'

/** A question without an outcome yet; `UpstreamQuestion` documents each member. */
export interface OpenQuestion extends Chained<OpenQuestion> {
  deliver(): void
  fail(why: ExchangeFailure): void
  onRegrouped(): void
}

/** The group as its questions see it; `UpstreamGroup` documents each member. */
export interface QuestionGroup {
  readonly context: ExchangeContext
  readonly settings: ExchangeSettings
  readonly counters: GroupCounters
  readonly patience: Patience
  readonly hedges: RetryBudget
  readonly failovers: RetryBudget
  readonly isDown: boolean
  readonly isOrdered: boolean
  /** Upstreams. */
  readonly size: number
  readonly silenceMs: number
  readonly loops: LoopSuspicion
  nowMs(): number
  firstChoice(nowMs: number): Upstream | undefined
  otherChoice(tried: readonly Upstream[]): Upstream | undefined
  comesBefore(one: Upstream, other: Upstream): boolean
  /** Whether it belongs to the group, and has not been removed from the configuration. */
  has(upstream: Upstream): boolean
  /** @param claim of the question */
  spend(budget: RetryBudget, claim?: Claim): boolean
  /** The question has ended; its outcome is reported or will be. */
  end(question: OpenQuestion): void
  /** Arranges a call of `deliver` in a later turn. */
  defer(question: OpenQuestion): void
  noteOutage(): void
  /** Whether the list of upstreams is being looked at again: `onRegrouped` is called when that is over. */
  awaitsOthers(): boolean
}
