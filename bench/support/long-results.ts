/** What the long runs keep. */
import type { Circumstances } from './record.ts'
import type { Verdict } from './verdict.ts'

export interface LongRunCounts {
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly wrong: number
  readonly servfail: number
}

export interface StallSample {
  readonly seconds: number
  /** Longest event-loop delay since the sample before, by the daemon's own account. */
  readonly stallMs: number
}

/** One generator run: the daemon's are a minute long, those of unbound lie between them. */
export interface StallSegment extends LongRunCounts {
  readonly contestant: 'neardns' | 'unbound'
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
  readonly lateP99Us: number
}

export interface StallResult extends Circumstances {
  readonly kind: 'stall'
  readonly io: string
  readonly minutes: number
  readonly rate: number
  readonly bars: readonly Verdict[]
  readonly segments: readonly StallSegment[]
  readonly samples: readonly StallSample[]
}

export interface RssSample {
  readonly seconds: number
  readonly rssBytes: number
}

export interface LongResult extends Circumstances {
  readonly kind: 'long'
  readonly io: string
  readonly bars: readonly Verdict[]
  readonly verdict: LongRunCounts & {
    readonly rate: number
    readonly seconds: number
    readonly cpuUsPerQuery: number
    readonly rssMaxBytes: number
    /** By a straight line through the last three quarters. */
    readonly rssGrowthShare: number
    readonly cacheEntries: number
    readonly cacheBytes: number
  }
  readonly samples: readonly RssSample[]
}

export interface GcStressResult extends Circumstances {
  readonly kind: 'gc-stress'
  readonly io: string
  readonly bars: readonly Verdict[]
  readonly verdict: LongRunCounts & {
    readonly minutes: number
    readonly queriesPerSecond: number
    /** Whole collections that the daemon counted. */
    readonly collections: number
    readonly rssMaxBytes: number
  }
}
