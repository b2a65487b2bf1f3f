/**
 * What the dashboard shows, in Grafana's terms but in none of its formats: rows of panels, each with its queries. Golden signals first,
 * then the parts of the daemon in a packet's order. Pure; classic.ts and v2.ts write it down, draw.ts draws it.
 */

export interface Query {
  /** PromQL with Grafana's `$node` and `$__rate_interval`. */
  readonly expr: string
  /** Name of its series; `{{label}}` stands for a label's value. */
  readonly legend: string
}

/** A step of colour: from this value on. */
export interface Threshold {
  readonly from: number | null
  readonly colour: 'green' | 'orange' | 'red' | 'blue'
}

export interface Panel {
  readonly title: string
  /** What it means and when to worry; shown on the panel. */
  readonly about: string
  readonly kind: 'number' | 'lines' | 'states'
  /** Grafana's name. */
  readonly unit: 'reqps' | 'percentunit' | 's' | 'bytes' | 'short' | 'ops' | 'none'
  readonly queries: readonly Query[]
  readonly thresholds?: readonly Threshold[]
  readonly isStacked?: boolean
  /** For what spans milliseconds and seconds. */
  readonly isLogarithmic?: boolean
  /** For states: what 0 and 1 are called. */
  readonly words?: readonly [down: string, up: string]
  readonly decimals?: number
  /** Of 24. */
  readonly width: number
  readonly height: number
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export const about = {
  title: 'neardns',
  uid: 'neardns',
  description:
    'neardns on all nodes: what pods notice, what goes upstream, what is intercepted. Alerts and runbooks: docs/runbooks.md.',
} as const

/** The values of the variable `node`. */
export const nodesQuery = 'label_values(neardns_ready{job="neardns"}, node)'

/** The values of a panel with states, as Grafana's mapping. */
export function stateMapping({ words: [down, up] = ['down', 'up'] }: Panel) {
  return {
    0: { text: down, color: 'red', index: 0 },
    1: { text: up, color: 'green', index: 1 },
  }
}

/** Replaces in a query what Grafana would replace. */
export function filledIn(expr: string, { node = '.*', interval = '1m' } = {}): string {
  return expr.replaceAll('$node', node).replaceAll('$__rate_interval', interval)
}

const good: readonly Threshold[] = [{ from: null, colour: 'green' }]
const goodBelow = (orange: number, red: number): readonly Threshold[] => [
  ...good,
  { from: orange, colour: 'orange' },
  { from: red, colour: 'red' },
]
const neutral: readonly Threshold[] = [{ from: null, colour: 'blue' }]

/** Labels of the nodes that were chosen. */
const own = 'job="neardns", node=~"$node"'
const sumOfRate = (metric: string, labels = '') =>
  `sum(rate(${metric}{${own}${labels === '' ? '' : `, ${labels}`}}[$__rate_interval]))`
const byRate = (by: string, metric: string, labels = '') =>
  sumOfRate(metric, labels).replace('sum(', `sum by (${by}) (`)
const quantile = (q: number, by: string, metric: string) =>
  `histogram_quantile(${q}, ${byRate(by, `${metric}_bucket`)})`

const glance: Row = {
  title: 'At a glance',
  panels: [
    {
      title: 'Queries',
      about: 'Queries answered a second, on all chosen nodes.',
      kind: 'number',
      unit: 'reqps',
      queries: [{ expr: sumOfRate('coredns_dns_requests_total'), legend: 'queries' }],
      thresholds: neutral,
      width: 4,
      height: 4,
    },
    {
      title: 'Answered on the node',
      about:
        'Share of queries that asked nobody: from the cache, or denied by the search path. Low after a start; low for good: many different names, or short TTLs.',
      kind: 'number',
      unit: 'percentunit',
      decimals: 1,
      queries: [
        {
          expr: `${sumOfRate('coredns_dns_responses_total', 'plugin=~"cache|searchpath"')} / ${sumOfRate('coredns_dns_responses_total')}`,
          legend: 'share',
        },
      ],
      thresholds: neutral,
      width: 4,
      height: 4,
    },
    {
      title: '99 of 100 within',
      about: '99th percentile of the time from query to answer. Alert above 1 s.',
      kind: 'number',
      unit: 's',
      queries: [
        { expr: quantile(0.99, 'le', 'coredns_dns_request_duration_seconds'), legend: 'p99' },
      ],
      thresholds: goodBelow(0.25, 1),
      width: 4,
      height: 4,
    },
    {
      title: 'SERVFAIL',
      about: 'Share of answers that are SERVFAIL. Alert above 3 %.',
      kind: 'number',
      unit: 'percentunit',
      decimals: 2,
      queries: [
        {
          expr: `(${sumOfRate('coredns_dns_responses_total', 'rcode="SERVFAIL"')} or vector(0)) / ${sumOfRate('coredns_dns_responses_total')}`,
          legend: 'share',
        },
      ],
      thresholds: goodBelow(0.01, 0.03),
      width: 4,
      height: 4,
    },
    {
      title: 'Addresses not intercepted',
      about: 'Queries to them go to CoreDNS: slower, nothing fails. Alert above 0.',
      kind: 'number',
      unit: 'none',
      queries: [
        {
          expr: `count(neardns_interception_active{${own}} == 0) or vector(0)`,
          legend: 'addresses',
        },
      ],
      thresholds: goodBelow(1, 5),
      width: 4,
      height: 4,
    },
    {
      title: 'Nodes ready',
      about: 'Daemons whose /ready says so, of those that Prometheus knows.',
      kind: 'number',
      unit: 'percentunit',
      queries: [
        {
          expr: `(sum(neardns_ready{${own}}) or vector(0)) / count(up{${own}})`,
          legend: 'share',
        },
      ],
      thresholds: [
        { from: null, colour: 'red' },
        { from: 0.9, colour: 'orange' },
        { from: 1, colour: 'green' },
      ],
      width: 4,
      height: 4,
    },
  ],
}

const answers: Row = {
  title: 'Answers',
  panels: [
    {
      title: 'Queries, by who answered',
      about:
        'cache: kept answers. searchpath: denials without asking. forward: an upstream was asked.',
      kind: 'lines',
      unit: 'reqps',
      isStacked: true,
      queries: [
        {
          expr: byRate('plugin', 'coredns_dns_responses_total', 'plugin!=""'),
          legend: '{{plugin}}',
        },
      ],
      width: 8,
      height: 8,
    },
    {
      title: 'Latency',
      about: 'Time from query to answer. The median is that of the cache, the rest is misses.',
      kind: 'lines',
      unit: 's',
      isLogarithmic: true,
      queries: [
        { expr: quantile(0.5, 'le', 'coredns_dns_request_duration_seconds'), legend: 'p50' },
        { expr: quantile(0.9, 'le', 'coredns_dns_request_duration_seconds'), legend: 'p90' },
        { expr: quantile(0.99, 'le', 'coredns_dns_request_duration_seconds'), legend: 'p99' },
      ],
      width: 8,
      height: 8,
    },
    {
      title: 'Errors and stale answers',
      about:
        'Answers to pods that are neither NOERROR nor NXDOMAIN (search lists make many of those), and answers from expired entries.',
      kind: 'lines',
      unit: 'reqps',
      queries: [
        {
          // Without a plugin are what neardns refuses, its questions to itself among them.
          expr: byRate(
            'rcode',
            'coredns_dns_responses_total',
            'rcode!~"NOERROR|NXDOMAIN", plugin!=""',
          ),
          legend: '{{rcode}}',
        },
        { expr: sumOfRate('coredns_cache_served_stale_total'), legend: 'stale' },
      ],
      width: 8,
      height: 8,
    },
  ],
}

const upstreams: Row = {
  title: 'Upstreams',
  panels: [
    {
      title: 'Upstreams in use',
      about: 'Avoided: it is silent or refuses; tried again every half second.',
      kind: 'states',
      words: ['avoided', 'in use'],
      unit: 'none',
      queries: [
        {
          expr: `min by (node, group, to) (neardns_upstream_up{${own}})`,
          legend: '{{node}} {{group}} {{to}}',
        },
      ],
      width: 8,
      height: 8,
    },
    {
      title: 'Round trip',
      about: 'Time from sending to the reply, 99th percentile, by upstream.',
      kind: 'lines',
      unit: 's',
      isLogarithmic: true,
      queries: [
        {
          expr: quantile(0.99, 'to, le', 'coredns_proxy_request_duration_seconds'),
          legend: '{{to}}',
        },
      ],
      width: 8,
      height: 8,
    },
    {
      title: 'Asked upstream, asked again',
      about:
        'Questions of clients that had to be asked, and what was sent on top: hedges (the answer was late), retries (a failure), time-outs.',
      kind: 'lines',
      unit: 'ops',
      queries: [
        { expr: byRate('group', 'neardns_group_questions_total'), legend: '{{group}}' },
        { expr: sumOfRate('neardns_hedges_total'), legend: 'hedges' },
        { expr: sumOfRate('neardns_retries_total'), legend: 'retries' },
        { expr: sumOfRate('neardns_group_timeouts_total'), legend: 'time-outs' },
      ],
      width: 8,
      height: 8,
    },
  ],
}

const node: Row = {
  title: 'Interception and search path',
  panels: [
    {
      title: 'Intercepted',
      about: 'Passed by: queries to the address go to CoreDNS. Nothing fails.',
      kind: 'states',
      words: ['passed by', 'intercepted'],
      unit: 'none',
      queries: [
        {
          expr: `max by (node, address) (neardns_interception_active{${own}})`,
          legend: '{{node}} {{address}}',
        },
      ],
      width: 8,
      height: 8,
    },
    {
      title: 'Saved by the search path',
      about:
        'Denials of what search lists make of outside names, given without asking CoreDNS, by their evidence. One line for what would have been asked without it, one for what was.',
      kind: 'lines',
      unit: 'reqps',
      queries: [
        {
          expr: `${sumOfRate('neardns_search_synthesised_total')} + ${sumOfRate('neardns_group_questions_total', 'group="cluster"')}`,
          legend: 'CoreDNS would be asked',
        },
        {
          expr: sumOfRate('neardns_group_questions_total', 'group="cluster"'),
          legend: 'CoreDNS is asked',
        },
        { expr: sumOfRate('neardns_search_mismatch_total'), legend: 'mismatches' },
      ],
      width: 8,
      height: 8,
    },
    {
      title: 'Trouble with the node',
      about:
        'What went wrong with links, addresses and rules; rules_flushed and address_gone: another program, repaired. Dropped datagrams: the receive buffer is too small, or the process too late.',
      kind: 'lines',
      unit: 'ops',
      queries: [
        {
          expr: `${byRate('kind', 'neardns_interception_troubles_total')} > 0`,
          legend: '{{kind}}',
        },
        { expr: sumOfRate('neardns_udp_receive_drops_total'), legend: 'dropped datagrams' },
      ],
      width: 8,
      height: 8,
    },
  ],
}

const process: Row = {
  title: 'Process',
  panels: [
    {
      title: 'Memory',
      about:
        'Resident memory by node, with some 50 MiB of the mapped binary that the kernel can take back.',
      kind: 'lines',
      unit: 'bytes',
      queries: [
        { expr: `sum by (node) (process_resident_memory_bytes{${own}})`, legend: '{{node}}' },
        { expr: `max(neardns_memory_limit_bytes{${own}} > 0)`, legend: 'limit' },
      ],
      width: 6,
      height: 7,
    },
    {
      title: 'Cache',
      about: 'What the cache accounts for. Full is no alarm: least recently used names go.',
      kind: 'lines',
      unit: 'bytes',
      queries: [{ expr: `sum by (node) (neardns_cache_bytes{${own}})`, legend: '{{node}}' }],
      width: 6,
      height: 7,
    },
    {
      title: 'CPU',
      about: 'Cores in use. One process uses one; with workers more.',
      kind: 'lines',
      unit: 'short',
      queries: [{ expr: byRate('node', 'process_cpu_seconds_total'), legend: '{{node}}' }],
      width: 6,
      height: 7,
    },
    {
      title: 'Event-loop delay',
      about: 'Longest between two scrapes. After 2.5 s the interception runs out.',
      kind: 'lines',
      unit: 's',
      queries: [
        { expr: `max by (node) (nodejs_eventloop_lag_max_seconds{${own}})`, legend: '{{node}}' },
      ],
      width: 6,
      height: 7,
    },
  ],
}

export const rows: readonly Row[] = [glance, answers, upstreams, node, process]
