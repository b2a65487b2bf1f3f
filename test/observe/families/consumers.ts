/**
 * Who reads the metrics of a NodeLocal DNSCache, and which series with which labels: written down from coredns-mixin (eb356cfb), nodelocaldns-mixin
 * (fd67af47), Gardener's scrape configuration, dotdc's dashboard (15762), the dashboard of deliveryhero's chart, which asks for the names of 5926 and of
 * 14981, and the page of a node-cache (CoreDNS 1.14.4) itself, which covers dashboards that are not named here.
 */

export interface Consumer {
  readonly name: string
  /** Families, each with the labels that are selected or grouped by. */
  readonly series: Readonly<Record<string, readonly string[]>>
  /** `older`: the names before CoreDNS 1.7, too. */
  readonly needs: 'today' | 'older'
  /** What it also asks for and does not get, and why. */
  readonly without?: string
}

const cluster =
  '`coredns_kubernetes_*`, which only the cluster’s CoreDNS has (node-cache lacks it as well)'
const place = ['server', 'zone', 'view']
const cachePlace = ['server', 'zones', 'view']
const proxy = ['proxy_name', 'to']

const queries = {
  coredns_dns_requests_total: ['proto', 'type', 'family', 'zone'],
  coredns_dns_responses_total: ['rcode'],
  coredns_dns_request_duration_seconds: ['server', 'zone'],
  coredns_dns_request_size_bytes: ['proto'],
  coredns_dns_response_size_bytes: ['proto'],
  coredns_cache_entries: ['type'],
  coredns_cache_hits_total: ['type'],
  coredns_cache_misses_total: [],
}
const usage = { process_resident_memory_bytes: [], process_cpu_seconds_total: [] }

export const consumers: readonly Consumer[] = [
  {
    name: 'nodelocaldns-mixin',
    needs: 'older',
    series: {
      coredns_nodecache_setup_errors_total: ['errortype'],
      coredns_nodecache_setup_errors: ['errortype'],
    },
  },
  {
    name: 'coredns-mixin',
    needs: 'today',
    series: {
      ...queries,
      ...usage,
      coredns_build_info: ['version'],
      coredns_panics_total: [],
      coredns_plugin_enabled: ['name'],
      coredns_forward_requests_total: ['to'],
      coredns_forward_responses_total: ['to', 'rcode'],
      coredns_forward_request_duration_seconds: ['to'],
      coredns_forward_healthcheck_failures_total: ['to'],
      coredns_forward_healthcheck_broken_total: [],
    },
    without: `${cluster}; \`go_goroutines\``,
  },
  {
    name: "Gardener's allow-list",
    needs: 'today',
    series: {
      coredns_build_info: [],
      coredns_cache_entries: [],
      coredns_cache_hits_total: [],
      coredns_cache_misses_total: [],
      coredns_dns_request_duration_seconds: [],
      coredns_dns_requests_total: [],
      coredns_dns_responses_total: [],
      coredns_forward_requests_total: [],
      coredns_forward_responses_total: [],
      coredns_nodecache_setup_errors_total: [],
      process_max_fds: [],
      process_open_fds: [],
    },
    without: cluster,
  },
  {
    name: 'Grafana 15762',
    needs: 'today',
    series: {
      ...queries,
      ...usage,
      coredns_build_info: [],
      coredns_proxy_request_duration_seconds: ['proxy_name', 'rcode'],
    },
  },
  {
    name: 'Grafana 14981',
    needs: 'today',
    series: { ...queries, coredns_dns_do_requests_total: [] },
  },
  {
    name: "Grafana 5926, and deliveryhero's chart",
    needs: 'older',
    series: {
      coredns_dns_request_count_total: ['proto', 'family', 'zone'],
      coredns_dns_request_type_count_total: ['type'],
      coredns_dns_request_do_count_total: [],
      coredns_dns_response_rcode_count_total: ['rcode'],
      coredns_dns_request_duration_seconds: [],
      coredns_dns_request_size_bytes: ['proto'],
      coredns_dns_response_size_bytes: ['proto'],
      coredns_cache_size: ['type'],
      coredns_cache_hits_total: ['type'],
      coredns_cache_misses_total: [],
    },
  },
  {
    name: "all of node-cache's own page, and so 14570",
    needs: 'today',
    series: {
      coredns_build_info: ['goversion', 'revision', 'version'],
      coredns_cache_entries: [...cachePlace, 'type'],
      coredns_cache_hits_total: [...cachePlace, 'type'],
      coredns_cache_misses_total: cachePlace,
      coredns_cache_requests_total: cachePlace,
      coredns_dns_request_duration_seconds: place,
      coredns_dns_request_size_bytes: [...place, 'proto'],
      coredns_dns_response_size_bytes: [...place, 'proto'],
      coredns_dns_requests_total: [...place, 'proto', 'family', 'type'],
      coredns_dns_responses_total: [...place, 'rcode', 'plugin'],
      coredns_forward_healthcheck_broken_total: [],
      coredns_forward_max_concurrent_rejects_total: [],
      coredns_health_request_duration_seconds: [],
      coredns_health_request_failures_total: [],
      coredns_nodecache_setup_errors_total: ['errortype'],
      coredns_panics_total: [],
      coredns_plugin_enabled: [...place, 'name'],
      coredns_proxy_conn_cache_hits_total: [...proxy, 'proto'],
      coredns_proxy_conn_cache_misses_total: [...proxy, 'proto'],
      coredns_proxy_healthcheck_failures_total: proxy,
      coredns_proxy_request_duration_seconds: [...proxy, 'rcode'],
      coredns_reload_failed_total: [],
    },
    without: '`coredns_hosts_reload_timestamp_seconds`, `go_*`',
  },
]
