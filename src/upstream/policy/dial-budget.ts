/** Bounds dials to a server of which nobody knows whether it answers. Time and randomness are passed in; dials nothing. */

/** Dials per second while no connection has proved that the upstream answers. */
const blindDialsPerSecond = 2
/** A dial costs up to this share more, so that nodes do not dial in step. */
const dialJitter = 0.2
/** Two at once: one address may stand for several servers, one of them dead. */
const dialTokensMax = 2 * (1 + dialJitter)

export class DialBudget {
  private tokens = dialTokensMax
  private tokensAtMs = 0

  /** There is reason to believe that the upstream answers. */
  refill(): void {
    this.tokens = dialTokensMax
  }

  /** @param random 0 to 1. @returns false when it is too early for one more */
  take(nowMs: number, random: number): boolean {
    const earned = ((nowMs - this.tokensAtMs) * blindDialsPerSecond) / 1000
    this.tokens = Math.min(dialTokensMax, this.tokens + earned)
    this.tokensAtMs = nowMs
    if (this.tokens < 1) return false
    this.tokens -= 1 + random * dialJitter
    return true
  }
}
