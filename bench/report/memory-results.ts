/** What the memory benches keep. */
import type { FloodCounts } from '../support/flood.ts'
import type { MemoryReading } from '../support/memory-cgroup.ts'
import type { Circumstances } from './record.ts'

export interface SoakSample {
  readonly seconds: number
  /** Right answers a second since the sample before. */
  readonly queriesPerSecond: number
  readonly counts: FloodCounts
  readonly rssBytes: number
  readonly cgroup: MemoryReading
  readonly cacheBytes: number
  readonly cacheBytesMax: number
  readonly cacheEntries: number
  readonly heapUsedBytes: number
  readonly heapLimitBytes: number
  readonly externalBytes: number
  readonly inFlightQuestions: number
  /** Longest event-loop delay since the sample before. */
  readonly stallMs: number
}

export interface Verdict extends FloodCounts {
  readonly verdict: 'kept' | 'broken'
  /** What is broken. */
  readonly broken: readonly string[]
}

export interface SoakVerdict extends Verdict {
  readonly minutes: number
  readonly limitBytes: number
  readonly queriesPerSecond: number
  readonly rssMaxBytes: number
  readonly cgroupMaxBytes: number
  readonly anonMaxBytes: number
  readonly limitHits: number
  readonly oomKills: number
  readonly cacheMaxBytes: number
  readonly cacheBoundBytes: number
  readonly heapLimitBytes: number
  readonly stallMaxMs: number
}

export interface SoakResult extends Circumstances {
  readonly verdict: SoakVerdict
  readonly samples: readonly SoakSample[]
}

export interface MillionVerdict extends Verdict {
  readonly names: number
  readonly seconds: number
  readonly queriesPerSecond: number
  readonly idleRssBytes: number
  /** Largest after each quarter of the names: memory that grows with the names would show. */
  readonly rssMaxByQuarterBytes: readonly number[]
  readonly rssBoundBytes: number
  readonly cacheBytes: number
  readonly cacheBoundBytes: number
  readonly stallMaxMs: number
  /** Time spent in garbage collections. */
  readonly collectionSeconds: number
}

export interface MillionResult extends Circumstances {
  readonly verdict: MillionVerdict
}
