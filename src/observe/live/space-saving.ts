/**
 * The most frequent keys of a stream in bounded memory (Metwally, Agrawal, El Abbadi 2005, "Space-Saving"): a new key takes the place of the
 * rarest, with its count. A key that makes up more than one in `keysMax` of the stream is never missed, and no count is too low.
 */
export interface Counted {
  readonly key: string
  count: number
  /** By how much the count may be too high. */
  error: number
  /** Of those that were given a time. */
  timed: number
  totalMs: number
  maxMs: number
}

/** A key that was seen once and never again is gone after some lives of the window. */
const forgottenBelow = 0.02

export class SpaceSaving {
  private readonly keysMax: number
  private readonly counted = new Map<string, Counted>()

  constructor(keysMax: number) {
    this.keysMax = keysMax
  }

  /**
   * @param weight queries that this one stands for
   * @param tookMs counts for the slowest; undefined for cache hits
   */
  add(key: string, weight: number, tookMs?: number): void {
    const found = this.counted.get(key) ?? this.place(key)
    found.count += weight
    if (tookMs === undefined) return
    found.timed += 1
    found.totalMs += tookMs
    found.maxMs = Math.max(found.maxMs, tookMs)
  }

  /** Lets the past count for less. @param factor below 1 */
  decay(factor: number): void {
    for (const one of this.counted.values()) {
      one.count *= factor
      one.error *= factor
      if (one.count < forgottenBelow) this.counted.delete(one.key)
    }
  }

  /** The most frequent first. */
  top(count: number): Counted[] {
    return [...this.counted.values()].toSorted((a, b) => b.count - a.count).slice(0, count)
  }

  /** By the longest time first, those without a time left out. */
  slowest(count: number): Counted[] {
    return [...this.counted.values()]
      .filter(({ timed }) => timed > 0)
      .toSorted((a, b) => b.maxMs - a.maxMs)
      .slice(0, count)
  }

  private place(key: string): Counted {
    const fresh = { key, count: 0, error: 0, timed: 0, totalMs: 0, maxMs: 0 }
    if (this.counted.size >= this.keysMax) {
      const rarest = this.takeRarest()
      fresh.count = rarest
      fresh.error = rarest
    }
    this.counted.set(key, fresh)
    return fresh
  }

  /** @returns its count */
  private takeRarest(): number {
    let rarest: Counted | undefined
    for (const one of this.counted.values()) {
      if (rarest === undefined || one.count < rarest.count) rarest = one
      if (rarest.count <= 1) break
    }
    if (rarest !== undefined) this.counted.delete(rarest.key)
    return rarest?.count ?? 0
  }
}
