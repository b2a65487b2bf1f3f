/**
 * Tells which names may have denials of some kind in the cache, which saves nearly all look-ups of denials that are not there,
 * and the strings for them. Errs on the side of "may": names share buckets, and denials that were dropped early are not removed.
 */

import { spread } from './key.ts'

export class DenialFilter {
  private readonly untilSeconds: Uint32Array
  private readonly shift: number

  /** @param bucketBits there are 2 ** bucketBits buckets of 4 bytes each; useful while fewer names are denied at a time */
  constructor(bucketBits: number) {
    this.untilSeconds = new Uint32Array(2 ** bucketBits)
    this.shift = 32 - bucketBits
  }

  /**
   * @param hash of the name
   * @param untilMs when its denial can have no effect any more
   */
  note(hash: number, untilMs: number): void {
    const bucket = this.bucketOf(hash)
    const seconds = Math.ceil(untilMs / 1000)
    if (seconds > (this.untilSeconds[bucket] as number)) this.untilSeconds[bucket] = seconds
  }

  mayHold(hash: number, nowMs: number): boolean {
    return nowMs < (this.untilSeconds[this.bucketOf(hash)] as number) * 1000
  }

  private bucketOf(hash: number): number {
    return spread(hash) >>> this.shift
  }
}
