/**
 * The numbers that the metric families read from other rooms at each scrape. Those rooms declare their counters themselves and do not know
 * this folder; the compiler compares both sides in `daemon/monitoring.ts`. Counts only grow; all other numbers are of this moment. Types
 * only.
 */

import type { HandoverView } from './families/handover.ts'

export type CountsByName = Readonly<Record<string, number>>

/** One UDP listening address. */
export interface UdpView {
  /** `169.254.20.10:53` or `[fd00::10]:53`. */
  readonly address: string
  /** How datagrams are read and written, and why not in batches. */
  readonly io: { readonly mode: string; readonly fallback: string }
  readonly stats: {
    readonly received: number
    readonly sent: number
    readonly sendErrors: ReadonlyMap<string, number>
    readonly queueDrops: number
    readonly unsendable: number
    readonly socketErrors: ReadonlyMap<string, number>
    readonly receiveBufferBytes: number
  }
}

/** One TCP listening address. */
export interface TcpView {
  readonly address: string
  readonly stats: {
    readonly accepted: number
    readonly open: number
    readonly refused: number
    readonly closed: CountsByName
    readonly received: number
    readonly sent: number
    readonly acceptErrors: ReadonlyMap<string, number>
  }
}

/** One upstream of one group. */
export interface UpstreamView {
  readonly group: string
  /** `10.96.0.11:53`. */
  readonly address: string
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly isUp: boolean
  /** Open connections. */
  readonly connections: number
  /** Those whose questions are slow. */
  readonly connectionsHeld: number
  /** Smoothed round trip; 0 before the first reply. */
  readonly roundTripMs: number
  readonly counters: UpstreamCounts
}

export interface UpstreamCounts {
  /** Response codes 0-23, then all others. */
  readonly repliesByRcode: Float64Array
  /** `durationSlots` of platform/duration-buckets.ts: a histogram for each slot of `repliesByRcode`. */
  readonly durations: Float64Array
  readonly mismatches: CountsByName
  readonly failures: CountsByName
  readonly sent: number
  readonly aside: number
  readonly trials: number
  readonly lateReplies: number
  readonly truncated: number
  readonly silences: number
  readonly waits: CountsByName
  readonly connectionsOpened: number
  readonly connectionsReused: number
}

/** One upstream group. */
export interface GroupView {
  readonly name: string
  readonly counters: {
    readonly questions: number
    readonly hedges: number
    readonly hedgesWon: number
    readonly overtakes: number
    readonly retries: number
    readonly budgetRefusals: number
    readonly timeouts: number
    readonly unreachable: number
    readonly malformed: number
    readonly overloaded: number
  }
}

export interface CacheView {
  readonly bytes: number
  readonly settings: { readonly entriesMax: number; readonly bytesMax: number }
  readonly stats: {
    readonly entriesSuccess: number
    readonly entriesDenial: number
    readonly evictionsSuccess: number
    readonly evictionsDenial: number
    readonly refused: number
    readonly passedOver: number
  }
}

export interface InFlightView {
  readonly stats: {
    readonly questions: number
    readonly waiters: number
    readonly joined: number
    readonly refused: number
  }
  readonly refusals: { readonly questions: CountsByName; readonly waiters: CountsByName }
}

/** Counts of all search paths in the life of the process. */
export interface SearchView {
  readonly structure: number
  readonly cut: number
  readonly shared: number
  readonly probes: number
  readonly audits: number
  readonly mismatches: number
  readonly answered: number
  /** By reason. */
  readonly fallbacks: CountsByName
  readonly cuts: number
  readonly breakersOpen: number
  /** `off` without a search path. */
  readonly level: string
  readonly fingerprint: string
  /** Undefined while no namespace uses answer mode. */
  readonly answerState: string | undefined
}

export interface ReloadStats {
  readonly succeeded: number
  readonly failed: number
  /** Whether the newest configuration was applied. */
  readonly isLastGood: boolean
  /** When the configuration in force was applied, seconds since 1970. */
  readonly appliedSeconds: number
  /** SHA-512 of the configuration in force, lower-case hexadecimal. */
  readonly hash: string
}

/** The worker processes. */
export interface WorkersView {
  readonly wanted: number
  readonly ready: number
  /** Workers that were replaced, by reason. */
  readonly restarts: Readonly<Record<'ended' | 'killed' | 'hung', number>>
}

/** Numbers that only the supervisor has, and that every worker publishes. */
export interface SupervisorView {
  readonly workers: WorkersView
  readonly handover: HandoverView
  readonly reload: ReloadStats
}

export interface ProcessFacts {
  readonly version: string
  readonly revision: string
  /** Limit of the memory cgroup in bytes; 0 when there is none. */
  readonly memoryLimitBytes: number
  /** Name of the node in Kubernetes; undefined where nobody says it. */
  readonly nodeName?: string | undefined
}

/** Why the kernel answers nothing, and what an interface is left alone for. */
export const hitsOffReasons = [
  'mode', // kernelHits.mode is off
  'workers', // several processes, each with a cache of its own
  'program', // this build has none
  'kernel', // older than tcx
  'permission', // capabilities, seccomp
  'error', // the log has it
  'queries', // each has to be seen: a query log, somebody who looks at them, rewritten questions
  'stopped', // the daemon does not serve yet, or no longer
] as const
export type HitsOffReason = (typeof hitsOffReasons)[number]
export const hitsObstacles = ['policy', 'program', 'uplink', 'refused'] as const
export type HitsObstacle = (typeof hitsObstacles)[number]

/** Messages to a reader of dnstap. */
export interface DnstapStats {
  readonly sent: number
  readonly dropped: number
  readonly isConnected: boolean
}

/** Slow and failed queries for a collector of traces. */
export interface TraceStats {
  readonly sent: number
  /** No room, or the collector was away for too long. */
  readonly dropped: number
  /** The collector did not want them. */
  readonly refused: number
  /** Spans that it did not want of what it took. */
  readonly spansRejected: number
}

/** Hits that the kernel answers. */
export interface KernelHitsStats {
  /** Undefined while the kernel may answer. */
  readonly off: HitsOffReason | undefined
  /** The same in words; empty while it is on. */
  readonly why: string
  /** To which the program is attached, and those that are left alone. */
  readonly interfaces: number
  readonly leftAlone: Readonly<Record<HitsObstacle, number>>
  readonly entries: number
  /** Hits, then what was passed up by reason, in the order of `passedReasons` (kernel/layout.ts); empty while it is off. */
  readonly counts: readonly number[]
}

export interface InterceptionStats {
  readonly backend: string
  readonly kubeProxy: string
  readonly addresses: readonly {
    readonly address: string
    readonly role: string
    readonly isActive: boolean
  }[]
  /** By kind. Every kind is there, with 0 if it did not happen. */
  readonly troubles: ReadonlyMap<string, number>
  readonly renewals: number
  /** CoreDNS pods that answer on our own addresses while the daemon is down. */
  readonly standbyTargets: number
}
