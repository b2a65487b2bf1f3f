/**
 * Bounds what hedges and retries add to an upstream's load: a share of the questions asked lately plus a small
 * burst, so that a struggling upstream is not trampled by our impatience (reliability of the whole before that of
 * one question). Time is passed in; sends nothing.
 */

/** Memory of the budget: unused shares fade, so that an hour of calm does not pay for a minute of storm. */
const fadeMs = 10_000
/** What a quiet group may spend: enough for a search-path chain of a few pods to be asked twice. */
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

  /** Gives back what a retry cost that turned out to be the only way to an answer. */
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
