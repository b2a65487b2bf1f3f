/**
 * How long quick and slow answers of one server take: from what age on a question is slow there (a resolver that is 30 ms away is
 * not slow), and when a slow one is late. Pure.
 */

/** A question is old at this many times a quick answer: within it a loaded server answers nearly all that it knows. */
const oldFactor = 3
/**
 * A quick answer is the quickest of so many: slow names do not move it unless hardly anything else is asked, and they are soon
 * asked apart.
 */
const samplesMax = 16
/** No server needs more than this, or than a dial, for what it knows: while only slow names are asked, all samples are slow. */
const quickMsMax = 100
/** A slow answer is late at this many times the usual one ... */
const lateFactor = 2
/** ... within these bounds: datagrams get lost, and no client should wait for a second one for longer. */
const lateMsMin = 250
const lateMsMax = 1000
/** A slower answer counts at once, a quicker one with this weight: names differ, and one sent twice is asked of others twice. */
const smoothing = 1 / 32

export class AnswerTimes {
  private readonly samples: number[] = []
  private next = 0
  private quickMs = 0
  private slowMs = 0
  private dialMs = 0

  /** A dial is a round trip, and the first that is known. */
  noteDial(tookMs: number): void {
    this.dialMs = tookMs
    if (this.samples.length === 0) this.note(tookMs)
  }

  /** @param tookMs of a question that waited for no other */
  note(tookMs: number): void {
    this.samples[this.next] = tookMs
    this.next = (this.next + 1) % samplesMax
    let quickMs = Number.POSITIVE_INFINITY
    for (const sample of this.samples) if (sample < quickMs) quickMs = sample
    this.quickMs = quickMs
  }

  noteSlow(tookMs: number): void {
    this.slowMs = Math.max(tookMs, this.slowMs + (tookMs - this.slowMs) * smoothing)
  }

  /** @param leastMs the limit for a server nearby */
  slowAfterMs(leastMs: number): number {
    const quickMs = Math.min(this.quickMs, Math.max(quickMsMax, this.dialMs))
    return Math.max(leastMs, oldFactor * quickMs)
  }

  get lateAfterMs(): number {
    if (this.slowMs === 0) return lateMsMax
    return Math.min(lateMsMax, Math.max(lateMsMin, lateFactor * this.slowMs))
  }
}
