/** Random numbers that a seed repeats: xorshift32 (Marsaglia 2003). Not for secrets. */
export class Random {
  private state: number

  /** @param seed any integer; 0 is replaced, because the generator would stay at 0 */
  constructor(seed: number) {
    this.state = seed | 0 || 0x9e3779b9
  }

  /** @returns an integer from 0 to `count - 1`; `count` from 1 to 2^31 */
  below(count: number): number {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x
    return (x >>> 0) % count
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }
}
