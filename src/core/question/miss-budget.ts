/**
 * How many questions one client may send upstream in a second: a token bucket for each source address, for questions that
 * nobody has asked yet. Hits and joined questions are free, so a pod that is cut off here still gets everything that the
 * node knows already.
 */
import QuickLRU from 'quick-lru'

export interface MissBudgetSettings {
  /** Sustained rate, and burst, for each client; 0 turns the limit off. */
  readonly missesPerClientPerSecond: number
}

interface Bucket {
  tokens: number
  filledMs: number
}

/** More addresses than pods on any node; quick-lru holds up to twice as many. What is forgotten starts full again. */
const bucketsMax = 2_048

export class MissBudget {
  /** Questions that were not allowed. */
  refused = 0
  private settings: MissBudgetSettings
  private readonly buckets = new QuickLRU<string, Bucket>({ maxSize: bucketsMax })

  constructor(settings: MissBudgetSettings) {
    this.settings = settings
  }

  reconfigure(settings: MissBudgetSettings): void {
    this.settings = settings
  }

  /** Takes one token. @returns false when the client has none left */
  take(client: string, nowMs: number): boolean {
    const rate = this.settings.missesPerClientPerSecond
    if (rate === 0) return true
    const bucket = this.bucketOf(client, rate, nowMs)
    bucket.tokens = Math.min(rate, bucket.tokens + ((nowMs - bucket.filledMs) * rate) / 1000)
    bucket.filledMs = nowMs
    if (bucket.tokens < 1) {
      this.refused += 1
      return false
    }
    bucket.tokens -= 1
    return true
  }

  private bucketOf(client: string, rate: number, nowMs: number): Bucket {
    const known = this.buckets.get(client)
    if (known !== undefined) return known
    const bucket = { tokens: rate, filledMs: nowMs }
    this.buckets.set(client, bucket)
    return bucket
  }
}
