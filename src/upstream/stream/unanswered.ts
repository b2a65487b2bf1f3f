/** The questions that a connection has not brought an answer to, the oldest first, those given up among them. Decides nothing. */
import { Members } from '../../core/sharing/members.ts'
import type { Attempt } from '../attempt.ts'

export class Unanswered extends Members<Attempt> {
  /** Nearly always the first, or few behind it. */
  withId(id: number): Attempt | undefined {
    let attempt = this.first
    while (attempt !== undefined && attempt.id !== id) attempt = attempt.next
    return attempt
  }

  /** Whether a question among them has no answer from elsewhere and was not given up. */
  get isAnyAwaited(): boolean {
    let attempt = this.first
    while (attempt?.isDone === true) attempt = attempt.next
    return attempt !== undefined
  }

  /** Takes all out. @returns those that are awaited */
  clear(): Attempt[] {
    const all = this.all()
    for (const attempt of all) this.delete(attempt)
    return all.filter(({ isDone }) => !isDone)
  }
}
