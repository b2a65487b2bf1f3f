/**
 * Publishes the upstream servers under both generations of CoreDNS's names (`coredns_forward_*` before 1.11, `coredns_proxy_*` since),
 * because alerts in use read either of them, and under our own. Asks no upstream.
 */
import { durationBoundsSeconds, durationSlots } from '../../platform/duration-buckets.ts'
import { rcodeName } from '../rcode-name.ts'
import type { CountsByName, GroupView, UpstreamCounts, UpstreamView } from '../stats.ts'
import {
  boundsOf,
  type Family,
  family,
  histogram,
  histogramSamples,
  type Labels,
  type Sample,
  single,
} from './family.ts'

type ReadUpstreams = () => readonly UpstreamView[]

/**
 * At most this many upstreams have series of their own, however many are configured or discovered: the number of series must have a
 * bound.
 */
const upstreamsPublishedMax = 64

const durationBounds = boundsOf(durationBoundsSeconds)

export function upstreamFamilies(read: ReadUpstreams): Family[] {
  const upstreams = () => distinct(read()).slice(0, upstreamsPublishedMax)
  const byAddress = () => mergedByAddress(upstreams())
  return [
    ...forwardFamilies(byAddress),
    ...generationFamilies('coredns_forward', {}, byAddress),
    ...generationFamilies('coredns_proxy', { proxy_name: 'forward' }, byAddress),
    ...gauges(upstreams),
    ...ownFamilies(upstreams),
  ]
}

/** A server that is configured twice in one group is published once. */
function distinct(upstreams: readonly UpstreamView[]): UpstreamView[] {
  const byKey = new Map<string, UpstreamView>()
  for (const u of upstreams) byKey.set(`${u.group} ${u.transport} ${u.address}`, u)
  return [...byKey.values()]
}

/**
 * CoreDNS's series carry only the address, and Prometheus refuses a scrape with the same series twice. So the numbers of an address in
 * several groups are added up, under the transport of the first group.
 */
function mergedByAddress(upstreams: readonly UpstreamView[]): UpstreamView[] {
  const merged = new Map<string, UpstreamView>()
  for (const upstream of upstreams) {
    const known = merged.get(upstream.address)
    merged.set(upstream.address, known ? sumOf(known, upstream) : upstream)
  }
  return [...merged.values()]
}

function sumOf(a: UpstreamView, b: UpstreamView): UpstreamView {
  const sum = (x: Float64Array, y: Float64Array) => x.map((count, n) => count + (y[n] ?? 0))
  const counters: UpstreamCounts = {
    ...a.counters,
    sent: a.counters.sent + b.counters.sent,
    // Added up only when read: three of a dozen families read one of the two.
    get repliesByRcode() {
      return sum(a.counters.repliesByRcode, b.counters.repliesByRcode)
    },
    get durations() {
      return sum(a.counters.durations, b.counters.durations)
    },
    silences: observedFailures(a.counters) + observedFailures(b.counters),
    failures: {},
    aside: a.counters.aside + b.counters.aside,
    connectionsOpened: a.counters.connectionsOpened + b.counters.connectionsOpened,
    connectionsReused: a.counters.connectionsReused + b.counters.connectionsReused,
  }
  return { ...a, counters }
}

/** There are no probes, so the failures of real questions count against an upstream. */
function observedFailures({ silences, failures }: UpstreamCounts): number {
  let sum = silences
  for (const [reason, count] of Object.entries(failures)) {
    if (reason !== 'overloaded' && reason !== 'closed') sum += count
  }
  return sum
}

/** The families that only CoreDNS before 1.11 has. */
function forwardFamilies(read: ReadUpstreams): Family[] {
  return [
    family(
      'counter',
      ['coredns_forward_requests_total', 'Queries sent to the upstream.'],
      ['to'],
      () => read().map((u) => ({ labels: { to: u.address }, value: u.counters.sent })),
    ),
    family(
      'counter',
      ['coredns_forward_responses_total', 'Replies from the upstream by response code.'],
      ['to', 'rcode'],
      () => read().flatMap((u) => repliesByRcode(u, { to: u.address })),
    ),
  ]
}

/** The families that both generations have, under different prefixes. */
function generationFamilies(prefix: string, extra: Labels, read: ReadUpstreams): Family[] {
  const labelNames = [...Object.keys(extra), 'to']
  const perProto = (name: string, help: string, value: (upstream: UpstreamView) => number) =>
    family('counter', [`${prefix}_conn_cache_${name}_total`, help], [...labelNames, 'proto'], () =>
      read().map((u) => ({
        labels: { ...extra, to: u.address, proto: protoLabel(u.transport) },
        value: value(u),
      })),
    )
  return [
    histogram(
      [`${prefix}_request_duration_seconds`, 'Time from sending to the matching reply.'],
      [...labelNames, 'rcode'],
      () => read().flatMap((u) => durations(u, { ...extra, to: u.address })),
    ),
    family(
      'counter',
      [
        `${prefix}_healthcheck_failures_total`,
        'Failures observed that counted against the upstream; there are no probes.',
      ],
      labelNames,
      () =>
        read().map((u) => ({
          labels: { ...extra, to: u.address },
          value: observedFailures(u.counters),
        })),
    ),
    perProto('hits', 'Queries that found an open connection.', (u) => u.counters.connectionsReused),
    perProto('misses', 'Connections that had to be opened.', (u) => u.counters.connectionsOpened),
  ]
}

const ownLabels = ['group', 'to', 'proto'] as const

