/**
 * How many questions one client may send upstream in a second: a token bucket for each source address, for questions that
 * nobody has asked yet. Hits and joined questions are free, so a pod that is cut off here still gets everything that the
 * node knows already.
 */
import { LatestMap } from '../cache/latest-map.ts'

export interface MissBudgetSettings {
  /** Sustained rate, and burst, for each client; 0 turns the limit off. */
  readonly missesPerClientPerSecond: number
}

interface Bucket {
  tokens: number
  filledMs: number
}

/** The latest half is always kept: more addresses than pods on any node. A client that is forgotten starts with a full bucket. */
const bucketsMax = 4_096

export class MissBudget {
  /** Questions that were not allowed. */
  refused = 0
  private settings: MissBudgetSettings
  private readonly buckets = new LatestMap<Bucket>(bucketsMax)

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

  /** The client is the latest from now on, so that a busy one is not forgotten and refilled by a flood of others. */
  private bucketOf(client: string, rate: number, nowMs: number): Bucket {
    const bucket = this.buckets.get(client) ?? { tokens: rate, filledMs: nowMs }
    this.buckets.set(client, bucket)
    return bucket
  }
}
