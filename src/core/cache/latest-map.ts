/**
 * A Map that forgets what was set longest ago: it holds `entriesMax` keys at most, and the latest half of them at least. Two
 * generations, because to take the first key out of one Map again and again is to walk over the holes of all that were taken before:
 * measured, a quarter of what a miss costs.
 */
export class LatestMap<V> {
  private young = new Map<string, V>()
  private old = new Map<string, V>()
  private readonly entriesMax: number

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax
  }

  get size(): number {
    return this.young.size + this.old.size
  }

  has(key: string): boolean {
    return this.young.has(key) || this.old.has(key)
  }

  get(key: string): V | undefined {
    const value = this.young.get(key)
    return value === undefined ? this.old.get(key) : value
  }

  /** The key is the latest from now on. */
  set(key: string, value: V): void {
    this.old.delete(key)
    if (!this.young.has(key) && this.young.size >= this.entriesMax / 2) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(key, value)
  }

  /** @returns whether it was there */
  delete(key: string): boolean {
    return this.young.delete(key) || this.old.delete(key)
  }

  /** The latest last. */
  *all(): Generator<[string, V]> {
    yield* this.old
    yield* this.young
  }

  clear(): void {
    this.young.clear()
    this.old.clear()
  }
}
