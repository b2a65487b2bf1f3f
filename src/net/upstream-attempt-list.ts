/** All sendings of one question, the newest last. Decides nothing. */
import { append } from '../core/short-list.ts'
import type { Attempt, Carrier } from './upstream-attempt.ts'
import type { UpstreamServer } from './upstream-server.ts'

export class AttemptList {
  private attempts: Attempt[] = []

  get all(): readonly Attempt[] {
    return this.attempts
  }

  /**
   * Whether the question may be sent once more. What was lost before it was sent (a dial refused, say) is no packet, and
   * only half counts.
   * @param sendsMax packets per question
   */
  mayGrow(sendsMax: number): boolean {
    let unsent = 0
    for (const { isDone, sentMs } of this.attempts) if (isDone && sentMs === 0) unsent += 1
    return this.attempts.length - unsent / 2 < sendsMax
  }

  add(attempt: Attempt): void {
    this.attempts = append(this.attempts, attempt)
  }

  /** Whether any of them waits on this carrier. */
  waitsOn(carrier: Carrier): boolean {
    for (const attempt of this.attempts) if (attempt.carrier === carrier) return true
    return false
  }

  /** The newest that may still be answered. */
  lastLive(): Attempt | undefined {
    return this.attempts.findLast((attempt) => !attempt.isDone)
  }

  upstreams(): UpstreamServer[] {
    return this.attempts.map((attempt) => attempt.upstream)
  }

  wentOverTcp(upstream: UpstreamServer): boolean {
    return this.attempts.some((attempt) => attempt.upstream === upstream && attempt.overTcp)
  }

  sawMismatch(): boolean {
    return this.attempts.some((attempt) => attempt.mismatches > 0)
  }

  /** Holds the waiting against upstreams that have said nothing since, once for each. */
  noteWaits(nowMs: number): void {
    for (const [i, attempt] of this.attempts.entries()) {
      const isFirst = this.attempts.findIndex(({ upstream }) => upstream === attempt.upstream) === i
      if (isFirst && !attempt.isDone) attempt.upstream.noteWait(attempt, nowMs)
    }
  }

  cancel(): void {
    for (const attempt of this.attempts) attempt.cancel()
  }
}
