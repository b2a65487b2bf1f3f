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

/** What was so since the sample before. */
export interface StallSample {
  readonly seconds: number
  /** Longest event-loop delay, by the daemon's own account. */
  readonly stallMs: number
  /** CPU time of the daemon's CPU that the hypervisor took; the kernel counts it in steps of 10 ms. */
  readonly stolenMs: number
  /** Time in which the daemon could have run and others had its CPU, threads of its own included. */
  readonly waitedMs: number
  /** Major collections of V8. */
  readonly collectedMs: number
}

/** One generator run; those of the daemon and of unbound take turns. */
export interface StallSegment extends LongRunCounts {
  readonly contestant: 'neardns' | 'unbound'
  /** Later than `StallResult.slowMs`. */
  readonly slow: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
  readonly lateP99Us: number
  /** CPU time of both CPUs that the hypervisor took. */
  readonly stolenMs: number
}

export interface StallResult extends Circumstances {
  readonly kind: 'stall'
  readonly io: string
  readonly minutes: number
  readonly rate: number
  readonly slowMs: number
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