function gauges(read: ReadUpstreams): Family[] {
  const gauge = (name: string, help: string, value: (upstream: UpstreamView) => number) =>
    family('gauge', [name, help], ownLabels, () =>
      read().map((u) => ({ labels: labelsOf(u), value: value(u) })),
    )
  return [
    gauge('neardns_upstream_up', '1 while it is used, 0 while it is avoided.', (u) =>
      u.isUp ? 1 : 0,
    ),
    gauge('neardns_upstream_round_trip_seconds', 'Usual round trip.', (u) => u.roundTripMs / 1000),
    gauge('neardns_upstream_connections_open', 'Open connections.', (u) => u.connections),
    gauge(
      'neardns_upstream_connections_held',
      'Held by a slow question.',
      (u) => u.connectionsHeld,
    ),
  ]
}

function ownFamilies(read: ReadUpstreams): Family[] {
  const counter = (name: string, help: string, value: (counts: UpstreamCounts) => number) =>
    family('counter', [name, help], ownLabels, () =>
      read().map((u) => ({ labels: labelsOf(u), value: value(u.counters) })),
    )
  const byReason = (name: string, help: string, counts: (c: UpstreamCounts) => CountsByName) =>
    family('counter', [name, help], [...ownLabels, 'reason'], () =>
      read().flatMap((u) =>
        Object.entries(counts(u.counters)).map(([reason, value]) => ({
          labels: { ...labelsOf(u), reason },
          value,
        })),
      ),
    )
  return [
    counter('neardns_upstream_queries_total', 'Queries sent, all retries included.', (c) => c.sent),
    counter('neardns_upstream_aside_queries_total', 'UDP to a TCP upstream.', (c) => c.aside),
    counter(
      'neardns_upstream_trials_total',
      'Questions of our own to a silent upstream.',
      (c) => c.trials,
    ),
    counter('neardns_upstream_silences_total', 'Long waits without a reply.', (c) => c.silences),
    counter(
      'neardns_upstream_late_replies_total',
      'Replies after giving up.',
      (c) => c.lateReplies,
    ),
    counter('neardns_upstream_truncated_total', 'Replies with TC set.', (c) => c.truncated),
    counter(
      'neardns_upstream_connections_opened_total',
      'Connections opened.',
      (c) => c.connectionsOpened,
    ),
    byReason(
      'neardns_upstream_failures_total',
      'Sendings that came to nothing.',
      (c) => c.failures,
    ),
    byReason(
      'neardns_upstream_mismatched_packets_total',
      'Packets that were not taken for an answer.',
      (c) => c.mismatches,
    ),
  ]
}

function labelsOf(upstream: UpstreamView): Labels {
  return { group: upstream.group, to: upstream.address, proto: upstream.transport }
}

/** The numbers that belong to a group and not to one of its servers. */
export function groupFamilies(read: () => readonly GroupView[]): Family[] {
  type Counts = GroupView['counters']
  const own = (name: string, help: string, value: (counts: Counts) => number) =>
    family('counter', [name, help], ['group'], () =>
      read().map((group) => ({ labels: { group: group.name }, value: value(group.counters) })),
    )
  const total = (value: (counts: Counts) => number) => () =>
    read().reduce((sum, group) => sum + value(group.counters), 0)
  return [
    own('neardns_group_questions_total', 'Questions for the group.', (c) => c.questions),
    own(
      'neardns_hedges_total',
      'Questions asked again because the answer was late.',
      (c) => c.hedges,
    ),
    own('neardns_hedges_won_total', 'Hedges that answered first.', (c) => c.hedgesWon),
    own('neardns_overtakes_total', 'Questions that passed a slow one.', (c) => c.overtakes),
    own('neardns_retries_total', 'Questions asked again after a failure.', (c) => c.retries),
    own(
      'neardns_retry_budget_exhausted_total',
      'Hedges and retries that the budget did not allow.',
      (c) => c.budgetRefusals,
    ),
    own(
      'neardns_group_timeouts_total',
      'Questions that nobody answered in time.',
      (c) => c.timeouts,
    ),
    own(
      'neardns_group_unreachable_total',
      'Questions while no server could be reached.',
      (c) => c.unreachable,
    ),
    own(
      'neardns_group_malformed_total',
      'Questions with unusable answers only.',
      (c) => c.malformed,
    ),
    own(
      'neardns_group_overloaded_total',
      'Questions refused because a queue was full.',
      (c) => c.overloaded,
    ),
    single(
      'counter',
      ['coredns_forward_healthcheck_broken_total', 'Questions while no server could be reached.'],
      total((c) => c.unreachable),
    ),
    single(
      'counter',
      [
        'coredns_forward_max_concurrent_rejects_total',
        'Questions refused because a queue was full.',
      ],
      total((c) => c.overloaded),
    ),
  ]
}

/** CoreDNS's own label values. */
function protoLabel(transport: UpstreamView['transport']): string {
  return transport === 'tls' ? 'tcp-tls' : transport
}

function repliesByRcode({ counters }: UpstreamView, labels: Labels): Sample[] {
  const samples: Sample[] = []
  for (const [rcode, value] of counters.repliesByRcode.entries()) {
    if (value > 0) samples.push({ labels: { ...labels, rcode: rcodeName(rcode) }, value })
  }
  return samples
}

/** A response code that never occurred has no series. */
function durations({ counters }: UpstreamView, labels: Labels): Sample[] {
  const slots = counters.durations
  const samples: Sample[] = []
  for (let base = 0; base < slots.length; base += durationSlots) {
    const ofRcode = { ...labels, rcode: rcodeName(base / durationSlots) }
    const place = { base, sumScale: 0.001 }
    samples.push(...histogramSamples(ofRcode, durationBounds, slots, place))
  }
  return samples
}
