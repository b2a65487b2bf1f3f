/** The daemon in numbers, for `status` and `top`: sums only, no name and no client. Counts since the start; the reader makes rates of them. */
import { formatEndpoint } from '../../address/endpoint.ts'
import { ReplySource } from '../../core/facts.ts'
import type { InterceptionView } from '../../host/interception-view.ts'
import type { QueryCounters } from '../../observe/query-counters.ts'
import { rcodeSlots } from '../../observe/query-counters.ts'
import { rcodeName } from '../../observe/rcode-name.ts'
import type { Readiness } from '../../observe/readiness.ts'
import type { ProcessFacts, ReloadStats } from '../../observe/stats.ts'
import { durationSlots } from '../../platform/duration-buckets.ts'
import { readMemory } from '../../platform/process-memory.ts'
import type { DataPath } from '../data-path.ts'
import type { Listeners } from '../listeners.ts'

export interface SummarisedParts {
  readonly path: DataPath
  readonly nowMs: () => number
  readonly counters: () => QueryCounters
  readonly listeners: Listeners
  readonly readiness: Readiness
  readonly interception: () => { readonly view: InterceptionView }
  readonly questionsMax: () => number
  readonly reloads: () => ReloadStats
  readonly facts: ProcessFacts
}

type Counts = Readonly<Record<string, number>>

export interface UpstreamSummary {
  readonly group: string
  readonly name: string
  readonly isUp: boolean
  readonly inFlight: number
  readonly roundTripMs: number
  readonly sent: number
  readonly failures: number
}

export interface Summary {
  readonly version: string
  /** When it was made, milliseconds since 1970. */
  readonly atMs: number
  readonly upSeconds: number
  readonly notReady: readonly string[]
  readonly listening: readonly string[]
  readonly intercepted: readonly string[]
  readonly wanted: readonly string[]
  readonly queries: number
  readonly drops: number
  readonly bySource: Counts
  readonly byRcode: Counts
  /** Counts in the buckets of CoreDNS (0.25 ms doubled up to 8.192 s), then of longer ones. */
  readonly durations: readonly number[]
  readonly searchLevel: string
  /** Questions that the search path spared CoreDNS. */
  readonly spared: number
  readonly cache: Readonly<
    Record<'answers' | 'denials' | 'bytes' | 'bytesMax' | 'evictions', number>
  >
  readonly inFlight: Readonly<Record<'questions' | 'questionsMax' | 'waiters' | 'refused', number>>
  readonly upstreams: readonly UpstreamSummary[]
  /** `off`: the reason in words; empty while the kernel answers hits itself. */
  readonly kernelHits: Readonly<{
    off: string
    interfaces: number
    entries: number
    answered: number
  }>
  readonly rssBytes: number
  /** 0 without a limit. */
  readonly memoryLimitBytes: number
  readonly cpuMs: number
  readonly reload: ReloadStats
}

export function summaryOf(parts: SummarisedParts): Summary {
  const { path, facts, listeners, readiness, questionsMax } = parts
  const { addresses } = parts.interception().view
  const counters = parts.counters()
  const { stats, settings, bytes } = path.cache
  const { questions, waiters, refused } = path.inFlight.stats
  const search = path.searchView(parts.nowMs())
  const { user, system } = process.cpuUsage()
  return {
    version: facts.version,
    atMs: Date.now(),
    upSeconds: Math.round(process.uptime()),
    notReady: readiness.reasons(),
    listening: listeners.addresses.map(formatEndpoint),
    intercepted: addresses.filter(({ isActive }) => isActive).map(({ address }) => address),
    wanted: addresses.map(({ address }) => address),
    ...queriesOf(counters),
    searchLevel: search.level,
    spared: search.structure + search.cut + search.shared + search.answered,
    cache: {
      answers: stats.entriesSuccess,
      denials: stats.entriesDenial,
      bytes,
      bytesMax: settings.bytesMax,
      evictions: stats.evictionsSuccess + stats.evictionsDenial,
    },
    inFlight: { questions, questionsMax: questionsMax(), waiters, refused },
    upstreams: upstreamsOf(path),
    kernelHits: kernelHitsOf(path),
    rssBytes: readMemory().rss ?? 0,
    memoryLimitBytes: facts.memoryLimitBytes,
    cpuMs: Math.round((user + system) / 1000),
    reload: parts.reloads(),
  }
}

