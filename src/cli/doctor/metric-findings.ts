/** What the daemon's own metrics say is wrong, from two readings a moment apart. Pure. */
import { type Finding, fault, note, ok } from '../diagnosis/finding.ts'
import type { ExpositionReading } from './exposition-reading.ts'
import { type GrowingCounter, growingCounters } from './growing-counters.ts'

export interface Readings {
  readonly before: ExpositionReading
  readonly after: ExpositionReading
  /** Lines of /ready; empty when it is ready. */
  readonly notReady: readonly string[]
  readonly nowSeconds: number
}

/** Below this share of the limit the kernel does not kill. */
const memoryShareMax = 0.9
/** Pods ask within this time; a younger daemon may have none yet. */
const quietSecondsMax = 300
const slowLoopSeconds = 0.25

export function metricFindings(readings: Readings): Finding[] {
  return [
    ...readiness(readings),
    ...interception(readings.after),
    ...arrivals(readings),
    ...avoided(readings.after),
    ...growth(readings),
    ...configuration(readings.after),
    ...memory(readings.after),
    ...loop(readings.after),
    ...workers(readings.after),
    ...breakers(readings.after),
    ...kernelHits(readings.after),
  ]
}

function readiness({ notReady }: Readings): Finding[] {
  if (notReady.length === 0) return [ok('ready', 'all parts of the daemon work')]
  return notReady.map((line) =>
    fault('ready', line, {
      cause: readyCauses.find(([shape]) => shape.test(line))?.[1] ?? 'the log says more',
      next: readyCauses.find(([shape]) => shape.test(line))?.[2] ?? 'neardns check',
    }),
  )
}

const readyCauses: readonly [RegExp, string, string][] = [
  [
    /^(?:udp|tcp)\b/,
    'another process has the port, or the address is not on the node',
    "ss -lunp 'sport = :53'",
  ],
  [
    /^self-query/,
    'the process is short of CPU, or a rule drops packets from the node to itself',
    'neardns_eventloop_delay_max_seconds',
  ],
  [
    /^interception/,
    'the rules cannot be installed or renewed; pods ask CoreDNS meanwhile',
    'neardns rules show; the log line `interception: trouble with the node`',
  ],
  [/^workers/, 'workers do not start', 'the log says why; the memory limit is shared by all'],
]

function interception(reading: ExpositionReading): Finding[] {
  const addresses = reading.all('neardns_interception_active')
  const findings = addresses.map(({ labels, value }) =>
    value === 1
      ? ok('interception', `${labels['address']}: queries come to this daemon`)
      : fault('interception', `${labels['address']}: queries go to CoreDNS, uncached`, {
          cause: troubleCause(reading),
          next: 'neardns rules show; the log line `interception: trouble with the node` has the cure',
        }),
  )
  const ownAddresses = addresses.some(({ labels }) => labels['role'] === 'own')
  if (ownAddresses && reading.sum('neardns_interception_standby_targets') === 0) {
    findings.push(
      fault('standby', 'while neardns is down, its addresses lead to nobody', {
        cause: 'no CoreDNS pod is known: kube-proxy’s rules name none, or cannot be read',
        next: 'interception.standbyTo, or the kube-dns ClusterIP in interception.clusterIps',
      }),
    )
  }
  return findings
}

function troubleCause(reading: ExpositionReading): string {
  const kinds = reading
    .all('neardns_interception_troubles_total')
    .flatMap(({ labels, value }) => (value > 0 ? [labels['kind'] ?? ''] : []))
  return kinds.length === 0
    ? 'the daemon has just started, or does not answer itself'
    : `trouble of kind ${kinds.join(', ')}`
}

function arrivals({ after, nowSeconds }: Readings): Finding[] {
  const asked = after.sum('coredns_dns_requests_total') ?? 0
  const ageSeconds = nowSeconds - (after.sum('process_start_time_seconds') ?? nowSeconds)
  if (asked > 0) return [ok('queries', `${asked} have come since the start`)]
  if (ageSeconds < quietSecondsMax)
    return [note('queries', 'none has come yet; the daemon is young')]
  return [
    fault('queries', `none has come in ${Math.round(ageSeconds / 60)} minutes`, {
      cause:
        'pods ask another address: their resolv.conf, kube-proxy in IPVS mode, or an eBPF dataplane',
      next: 'cat /etc/resolv.conf in a pod; interception.clusterIps',
    }),
  ]
}

function avoided(reading: ExpositionReading): Finding[] {
  return reading.all('neardns_upstream_up').flatMap(({ labels, value }) =>
    value === 1
      ? []
      : [
          fault('upstream', `${labels['to']} (${labels['group']}): neardns avoids it`, {
            cause: 'it did not answer, several times in a row',
            next: `dig @${(labels['to'] ?? '').replace(/:\d+$/, '')} . NS, with +tcp as well`,
          }),
        ],
  )
}

