/**
 * How long to wait for an upstream before the question is also asked elsewhere: a percentile of its recent round trips, within
 * bounds. A fixed delay is either too long for a cluster's 0.5 ms answers or hedges every question to a resolver that is 80 ms
 * away (Dean and Barroso, "The Tail at Scale", hedged requests). Sends nothing.
 */

export interface HedgeSettings {
  readonly minMs: number
  readonly maxMs: number
  /** Of the recent round trips, 1-99. */
  readonly percentile: number
}

export interface TimeoutSettings {
  readonly minMs: number
  readonly maxMs: number
}

/** The slowest twentieth of the answers takes up to three times the percentile; what takes longer will mostly not come. */
const timeoutFactor = 3
/** Four buckets per doubling: a percentile is at most 19 % too high, which is less than its normal variation. */
const bucketsPerDoubling = 4
const smallestMs = 0.125
/** Up to 8.2 s, above every deadline. */
const bucketCount = 64
/** With fewer samples the percentile is accidental, and the longest delay applies. */
const samplesMin = 20
/** Samples after which all counts are halved: old round trips fade, within about a thousand questions. */
const samplesBeforeHalving = 512
/** The percentile is computed anew after this many samples. */
const recountEvery = 16
const pauseMaxMs = 1000
/** Weight of one round trip in the smoothed value (RFC 6298 2.3 uses the same). */
const smoothing = 1 / 8

export class HedgeDelay {
  private settings: HedgeSettings
  private readonly counts = new Float64Array(bucketCount)
  private samples = 0
  private sinceRecount = 0
  private currentMs: number
  /** The percentile, out of bounds or not; undefined while it would be accidental. */
  private usualMs: number | undefined
  /** Smoothed round trip; 0 before the first one. */
  smoothedMs = 0

  constructor(settings: HedgeSettings) {
    this.settings = settings
    this.currentMs = settings.maxMs
  }

  reconfigure(settings: HedgeSettings): void {
    this.settings = settings
    this.recount()
  }

  get delayMs(): number {
    return this.currentMs
  }

  /** The wait before one more packet: it doubles with each of the `hedges` sent so far, up to a second. */
  after(hedges: number): number {
    if (hedges === 0) return this.currentMs
    return Math.min(this.currentMs * 2 ** hedges, Math.max(this.currentMs, pauseMaxMs))
  }

  /** How long to wait before the upstream has to be taken for silent about a question: well beyond what it usually needs. */
  timeoutMs({ minMs, maxMs }: TimeoutSettings): number {
    if (this.usualMs === undefined) return maxMs
    return Math.min(maxMs, Math.max(minMs, this.usualMs * timeoutFactor))
  }

  /** @param tookMs round trip of an answer, or the time waited for one that was given up */
  add(tookMs: number): void {
    this.smoothedMs =
      this.smoothedMs === 0 ? tookMs : this.smoothedMs + (tookMs - this.smoothedMs) * smoothing
    const bucket = bucketOf(tookMs)
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.samples++
    if (this.samples > samplesBeforeHalving) this.halve()
    if (++this.sinceRecount >= recountEvery || this.samples === samplesMin) this.recount()
  }

  private halve(): void {
    for (let i = 0; i < bucketCount; i++) this.counts[i] = (this.counts[i] as number) / 2
    this.samples /= 2
  }

  private recount(): void {
    this.sinceRecount = 0
    const { minMs, maxMs } = this.settings
    this.usualMs = this.samples < samplesMin ? undefined : this.percentileMs()
    this.currentMs =
      this.usualMs === undefined ? maxMs : Math.min(maxMs, Math.max(minMs, this.usualMs))
  }

  private percentileMs(): number {
    let left = (this.samples * this.settings.percentile) / 100
    for (let i = 0; i < bucketCount; i++) {
      left -= this.counts[i] as number
      if (left <= 0) return smallestMs * 2 ** ((i + 1) / bucketsPerDoubling)
    }
    return this.settings.maxMs
  }
}

function bucketOf(tookMs: number): number {
  if (!(tookMs > smallestMs)) return 0
  const bucket = Math.floor(Math.log2(tookMs / smallestMs) * bucketsPerDoubling)
  return Math.min(bucket, bucketCount - 1)
}