function queriesOf(counters: QueryCounters) {
  const sources = Object.keys(ReplySource)
  const bySource: Record<string, number> = {}
  const byRcode: Record<string, number> = {}
  for (const [at, count] of counters.responses.entries()) {
    if (count === 0) continue
    const source = sources[Math.floor(at / rcodeSlots) % sources.length] ?? ''
    const rcode = rcodeName(at % rcodeSlots)
    bySource[source] = (bySource[source] ?? 0) + count
    byRcode[rcode] = (byRcode[rcode] ?? 0) + count
  }
  const buckets = durationSlots - 1
  const durations = new Array<number>(buckets).fill(0)
  for (const [at, count] of counters.durations.entries()) {
    const bucket = at % durationSlots
    if (bucket < buckets) durations[bucket] = (durations[bucket] ?? 0) + count
  }
  const queries = Object.values(bySource).reduce((sum, count) => sum + count, 0)
  const drops = counters.drops.reduce((sum, count) => sum + count, 0)
  return { queries, drops, bySource, byRcode, durations }
}

function kernelHitsOf({ hits }: DataPath): Summary['kernelHits'] {
  if (hits === undefined)
    return { off: 'kernelHits.mode is off', interfaces: 0, entries: 0, answered: 0 }
  const { why, interfaces, entries, counts } = hits
  return { off: why, interfaces, entries, answered: counts[0] ?? 0 }
}

function upstreamsOf({ exchange }: DataPath): UpstreamSummary[] {
  return exchange.stats().flatMap(({ name: group, upstreams }) =>
    upstreams.map(({ name, isUp, load, roundTripMs, counters }) => ({
      group,
      name,
      isUp,
      inFlight: load,
      roundTripMs: Math.round(roundTripMs * 1000) / 1000,
      sent: counters.sent,
      failures: Object.values(counters.failures).reduce((sum, count) => sum + count, 0),
    })),
  )
}

/** Of several workers one: sums, and of what cannot be added up the worst. @param all the first speaks for what is the same in all */
export function joinSummaries([first, ...others]: readonly [Summary, ...Summary[]]): Summary {
  let whole = first
  for (const other of others) whole = joinedSummary(whole, other)
  return whole
}

function joinedSummary(one: Summary, other: Summary): Summary {
  return {
    ...one,
    notReady: [...one.notReady, ...other.notReady],
    queries: one.queries + other.queries,
    drops: one.drops + other.drops,
    bySource: added(one.bySource, other.bySource),
    byRcode: added(one.byRcode, other.byRcode),
    durations: one.durations.map((count, at) => count + (other.durations[at] ?? 0)),
    spared: one.spared + other.spared,
    cache: added(one.cache, other.cache),
    inFlight: added(one.inFlight, other.inFlight),
    upstreams: one.upstreams.map((upstream, at) => joined(upstream, other.upstreams[at])),
    rssBytes: one.rssBytes + other.rssBytes,
    cpuMs: one.cpuMs + other.cpuMs,
  }
}

function added<K extends string>(
  one: Record<K, number>,
  other: Record<K, number>,
): Record<K, number> {
  const sums: Record<K, number> = { ...other, ...one }
  for (const key of Object.keys(sums) as K[]) sums[key] = (one[key] ?? 0) + (other[key] ?? 0)
  return sums
}

/** Workers have the same upstreams in the same order, but for a moment in which one has another configuration. */
function joined(one: UpstreamSummary, other: UpstreamSummary | undefined): UpstreamSummary {
  if (other?.name !== one.name) return one
  return {
    ...one,
    isUp: one.isUp && other.isUp,
    inFlight: one.inFlight + other.inFlight,
    roundTripMs: Math.max(one.roundTripMs, other.roundTripMs),
    sent: one.sent + other.sent,
    failures: one.failures + other.failures,
  }
}
