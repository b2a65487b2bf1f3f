/** What the data path knows of somebody who answers beside it. */
import type { CacheEntry } from '../../core/cache/entry.ts'
import type { KernelHitsStats } from '../../observe/stats.ts'
import type { QuerySampler } from '../../pipeline/replies.ts'

/** Answers beside us, from copies of entries. */
export interface HitWatch {
  /** Number of the program by which it answers; undefined without one. */
  readonly program: number | undefined
  /** Hears of our replies; undefined while nobody answers beside us. */
  readonly sampler: QuerySampler | undefined
  /** @returns what there is to say about an entry, lines for people */
  explain(entry: CacheEntry | undefined): readonly string[]
  /** What we answer is going to change, in this tick. */
  clear(): void
  /** It has changed. */
  changed(): void
  stats(): KernelHitsStats
}
