/**
 * Publishes `QueryCounters` under CoreDNS's names, so that existing dashboards and alerts keep working, and the drops under our own. Label
 * sets that never occurred have no series, so the size of a scrape depends on real traffic, not on what is possible.
 */
import { dropReasons, ReplySource } from '../../core/facts.ts'
import { durationBoundsSeconds, durationSlots } from '../../platform/duration-buckets.ts'
import {
  countedTypes,
  type QueryCounters,
  rcodeSlots,
  sizeBoundsBytes,
  sizeSlots,
} from '../query-counters.ts'
import { rcodeName } from '../rcode-name.ts'
import {
  boundsOf,
  countedSamples,
  type Family,
  family,
  histogram,
  histogramSamples,
  LabelCache,
  type Labels,
  type Sample,
} from './family.ts'

const base = ['server', 'zone', 'view'] as const
const protos = ['udp', 'tcp'] as const
/** CoreDNS writes 1 for IPv4 and 2 for IPv6. */
const familyDigits = ['1', '2'] as const
const typeLabels = [...countedTypes.map(([, label]) => label), 'other']
const durationBounds = boundsOf(durationBoundsSeconds)
const sizeBounds = boundsOf(sizeBoundsBytes)

/** @param current called at each scrape, because a new configuration replaces the counters */
export function queryFamilies(current: () => QueryCounters): Family[] {
  const labels = labelsFor(current)
  return [
    family(
      'counter',
      ['coredns_dns_requests_total', 'Queries that were replied to.'],
      [...base, 'proto', 'family', 'type'],
      () => countedSamples(current().requests, labels().requests),
    ),
    histogram(
      ['coredns_dns_request_duration_seconds', 'Time from the arrival of a query to its reply.'],
      base,
      () => durations(current(), labels().pairs),
    ),
    histogram(['coredns_dns_request_size_bytes', 'Size of the queries.'], [...base, 'proto'], () =>
      sizes(current().querySizes, labels().carried),
    ),
    histogram(['coredns_dns_response_size_bytes', 'Size of the replies.'], [...base, 'proto'], () =>
      sizes(current().replySizes, labels().carried),
    ),
    family('counter', ['coredns_dns_do_requests_total', 'Queries with the DO bit set.'], base, () =>
      countedSamples(current().dnssecOk, labels().pairs),
    ),
    family(
      'counter',
      ['coredns_dns_responses_total', 'Replies by response code and by what made them.'],
      [...base, 'rcode', 'plugin'],
      () => countedSamples(byPlugin(current()), labels().responses),
    ),
    family(
      'counter',
      ['neardns_dropped_packets_total', 'Packets given up without a reply.'],
      ['server', 'reason'],
      () => drops(current(), labels().drops),
    ),
  ]
}

interface LabelCaches {
  /** Position: listening address and zone. */
  readonly pairs: LabelCache
  /** Position: listening address, zone and transport. */
  readonly carried: LabelCache
  /** Position: as in `QueryCounters.requests`. */
  readonly requests: LabelCache
  /** Position: listening address, zone, plugin, response code. */
  readonly responses: LabelCache
  /** Position: listening address and reason. */
  readonly drops: LabelCache
}

/** The labels belong to one set of listening addresses and zones, and are made anew with new counters. */
function labelsFor(current: () => QueryCounters): () => LabelCaches {
  let counters: QueryCounters | undefined
  let caches: LabelCaches | undefined
  return () => {
    if (!caches || counters !== current()) {
      counters = current()
      caches = newCaches(counters)
    }
    return caches
  }
}

function newCaches({ servers, zones }: QueryCounters): LabelCaches {
  const pair = (at: number): Labels => ({
    server: servers[Math.floor(at / zones.length)] ?? '',
    zone: zones[at % zones.length] ?? '',
    view: '',
  })
  const carried = (at: number): Labels => ({ ...pair(at >> 1), proto: protos[at & 1] ?? '' })
  return {
    pairs: new LabelCache(pair),
    carried: new LabelCache(carried),
    requests: new LabelCache((at) => {
      const cell = Math.floor(at / typeLabels.length)
      const type = typeLabels[at % typeLabels.length] ?? ''
      return { ...carried(cell >> 1), family: familyDigits[cell & 1] ?? '', type }
    }),
    responses: new LabelCache((at) => {
      const cell = Math.floor(at / rcodeSlots)
      const plugin = pluginSources[cell % pluginSources.length]?.[0] ?? ''
      const rcode = rcodeName(at % rcodeSlots)
      return { ...pair(Math.floor(cell / pluginSources.length)), rcode, plugin }
    }),
    drops: new LabelCache((at) => ({
      server: servers[Math.floor(at / dropReasons.length)] ?? '',
      reason: dropReasons[at % dropReasons.length] ?? '',
    })),
  }
}

/** The CoreDNS plugin that would have made the replies of each source. CoreDNS too leaves the name of its server's own replies empty. */
const pluginSources: readonly (readonly [plugin: string, sources: readonly ReplySource[]])[] = [
  [
    'cache',
    [
      ReplySource.cacheSuccess,
      ReplySource.cacheDenial,
      ReplySource.stale,
      ReplySource.failureCache,
    ],
  ],
  [
    'forward',
    [ReplySource.upstream, ReplySource.joined, ReplySource.failed, ReplySource.overloaded],
  ],
  ['searchpath', [ReplySource.synthesised]],
  ['', [ReplySource.local]],
]

/** Adds up the sources of each plugin: [pair][plugin][rcode]. */
function byPlugin(counters: QueryCounters): Float64Array {
  const pairs = counters.servers.length * counters.zones.length
  const sums = new Float64Array(pairs * pluginSources.length * rcodeSlots)
  for (let at = 0; at < sums.length; at++) {
    const cell = Math.floor(at / rcodeSlots)
    const pair = Math.floor(cell / pluginSources.length)
    const sources = pluginSources[cell % pluginSources.length]?.[1] ?? []
    sums[at] = counters.repliesWith(pair, sources, at % rcodeSlots)
  }
  return sums
}

function durations(counters: QueryCounters, labels: LabelCache): Sample[] {
  const samples: Sample[] = []
  for (let pair = 0; pair * durationSlots < counters.durations.length; pair++) {
    const place = { base: pair * durationSlots, sumScale: 0.001 }
    samples.push(...histogramSamples(labels.at(pair), durationBounds, counters.durations, place))
  }
  return samples
}

function sizes(slots: Float64Array, labels: LabelCache): Sample[] {
  const samples: Sample[] = []
  for (let carried = 0; carried * sizeSlots < slots.length; carried++) {
    const place = { base: carried * sizeSlots }
    samples.push(...histogramSamples(labels.at(carried), sizeBounds, slots, place))
  }
  return samples
}

/** Reasons that never occurred are shown as 0: there are few of them, and the first drop must show as an increase. */
function drops(counters: QueryCounters, labels: LabelCache): Sample[] {
  return Array.from(counters.drops, (value, at) => ({ labels: labels.at(at), value }))
}
