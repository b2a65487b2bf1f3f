/**
 * Publishes the cache under CoreDNS's names and our own. Hits and misses come from `QueryCounters`, by listening address and zone. All
 * addresses and zones share one cache, so its entries, evictions and prefetches are published once, under the first address and the zone
 * `.`: a sum over all series stays true.
 */
import { ReplySource } from '../../core/facts.ts'
import type { QueryCounters } from '../query-counters.ts'
import type { CacheView, InFlightView } from '../stats.ts'
import { type Family, family, type Labels, type Sample, single } from './family.ts'

const base = ['server', 'zones', 'view'] as const
const typed = ['server', 'type', 'zones', 'view'] as const

const successSources = [ReplySource.cacheSuccess, ReplySource.stale]
/** CoreDNS too keeps failures in its denial cache. */
const denialSources = [ReplySource.cacheDenial, ReplySource.failureCache]
const missSources = [
  ReplySource.upstream,
  ReplySource.joined,
  ReplySource.failed,
  ReplySource.overloaded,
]

/** Hits and misses, by listening address and zone. */
export function cacheUseFamilies(current: () => QueryCounters): Family[] {
  const count = (sources: readonly ReplySource[], extra: Labels = {}) =>
    perZone(current(), sources, extra)
  return [
    family(
      'counter',
      ['coredns_cache_requests_total', 'Queries that the cache was asked for.'],
      base,
      () => count([...successSources, ...denialSources, ...missSources]),
    ),
    family(
      'counter',
      ['coredns_cache_hits_total', 'Queries answered from the cache.'],
      typed,
      () => [
        ...count(successSources, { type: 'success' }),
        ...count(denialSources, { type: 'denial' }),
      ],
    ),
    family(
      'counter',
      ['coredns_cache_misses_total', 'Queries the cache could not answer (requests less hits).'],
      base,
      () => count(missSources),
    ),
    family(
      'counter',
      ['coredns_cache_served_stale_total', 'Queries answered from expired entries (RFC 8767).'],
      base,
      () => count([ReplySource.stale]),
    ),
    single('counter', ['neardns_stale_answers_total', 'Expired answers given to clients.'], () =>
      total(current(), [ReplySource.stale]),
    ),
    single(
      'counter',
      ['neardns_failure_cache_answers_total', 'Cached failures given to clients (RFC 9520).'],
      () => total(current(), [ReplySource.failureCache]),
    ),
  ]
}

/** The state of the shared cache. */
export function cacheStateFamilies(current: () => QueryCounters, cache: () => CacheView): Family[] {
  const shared = (extra: Labels = {}) => ({
    server: current().servers[0] ?? '',
    zones: '.',
    view: '',
    ...extra,
  })
  const byType =
    (success: (view: CacheView) => number, denial: (view: CacheView) => number) => () => [
      { labels: shared({ type: 'success' }), value: success(cache()) },
      { labels: shared({ type: 'denial' }), value: denial(cache()) },
    ]
  const gauge = (name: string, help: string, read: (view: CacheView) => number) =>
    single('gauge', [name, help], () => read(cache()))
  return [
    family(
      'gauge',
      ['coredns_cache_entries', 'Entries in the cache.'],
      typed,
      byType(
        (view) => view.stats.entriesSuccess,
        (view) => view.stats.entriesDenial,
      ),
    ),
    family(
      'counter',
      ['coredns_cache_evictions_total', 'Entries that had to make room.'],
      typed,
      byType(
        (view) => view.stats.evictionsSuccess,
        (view) => view.stats.evictionsDenial,
      ),
    ),
    family(
      'counter',
      ['coredns_cache_drops_total', 'Replies too large to be stored.'],
      base,
      () => [{ labels: shared(), value: cache().stats.refused }],
    ),
    single(
      'counter',
      [
        'neardns_stale_over_denials_total',
        "Upstreams' denials in whose place expired data were kept (cache.serveStale.overDenials).",
      ],
      () => cache().stats.passedOver,
    ),
    gauge('neardns_cache_bytes', 'Octets the cache accounts for.', (view) => view.bytes),
    gauge('neardns_cache_bytes_max', 'Octets it may hold.', (view) => view.settings.bytesMax),
    gauge(
      'neardns_cache_entries',
      'Entries in the cache, of all kinds.',
      ({ stats }) => stats.entriesSuccess + stats.entriesDenial,
    ),
    gauge('neardns_cache_entries_max', 'Entries it may hold.', (view) => view.settings.entriesMax),
  ]
}

/** @param prefetches questions asked before an entry expired */
export function prefetchFamilies(current: () => QueryCounters, prefetches: () => number): Family[] {
  return [
    family(
      'counter',
      ['coredns_cache_prefetch_total', 'Entries asked for again before they expired.'],
      base,
      () => [
        {
          labels: { server: current().servers[0] ?? '', zones: '.', view: '' },
          value: prefetches(),
        },
      ],
    ),
  ]
}

/** Questions in flight to upstreams, and the queries that wait for them. */
export function inFlightFamilies(read: () => InFlightView, questionsMax: () => number): Family[] {
  const own = (
    kind: 'counter' | 'gauge',
    about: readonly [name: string, help: string],
    value: (stats: InFlightView['stats']) => number,
  ) => single(kind, about, () => value(read().stats))
  return [
    own('gauge', ['neardns_in_flight_questions', 'Questions being asked.'], (s) => s.questions),
    single(
      'gauge',
      ['neardns_in_flight_questions_max', 'Questions allowed at once.'],
      questionsMax,
    ),
    own('gauge', ['neardns_in_flight_waiters', 'Clients waiting for them.'], (s) => s.waiters),
    own(
      'counter',
      ['neardns_joined_queries_total', 'Queries that joined an equal question in flight.'],
      (s) => s.joined,
    ),
    own(
      'counter',
      ['neardns_in_flight_refused_total', 'Queries turned away because a table was full.'],
      (s) => s.refused,
    ),
  ]
}

function perZone(
  counters: QueryCounters,
  sources: readonly ReplySource[],
  extra: Labels,
): Sample[] {
  const samples: Sample[] = []
  for (const [serverIndex, server] of counters.servers.entries()) {
    // The last zone is `dropped`: queries that could not be read never reach the cache.
    for (const [zoneIndex, zones] of counters.zones.slice(0, -1).entries()) {
      let value = 0
      for (const source of sources) value += counters.repliesFrom(serverIndex, zoneIndex, source)
      samples.push({ labels: { server, zones, view: '', ...extra }, value })
    }
  }
  return samples
}

function total(counters: QueryCounters, sources: readonly ReplySource[]): number {
  return perZone(counters, sources, {}).reduce((sum, sample) => sum + sample.value, 0)
}
