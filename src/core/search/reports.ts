/** What the search path tells people: what was wrong, and what was switched on or off. */
import type { AnswerState } from './answer-mode/state.ts'

/** For people. Names in folded wire form, one character an octet. */
export interface SearchReports {
  /** What denials were given by does not hold for this name. */
  readonly onMismatch: (name: string, kind: string) => void
  /** A rule does not hold for this name; nothing was denied by it yet. */
  readonly onBrokenRule: (name: string, rule: string) => void
  /** Answer mode was switched on or off, by what is known of the cluster's DNS. */
  readonly onAnswerState: (state: AnswerState) => void
}
