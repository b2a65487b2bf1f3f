/**
 * CoreDNS's names before its version 1.7 (June 2020), and node-cache's of before 2021, made of the families of today, for dashboards and alerts
 * that are older than that: Grafana's 5926 among them. Source: the notes of CoreDNS 1.7.0. Counts nothing itself.
 */
import { type Family, family, type Labels, type Sample } from './family.ts'

interface Older {
  readonly name: string
  readonly today: string
  /** Labels that it had; others are added up. */
  readonly labelNames: readonly string[]
}

const serverZone = ['server', 'zone'] as const

/** Histograms kept their names. `coredns_forward_sockets_open` has nothing to stand for. */
export const olderNames: readonly Older[] = [
  older('coredns_dns_request_count_total', 'coredns_dns_requests_total', [
    ...serverZone,
    'proto',
    'family',
  ]),
  older('coredns_dns_request_type_count_total', 'coredns_dns_requests_total', [
    ...serverZone,
    'type',
  ]),
  older('coredns_dns_request_do_count_total', 'coredns_dns_do_requests_total', serverZone),
  older('coredns_dns_response_rcode_count_total', 'coredns_dns_responses_total', [
    ...serverZone,
    'rcode',
  ]),
  older('coredns_panic_count_total', 'coredns_panics_total', []),
  older('coredns_cache_size', 'coredns_cache_entries', ['server', 'type']),
  older('coredns_forward_request_count_total', 'coredns_forward_requests_total', ['to']),
  older('coredns_forward_response_rcode_count_total', 'coredns_forward_responses_total', [
    'to',
    'rcode',
  ]),
  older(
    'coredns_forward_healthcheck_failure_count_total',
    'coredns_forward_healthcheck_failures_total',
    ['to'],
  ),
  older(
    'coredns_forward_healthcheck_broken_count_total',
    'coredns_forward_healthcheck_broken_total',
    [],
  ),
  older(
    'coredns_forward_max_concurrent_reject_count_total',
    'coredns_forward_max_concurrent_rejects_total',
    [],
  ),
  older('coredns_reload_failed_count_total', 'coredns_reload_failed_total', []),
  older('coredns_nodecache_setup_errors', 'coredns_nodecache_setup_errors_total', ['errortype']),
]

function older(name: string, today: string, labelNames: readonly string[]): Older {
  return { name, today, labelNames }
}

/** @param families of today, those of `olderNames` among them */
export function olderFamilies(families: readonly Family[]): Family[] {
  return olderNames.map(({ name, today, labelNames }) => {
    const found = families.find((one) => one.name === today)
    if (found === undefined) throw new Error(`no family ${today}, of which ${name} is made`)
    const kind = found.kind === 'gauge' ? 'gauge' : 'counter'
    const help = `As ${today}, under its name before CoreDNS 1.7.`
    return family(kind, [name, help], labelNames, () => added(found.collect(), labelNames))
  })
}

/** Adds samples up that differ in other labels alone. */
function added(samples: readonly Sample[], labelNames: readonly string[]): Sample[] {
  const sums = new Map<string, { labels: Labels; value: number }>()
  for (const { labels, value } of samples) {
    const key = labelNames.map((name) => labels[name]).join('\n')
    const sum = sums.get(key)
    if (sum !== undefined) sum.value += value
    else {
      const own = labelNames.map((name): [string, string] => [name, labels[name] ?? ''])
      sums.set(key, { labels: Object.fromEntries(own), value })
    }
  }
  return [...sums.values()]
}
