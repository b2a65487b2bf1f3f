/**
 * A count for each of many numbers, in typed arrays. A Map whose keys come and go with each question leaves half a kilobyte of old
 * tables behind for each of them (`bench:micro pipeline-miss`). Open addressing, linear probing; who leaves a gap is followed up by those
 * behind it (Knuth, The Art of Computer Programming 3, 6.4, algorithm R). Pure.
 */

const sizeMin = 64
/** Beyond this it is not kept for the next flood. */
const idleSizeMax = 4096

export class Counts {
  private keys = new Int32Array(sizeMin)
  /** 0: the place is free. */
  private counts = new Float64Array(sizeMin)
  private used = 0

  /** Numbers with a count. */
  get size(): number {
    return this.used
  }

  /** Twice as many as it has had numbers at a time, at least. */
  get capacity(): number {
    return this.keys.length
  }

  /** @param key 32 bits, evenly spread */
  get(key: number): number {
    return this.counts[this.find(key)] as number
  }

  /** @param by above 0 */
  add(key: number, by: number): void {
    const at = this.find(key)
    const count = this.counts[at] as number
    this.counts[at] = count + by
    if (count > 0) return
    this.keys[at] = key
    this.used += 1
    if (this.used * 2 > this.keys.length) this.resize(this.keys.length * 2)
  }

  /** Not below 0. */
  subtract(key: number, by: number): void {
    const at = this.find(key)
    const count = this.counts[at] as number
    if (count === 0) return
    this.counts[at] = Math.max(0, count - by)
    if (count > by) return
    this.used -= 1
    this.closeGap(at)
    if (this.used === 0 && this.keys.length > idleSizeMax) this.resize(sizeMin)
  }

  /** @returns where the key is, or would be put */
  private find(key: number): number {
    const mask = this.keys.length - 1
    let at = homeOf(key) & mask
    while (this.counts[at] !== 0 && this.keys[at] !== key) at = (at + 1) & mask
    return at
  }

  /** Whoever stands behind a gap, and not at home before it, would not be found any more. */
  private closeGap(from: number): void {
    const mask = this.keys.length - 1
    let gap = from
    for (let at = (gap + 1) & mask; this.counts[at] !== 0; at = (at + 1) & mask) {
      const home = homeOf(this.keys[at] as number) & mask
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      this.keys[gap] = this.keys[at] as number
      this.counts[gap] = this.counts[at] as number
      this.counts[at] = 0
      gap = at
    }
  }

  private resize(size: number): void {
    const { keys, counts } = this
    this.keys = new Int32Array(size)
    this.counts = new Float64Array(size)
    for (const [i, count] of counts.entries()) {
      if (count === 0) continue
      const at = this.find(keys[i] as number)
      this.keys[at] = keys[i] as number
      this.counts[at] = count
    }
  }
}

function homeOf(key: number): number {
  return key ^ (key >>> 16)
}
