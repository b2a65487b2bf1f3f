/** Publishes the daemon itself: configuration, health probes, loops, defects, and CoreDNS's names that are constant here. */

import type { QueryCounters } from '../query-counters.ts'
import type { ReloadStats } from '../stats.ts'
import {
  boundsOf,
  type Family,
  family,
  histogram,
  histogramSamples,
  type Labels,
  single,
} from './family.ts'

export function reloadFamilies(read: () => ReloadStats): Family[] {
  return [
    single(
      'gauge',
      ['neardns_config_last_reload_successful', '1 while the newest configuration is in force.'],
      () => (read().isLastGood ? 1 : 0),
    ),
    single(
      'gauge',
      [
        'neardns_config_last_reload_success_timestamp_seconds',
        'When the configuration in force was applied, seconds since 1970.',
      ],
      () => read().appliedSeconds,
    ),
    single(
      'counter',
      ['neardns_config_reloads_total', 'Configurations applied after the first.'],
      () => read().succeeded,
    ),
    single(
      'counter',
      ['coredns_reload_failed_total', 'Configurations that were refused.'],
      () => read().failed,
    ),
    family(
      'gauge',
      ['coredns_reload_version_info', 'Hash of the configuration in force.'],
      ['hash', 'value'],
      () => [{ labels: { hash: 'sha512', value: read().hash }, value: 1 }],
    ),
  ]
}

/** CoreDNS's buckets for its health check: 0.25 ms, then four more, each ten times the one before. */
export const healthBoundsSeconds: readonly number[] = [0.00025, 0.0025, 0.025, 0.25, 2.5]

/** @param slots bucket counts of the time that `/health` took, then the sum in seconds */
export function healthFamilies(slots: Float64Array): Family[] {
  return [
    histogram(
      ['coredns_health_request_duration_seconds', 'Time that answering /health took.'],
      [],
      () => histogramSamples({}, boundsOf(healthBoundsSeconds), slots),
    ),
    single(
      'counter',
      [
        'coredns_health_request_failures_total',
        'Always 0: a process that cannot answer /health cannot be scraped either.',
      ],
      () => 0,
    ),
  ]
}

const crossingResults = ['joined', 'fallback', 'failed', 'endless'] as const
type CrossingResult = (typeof crossingResults)[number]

export interface DaemonCounts {
  /** Exceptions caught on the packet path. */
  readonly defects: number
  /** Questions of ours that came back as queries. */
  readonly loops: number
  /** Answered checks of our own sockets, which no other family counts. */
  readonly selfChecks: number
  /** Answers whose aliases led from one upstream group to another, by what became of them. */
  readonly crossings: Readonly<Record<CrossingResult, number>>
  /** Log lines lost because stdout did not accept them. */
  readonly logLinesLost: number
  readonly isReady: boolean
}

export function daemonFamilies(read: () => DaemonCounts): Family[] {
  return [
    single(
      'counter',
      ['coredns_panics_total', 'Exceptions caught on the packet path.'],
      () => read().defects,
    ),
    single(
      'counter',
      ['neardns_loops_detected_total', 'Questions that came back to us.'],
      () => read().loops,
    ),
    family(
      'counter',
      [
        'neardns_alias_crossings_total',
        'Answers whose alias led to a name of another upstream group: joined from both, data of the first because the resolvers outside failed, failed, or endless.',
      ],
      ['result'],
      () =>
        crossingResults.map((result) => ({
          labels: { result },
          value: read().crossings[result],
        })),
    ),
    single(
      'counter',
      [
        'neardns_self_checks_total',
        'Answered checks of our own sockets; in no other metric of queries, nor in the query log.',
      ],
      () => read().selfChecks,
    ),
    single(
      'counter',
      ['neardns_log_lines_lost_total', 'Log lines thrown away because stdout did not take them.'],
      () => read().logLinesLost,
    ),
    single('gauge', ['neardns_ready', '1 while /ready says so.'], () => (read().isReady ? 1 : 0)),
  ]
}

/** The types of NodeLocal DNSCache's own counter. Alerts use its rate, so every type has a series from the start. */
const setupErrorTypes = [
  'configmap',
  'iptables',
  'iptables_lock',
  'interface_add',
  'interface_check',
]

/** @param counts setup errors by NodeLocal's type; a missing type counts 0 */
export function setupFamilies(counts: () => ReadonlyMap<string, number>): Family[] {
  return [
    family(
      'counter',
      ['coredns_nodecache_setup_errors_total', 'Failed attempts to set up the node, by type.'],
      ['errortype'],
      () =>
        setupErrorTypes.map((errortype) => ({
          labels: { errortype },
          value: counts().get(errortype) ?? 0,
        })),
    ),
  ]
}

/** The CoreDNS plugins that have a counterpart here which is on, for each listening address and zone. */
export function pluginFamilies(current: () => QueryCounters): Family[] {
  const names = ['cache', 'errors', 'forward', 'health', 'loop', 'prometheus', 'ready', 'reload']
  return [
    family(
      'gauge',
      ['coredns_plugin_enabled', '1 for the counterparts of CoreDNS plugins that are on.'],
      ['server', 'zone', 'view', 'name'],
      () => {
        const { servers, zones } = current()
        const pairs: Labels[] = servers.flatMap((server) =>
          zones.slice(0, -1).map((zone) => ({ server, zone, view: '' })),
        )
        return pairs.flatMap((pair) =>
          names.map((name) => ({ labels: { ...pair, name }, value: 1 })),
        )
      },
    ),
  ]
}
