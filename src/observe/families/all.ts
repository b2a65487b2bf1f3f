/**
 * All families, in the order of the output. The daemon passes its parts as sources. The documentation is generated from empty sources, so
 * it lists every family and no other. Makes no sample itself.
 */

import { QueryCounters } from '../query-counters.ts'
import { RuntimeStats } from '../runtime-stats.ts'
import type {
  CacheView,
  DnstapStats,
  GroupView,
  InFlightView,
  InterceptionStats,
  KernelHitsStats,
  ProcessFacts,
  ReloadStats,
  SearchView,
  TcpView,
  TraceStats,
  UdpView,
  UpstreamView,
  WorkersView,
} from '../stats.ts'
import {
  cacheStateFamilies,
  cacheUseFamilies,
  inFlightFamilies,
  prefetchFamilies,
} from './cache.ts'
import {
  type DaemonCounts,
  daemonFamilies,
  healthBoundsSeconds,
  healthFamilies,
  pluginFamilies,
  reloadFamilies,
  setupFamilies,
} from './daemon.ts'
import { dnstapFamilies } from './dnstap.ts'
import type { Family } from './family.ts'
import { type HandoverView, handoverFamilies } from './handover.ts'
import { interceptionFamilies } from './interception.ts'
import { kernelHitFamilies } from './kernel-hits.ts'
import { tcpFamilies, udpFamilies } from './listener.ts'
import { processFamilies } from './process.ts'
import { queryFamilies } from './query.ts'
import { noSearch, searchFamilies } from './search.ts'
import { shareFamilies } from './shares.ts'
import { traceFamilies } from './traces.ts'
import { groupFamilies, upstreamFamilies } from './upstream.ts'
import { workerFamilies } from './workers.ts'

/** Where the numbers come from. Functions are called at each scrape and are synchronous. */
export interface MetricSources {
  readonly process: ProcessFacts
  readonly runtime: RuntimeStats
  /** The counters in use. A new configuration may replace them. */
  counters(): QueryCounters
  cache(): CacheView
  /** Questions asked before an entry expired. */
  prefetches(): number
  inFlight(): InFlightView
  inFlightQuestionsMax(): number
  upstreams(): readonly UpstreamView[]
  groups(): readonly GroupView[]
  search(): SearchView
  udp(): readonly UdpView[]
  tcp(): readonly TcpView[]
  /** Newest reading of `readKernelDrops`. */
  kernelDrops(): ReadonlyMap<string, number>
  /** Undefined when hand-over is not configured. */
  handover(): HandoverView | undefined
  workers(): WorkersView
  reload(): ReloadStats
  daemon(): DaemonCounts
  interception(): InterceptionStats
  /** Undefined where nobody answers beside the daemon. */
  kernelHits(): KernelHitsStats | undefined
  dnstap(): DnstapStats
  traces(): TraceStats
  /** NodeLocal's setup errors by type. */
  setupErrors(): ReadonlyMap<string, number>
  /** Durations of `/health`, see `newHealthSlots`. */
  readonly healthSlots: Float64Array
}

export function allFamilies(sources: MetricSources): Family[] {
  const counters = () => sources.counters()
  return [
    ...queryFamilies(counters),
    ...cacheUseFamilies(counters),
    ...cacheStateFamilies(counters, () => sources.cache()),
    ...prefetchFamilies(counters, () => sources.prefetches()),
    ...inFlightFamilies(
      () => sources.inFlight(),
      () => sources.inFlightQuestionsMax(),
    ),
    ...searchFamilies(() => sources.search()),
    ...upstreamFamilies(() => sources.upstreams()),
    ...groupFamilies(() => sources.groups()),
    ...shareFamilies(
      () => sources.upstreams(),
      () => sources.inFlight(),
    ),
    ...udpFamilies(
      () => sources.udp(),
      () => sources.kernelDrops(),
    ),
    ...tcpFamilies(() => sources.tcp()),
    ...handoverFamilies(() => sources.handover()),
    ...workerFamilies(() => sources.workers()),
    ...reloadFamilies(() => sources.reload()),
    ...healthFamilies(sources.healthSlots),
    ...daemonFamilies(() => sources.daemon()),
    ...interceptionFamilies(() => sources.interception()),
    ...dnstapFamilies(() => sources.dnstap()),
    ...traceFamilies(() => sources.traces()),
    ...kernelHitFamilies(() => sources.kernelHits() ?? noKernelHits),
    ...setupFamilies(() => sources.setupErrors()),
    ...pluginFamilies(counters),
    ...processFamilies(sources.runtime, sources.process),
  ]
}

/** One count per bound, one for larger values, the sum. */
export function newHealthSlots(): Float64Array {
  return new Float64Array(healthBoundsSeconds.length + 2)
}

/** Sources of a daemon that has done nothing yet. */
export function emptySources(): MetricSources {
  const counters = new QueryCounters([], [])
  return {
    process: { version: '0.0.0', revision: '', memoryLimitBytes: 0 },
    runtime: new RuntimeStats(),
    counters: () => counters,
    cache: () => emptyCache,
    prefetches: () => 0,
    inFlight: () => ({
      stats: { questions: 0, waiters: 0, joined: 0, refused: 0 },
      refusals: { questions: {}, waiters: {} },
    }),
    inFlightQuestionsMax: () => 0,
    search: () => noSearch,
    upstreams: () => [],
    groups: () => [],
    udp: () => [],
    tcp: () => [],
    kernelDrops: () => new Map(),
    handover: () => undefined,
    workers: () => ({ wanted: 1, ready: 0, restarts: { ended: 0, killed: 0, hung: 0 } }),
    reload: () => ({ succeeded: 0, failed: 0, isLastGood: true, appliedSeconds: 0, hash: '' }),
    daemon: () => ({
      defects: 0,
      loops: 0,
      selfChecks: 0,
      crossings: { joined: 0, fallback: 0, failed: 0, endless: 0 },
      logLinesLost: 0,
      isReady: false,
    }),
    interception: () => emptyInterception,
    kernelHits: () => undefined,
    dnstap: () => ({ sent: 0, dropped: 0, isConnected: false }),
    traces: () => noTraces,
    setupErrors: () => new Map(),
    healthSlots: newHealthSlots(),
  }
}

const noTraces = { sent: 0, dropped: 0, refused: 0, spansRejected: 0 }

const emptyCache: CacheView = {
  bytes: 0,
  settings: { entriesMax: 0, bytesMax: 0 },
  stats: {
    entriesSuccess: 0,
    entriesDenial: 0,
    evictionsSuccess: 0,
    evictionsDenial: 0,
    refused: 0,
    passedOver: 0,
  },
}

const noKernelHits: KernelHitsStats = {
  off: 'mode',
  why: '',
  interfaces: 0,
  leftAlone: { policy: 0, program: 0, uplink: 0, refused: 0 },
  entries: 0,
  counts: [],
}

const emptyInterception: InterceptionStats = {
  backend: 'none',
  kubeProxy: 'none',
  addresses: [],
  troubles: new Map(),
  renewals: 0,
  standbyTargets: 0,
}
