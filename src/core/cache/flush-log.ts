/**
 * The latest flushes: an answer that an upstream was asked for before one of them may be what the flush was to get rid of, and is not kept.
 */
import { type Selectable, type Selection, selectsAnswer } from './selection.ts'

/** A question takes some seconds at most; nobody flushes more often. */
const rememberedMax = 32

export class FlushLog {
  /** Flushes so far. A question carries the number of its time. */
  count = 0
  private latest: readonly Selection[] = []

  note(selection: Selection): void {
    this.count += 1
    this.latest = [...this.latest, selection].slice(-rememberedMax)
  }

  /** Whether an answer was flushed before it came. @param asOf `count` when its question was asked */
  covers(asOf: number, answer: Selectable): boolean {
    const since = this.count - asOf
    if (since === 0) return false
    if (since > this.latest.length) return true
    return this.latest.slice(-since).some((selection) => selectsAnswer(selection, answer))
  }
}
