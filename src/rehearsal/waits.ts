/** Times that clients waited, in buckets of a twentieth of an octave: bounded however many there are, and 3.6 % exact. Pure. */

const perOctave = 20
/** The first bucket takes all below a microsecond. */
const firstMs = 0.001
/** Up to 17 minutes. */
const buckets = 30 * perOctave

export interface Quantiles {
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export class Waits {
  private readonly counts = new Uint32Array(buckets)
  private count = 0
  private maxMs = 0

  add(tookMs: number): void {
    const octaves = Math.log2(Math.max(tookMs, firstMs) / firstMs)
    const bucket = Math.min(Math.round(octaves * perOctave), buckets - 1)
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.count += 1
    this.maxMs = Math.max(this.maxMs, tookMs)
  }

  get quantiles(): Quantiles {
    const { maxMs } = this
    return { p50Ms: this.at(0.5), p90Ms: this.at(0.9), p99Ms: this.at(0.99), maxMs }
  }

  private at(share: number): number {
    let seen = 0
    for (const [bucket, count] of this.counts.entries()) {
      seen += count
      if (seen > 0 && seen >= share * this.count)
        return bucket === 0 ? 0 : Math.min(firstMs * 2 ** (bucket / perOctave), this.maxMs)
    }
    return 0
  }
}
