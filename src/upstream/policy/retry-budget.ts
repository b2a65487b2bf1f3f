/**
 * Bounds the load that hedges and retries add to an upstream: a share of the recent questions plus a small burst, so that retries
 * do not overrun a struggling upstream (the whole service matters more than one question). Time is passed in; sends nothing.
 */

/** Unused shares fade within this time, so that an hour of calm does not pay for a minute of storm. */
const fadeMs = 10_000
/** Spare budget of a quiet group: enough to ask a search-path chain of a few pods twice. */
const burstDefault = 10

export class RetryBudget {
  private readonly burst: number
  private share: number
  private earned = 0
  private spare: number
  private touchedMs = 0

  /** @param percent hedges and retries per 100 questions */
  constructor(percent: number, burst = burstDefault) {
    this.share = percent / 100
    this.burst = burst
    this.spare = burst
  }

  setPercent(percent: number): void {
    this.share = percent / 100
  }

  /** A question came in: it earns its share. */
  earn(nowMs: number): void {
    this.fade(nowMs)
    this.earned += this.share
  }

  /**
   * @param cost 1 for one more packet; more for a kind of retry that should stay rarer
   * @returns false when the budget does not cover it; nothing is spent then
   */
  spend(nowMs: number, cost: number): boolean {
    this.fade(nowMs)
    if (this.earned + this.spare < cost) return false
    const fromEarned = Math.min(this.earned, cost)
    this.earned -= fromEarned
    this.spare -= cost - fromEarned
    return true
  }

  /** Refunds a retry that proved to be the only way to an answer. */
  refund(cost: number): void {
    this.earned += cost
  }

  private fade(nowMs: number): void {
    const elapsedMs = nowMs - this.touchedMs
    if (elapsedMs <= 0) return
    this.touchedMs = nowMs
    const kept = Math.exp(-elapsedMs / fadeMs)
    this.earned *= kept
    this.spare = this.burst - (this.burst - this.spare) * kept
  }
}
