/** How a question and the group that it was given to see each other. */
import type { ExchangeFailure } from '../core/ports.ts'
import type { ExchangeContext, Upstream } from './attempt.ts'
import type { GroupCounters } from './counters.ts'
import type { Patience } from './policy/patience.ts'
import type { RetryBudget } from './policy/retry-budget.ts'
import type { ExchangeSettings } from './settings.ts'

/** A question without an outcome yet; `UpstreamQuestion` documents each. */
export interface OpenQuestion {
  deliver(): void
  fail(why: ExchangeFailure): void
}

/** What a question sees of the group that it was given to; `UpstreamGroup` documents each. */
export interface QuestionGroup {
  readonly context: ExchangeContext
  readonly settings: ExchangeSettings
  readonly counters: GroupCounters
  readonly patience: Patience
  readonly hedges: RetryBudget
  readonly failovers: RetryBudget
  readonly isDown: boolean
  nowMs(): number
  firstChoice(nowMs: number): Upstream | undefined
  otherChoice(tried: readonly Upstream[]): Upstream | undefined
  trialChoice(tried: readonly Upstream[]): Upstream | undefined
  spend(budget: RetryBudget): boolean
  /** The question has ended, and has reported its outcome or will. */
  end(question: OpenQuestion): void
  /** Has `deliver` called in a turn of its own. */
  defer(question: OpenQuestion): void
  noteOutage(): void
}