/** What grows now is a fault; what has grown before may be over. */
function growth({ before, after }: Readings): Finding[] {
  return growingCounters.flatMap((counter) => {
    const total = amountOf(after, counter)
    const grown = total - amountOf(before, counter)
    if (total === 0) return []
    const { about, what, cause, next } = counter
    if (grown > 0)
      return [fault(about, `${what.replace('%', String(grown))} just now`, { cause, next })]
    return [
      note(about, `${what.replace('%', String(total))} since the start, and none just now`, next),
    ]
  })
}

function amountOf(reading: ExpositionReading, { metric, label }: GrowingCounter): number {
  const [name, value] = label ?? []
  return reading
    .all(metric)
    .filter(({ labels }) => name === undefined || labels[name] === value)
    .reduce((total, sample) => total + sample.value, 0)
}

function configuration(reading: ExpositionReading): Finding[] {
  if (reading.sum('neardns_config_last_reload_successful') !== 0) return []
  return [
    fault('configuration', 'the newest one was refused, the one before is in force', {
      cause: 'it has mistakes, or an address that is not available',
      next: 'neardns validate FILE; the log has every mistake with line and column',
    }),
  ]
}

function memory(reading: ExpositionReading): Finding[] {
  const limit = reading.sum('neardns_memory_limit_bytes') ?? 0
  const used = reading.sum('process_resident_memory_bytes') ?? 0
  const text = `${mebibytes(used)} MiB resident`
  if (limit === 0) return [ok('memory', `${text}, no limit`)]
  const of = `${text} of a limit of ${mebibytes(limit)} MiB`
  if (used < limit * memoryShareMax) return [ok('memory', of)]
  return [
    fault('memory', of, {
      cause: 'the limit is too small for this load: the kernel will kill the process',
      next: 'resources: limits: memory: 256Mi, or a smaller cache.bytesMax',
    }),
  ]
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576)
}

function loop(reading: ExpositionReading): Finding[] {
  const delays = reading.all('nodejs_eventloop_lag_max_seconds').map(({ value }) => value)
  const slowest = Math.max(0, ...delays)
  if (slowest < slowLoopSeconds) return []
  return [
    fault('event loop', `${Math.round(slowest * 1000)} ms late within the last second`, {
      cause: 'the process is short of CPU',
      next: 'remove resources: limits: cpu, or add workers',
    }),
  ]
}

function workers(reading: ExpositionReading): Finding[] {
  const wanted = reading.sum('neardns_workers')
  const ready = reading.sum('neardns_workers_ready')
  if (wanted === undefined || ready === undefined || ready >= wanted) return []
  return [
    fault('workers', `${ready} of ${wanted} are ready`, {
      cause: 'a worker ended, was killed or hangs; it is replaced',
      next: 'the log says why; is the memory limit too small?',
    }),
  ]
}

function breakers(reading: ExpositionReading): Finding[] {
  const open = reading.sum('neardns_search_breakers_open') ?? 0
  if (open === 0) return []
  return [
    fault('search path', `${open} kinds of denial are off`, {
      cause: 'CoreDNS has contradicted a denial of neardns',
      next: 'searchPath.carveOuts for the zone of the name; neardns_search_mismatch_total',
    }),
  ]
}

/** Silent where nobody asked for it. Never a fault: nothing depends on it. */
function kernelHits(reading: ExpositionReading): Finding[] {
  const of = (name: string, label: string) =>
    reading.all(name).flatMap(({ labels, value }) => (value > 0 ? [labels[label] ?? ''] : []))
  const [off] = of('neardns_kernel_hits_off', 'reason')
  if (off === 'mode') return []
  if (off !== undefined)
    return [
      note(
        'kernel hits',
        `off: ${hitsOffTexts[off] ?? off}`,
        'the log line `kernel hits: off`; neardns check',
      ),
    ]
  if (reading.sum('neardns_kernel_hits_on') !== 1) return []
  const states = of('neardns_kernel_hits_interfaces', 'state')
  const leftAlone = states.filter((state) => state !== 'attached')
  const entries = reading.sum('neardns_kernel_hits_entries') ?? 0
  return [
    states.includes('attached')
      ? ok('kernel hits', `the kernel answers itself, from ${entries} answers`)
      : note('kernel hits', 'on, but at no interface', 'the log line `kernel hits: interfaces`'),
    ...leftAlone.map((state) =>
      note(
        'kernel hits',
        `interfaces are left alone: ${hitsLeftTexts[state] ?? state}`,
        'the log line `kernel hits: interfaces`; docs/kernel-hits.md',
      ),
    ),
  ]
}

const hitsOffTexts: Readonly<Record<string, string>> = {
  workers: 'there are several workers',
  program: 'this build has no program for the kernel',
  kernel: 'the kernel is older than 6.6',
  permission: 'CAP_BPF or CAP_NET_ADMIN is missing, or seccomp refuses bpf(2)',
  error: 'the kernel refused it',
  queries: 'each query has to be seen: a query log, tail, or rewritten questions',
  stopped: 'the daemon does not serve',
}
const hitsLeftTexts: Readonly<Record<string, string>> = {
  policy: 'a network policy may be enforced on this node',
  program: 'another program sits there',
  uplink: "a bridge has a port that is no pod's",
  refused: 'the kernel refused the program there',
}
