/**
 * Retries of questions in another manner where that may not be the reason: how many are under way, and whether they help. A storm of
 * failures must not be doubled (RFC 9520 3.1), so a few find out, and questions that get the same reply in that time wait for them. Pure.
 */

/** A retry is due `now`, or `never`; or `wait` for those that are under way. */
export type RetryTurn = 'now' | 'wait' | 'never'

export interface RetryWaiter {
  /** A retry has ended, or EDNS has worked: it may ask for its turn again, or wait on. */
  onRetriesKnown(): void
}

/** After so many retries in vain there are none until this time has passed since the latest. */
const vainRestMs = 60_000

export class Retries {
  private readonly vainMax: number
  private underWay = 0
  private vain = 0
  private vainMs = Number.NEGATIVE_INFINITY
  /** The latest helped: as many as ask for it may find out. */
  private hasHelped = false
  private readonly waiting = new Set<RetryWaiter>()

  /** @param vainMax in vain, and under way */
  constructor(vainMax: number) {
    this.vainMax = vainMax
  }

  /** @returns whether one more may begin; then `end` must be called */
  take(nowMs: number): RetryTurn {
    if (nowMs - this.vainMs >= vainRestMs) this.vain = 0
    if (this.vain >= this.vainMax) return 'never'
    if (!this.hasHelped && this.underWay + this.vain >= this.vainMax) return 'wait'
    this.underWay += 1
    return 'now'
  }

  end(hasHelped: boolean, nowMs: number): void {
    this.underWay -= 1
    this.hasHelped = hasHelped
    if (hasHelped) this.vain = 0
    else {
      this.vain += 1
      this.vainMs = nowMs
    }
    this.wake()
  }

  /** What was in vain counts no longer: the upstream may be another, or has shown what it can. */
  reset(): void {
    this.vain = 0
    this.wake()
  }

  join(waiter: RetryWaiter): void {
    this.waiting.add(waiter)
  }

  leave(waiter: RetryWaiter): void {
    this.waiting.delete(waiter)
  }

  private wake(): void {
    if (this.waiting.size === 0) return
    const woken = [...this.waiting]
    this.waiting.clear()
    for (const waiter of woken) waiter.onRetriesKnown()
  }
}
