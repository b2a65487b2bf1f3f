/**
 * A Map that forgets the keys that were set longest ago: it holds at most `entriesMax` keys, and always the latest half
 * of them. It never reads a clock. Two generations, because deleting the first key of one Map again and again walks over
 * the holes of all keys deleted before it: measured, a quarter of what a miss costs. Own code, because quick-lru's `size`
 * counts its keys one by one and its `get` looks each key up twice (docs/decisions/0035).
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
    if (!this.young.has(key)) this.makeYoung(key)
    this.young.set(key, value)
  }

  /** Makes room for it among the young. */
  private makeYoung(key: string): void {
    this.old.delete(key)
    if (this.young.size < this.entriesMax / 2) return
    this.old = this.young
    this.young = new Map()
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
