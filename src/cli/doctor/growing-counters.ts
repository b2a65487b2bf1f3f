/** Counters that should not grow, with what it means when they do: the list "Metrics that grow" of docs/operations.md. Values only. */

export interface GrowingCounter {
  readonly metric: string
  /** Only samples with this label. */
  readonly label?: readonly [name: string, value: string]
  readonly about: string
  /** `%` stands for the number. */
  readonly what: string
  readonly cause: string
  readonly next: string
}

const interception = 'neardns_interception_troubles_total'

export const growingCounters: readonly GrowingCounter[] = [
  {
    metric: 'neardns_udp_receive_drops_total',
    about: 'drops',
    what: '% datagrams were dropped by the kernel before neardns read them',
    cause: 'the receive buffer filled while the event loop was busy',
    next: 'sysctl -w net.core.rmem_max=4194304 and restart; neardns_eventloop_delay_max_seconds',
  },
  {
    metric: 'neardns_udp_send_queue_drops_total',
    about: 'drops',
    what: '% replies were not sent',
    cause: 'the send buffer was full: the node or its link is overloaded',
    next: 'look at the load of the node',
  },
  {
    metric: 'neardns_loops_detected_total',
    about: 'loop',
    what: '% questions came back to neardns',
    cause: 'an upstream sends them back: often a resolv.conf that names the node’s own cache',
    next: 'remove that address from external.upstreams or from resolv.conf',
  },
  {
    metric: 'neardns_in_flight_refused_total',
    about: 'refused',
    what: '% queries were turned away because too many questions were open',
    cause: 'upstreams are slow, or one pod asks for random names',
    next: 'look at the upstream lines; inFlight.questionsMax',
  },
  {
    metric: 'coredns_cache_served_stale_total',
    about: 'stale',
    what: '% answers came from expired entries',
    cause: 'upstreams fail, or take too long',
    next: 'look at the upstream lines',
  },
  {
    metric: 'neardns_retry_budget_exhausted_total',
    about: 'retries',
    what: '% retries were not made, because the budget was used up',
    cause: 'an upstream is overloaded or drops packets',
    next: 'scale CoreDNS; look at its CPU throttling',
  },
  {
    metric: 'neardns_group_timeouts_total',
    about: 'timeouts',
    what: '% questions got no answer in time',
    cause: 'no upstream of the group answered',
    next: 'look at the upstream lines',
  },
  {
    metric: 'neardns_log_lines_lost_total',
    about: 'log',
    what: '% log lines were lost',
    cause: 'the container runtime does not read the log fast enough',
    next: 'turn log.queries off',
  },
  {
    metric: 'neardns_search_mismatch_total',
    about: 'search path',
    what: '% denials of neardns were not confirmed by CoreDNS',
    cause: 'CoreDNS has names that its Corefile, as neardns knows it, cannot have',
    next: 'searchPath.carveOuts for the zone, and a report with CoreDNS’s Corefile',
  },
  {
    metric: 'neardns_worker_restarts_total',
    about: 'workers',
    what: '% workers were replaced',
    cause: 'they ended, were killed, or hung',
    next: 'the log says why; is the memory limit too small?',
  },
  {
    metric: interception,
    label: ['kind', 'rules_flushed'],
    about: 'rules',
    what: 'rules of neardns were removed % times, and put back',
    cause: 'another program changes them: a second DNS cache, firewalld, a cleaner of the CNI',
    next: 'nft monitor on the node names the process',
  },
  {
    metric: interception,
    label: ['kind', 'address_gone'],
    about: 'address',
    what: 'link or address of neardns was removed % times, and put back',
    cause: 'another program has the link: a leftover NodeLocal DNSCache',
    next: 'kubectl -n kube-system delete daemonset node-local-dns',
  },
  {
    metric: interception,
    label: ['kind', 'unanswered'],
    about: 'self-query',
    what: 'neardns did not answer its own question % times',
    cause: 'the process is short of CPU, or a rule drops packets from the node to itself',
    next: 'neardns_eventloop_delay_max_seconds; resources: limits: cpu',
  },
  {
    metric: interception,
    label: ['kind', 'lock_held'],
    about: 'rules',
    what: 'the lock of iptables was held % times',
    cause: 'another program keeps /run/xtables.lock',
    next: 'fuser /run/xtables.lock',
  },
  {
    metric: interception,
    label: ['kind', 'no_permission'],
    about: 'rules',
    what: 'the kernel refused a change of the node % times',
    cause: 'an admission policy took NET_ADMIN or user 0 away',
    next: 'neardns check says what is missing',
  },
]
