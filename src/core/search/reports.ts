/** What the search path reports to people: mismatches, and what was switched on or off. */
import type { AnswerState } from './answer-mode/state.ts'

/** For people. Names in folded wire form, one character a byte. */
export interface SearchReports {
  /** The evidence that denials were given on does not hold for this name. */
  readonly onMismatch: (name: string, kind: string) => void
  /** A rule does not hold for this name; it has denied nothing yet. */
  readonly onBrokenRule: (name: string, rule: string) => void
  /** Answer mode was switched on or off, by what is known of the cluster's DNS. */
  readonly onAnswerState: (state: AnswerState) => void
}
