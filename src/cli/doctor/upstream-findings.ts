/** What probes of upstreams mean for pods. Pure. */
import { formatEndpoint } from '../../address/endpoint.ts'
import type { Upstream } from '../../address/upstream-url.ts'
import { type Finding, fault, note, ok } from '../diagnosis/finding.ts'
import type { ProbeQuestion, ProbeResult } from './probe.ts'

export interface ProbedUpstream {
  readonly group: 'cluster' | 'external' | `zone ${string}`
  readonly upstream: Upstream
  readonly question: ProbeQuestion
  readonly results: readonly ProbeResult[]
}

/** @param slowMs a question that takes longer is slow: as `admin.slowMs` */
export function upstreamFindings(probed: ProbedUpstream, slowMs: number): Finding[] {
  const faults = probed.results.flatMap((result) => judge(probed, result, slowMs))
  const isFault = faults.some(({ state }) => state === 'fault')
  const times = probed.results.map(timesText).join('; ')
  return isFault ? faults : [ok('upstream', `${placeOf(probed)}: ${times}`), ...faults]
}

function placeOf({ group, upstream }: ProbedUpstream): string {
  return `${formatEndpoint(upstream)} (${group})`
}

/** Median, then least and most. */
function timesText({ transport, tookMs, asked }: ProbeResult): string {
  if (tookMs.length === 0) return `${transport.toUpperCase()} no answer`
  const text = (ms: number | undefined) => (ms ?? 0).toFixed(1)
  const median = text(medianOf(tookMs))
  const lost = asked === tookMs.length ? '' : `, ${asked - tookMs.length} of ${asked} lost`
  return `${transport.toUpperCase()} ${median} ms (${text(tookMs[0])} to ${text(tookMs.at(-1))})${lost}`
}

function judge(probed: ProbedUpstream, result: ProbeResult, slowMs: number): Finding[] {
  const { asked, tookMs, failures } = result
  const lost = asked - tookMs.length
  if (lost > 0) return [lossFinding(probed, result, { lost, why: failures.join('; ') })]
  const rcode = result.rcodes.find((one) => causes[one] !== undefined)
  const isWrongName = probed.group === 'cluster' && result.rcodes.includes('NXDOMAIN')
  if (isWrongName) {
    return [
      fault('upstream', `${placeOf(probed)} does not know ${probed.question.name}`, {
        cause: 'it is no CoreDNS of this cluster, or the cluster has another domain',
        next: 'clusterDomain; grep search /etc/resolv.conf in a pod',
      }),
    ]
  }
  if (rcode === undefined) return slow(probed, result, slowMs)
  const [cause = '', next = ''] = causes[rcode] ?? []
  const what = `${placeOf(probed)} answers ${rcode} over ${result.transport.toUpperCase()}`
  return [fault('upstream', what, { cause, next })]
}

function slow(probed: ProbedUpstream, { transport, tookMs }: ProbeResult, slowMs: number) {
  const median = medianOf(tookMs)
  if (median < slowMs) return []
  const isCoreDns = probed.group === 'cluster'
  return [
    fault(
      'upstream',
      `${placeOf(probed)} takes ${median.toFixed(0)} ms over ${transport.toUpperCase()}`,
      {
        cause: isCoreDns
          ? 'CoreDNS is short of CPU, or far away'
          : 'the resolver is overloaded or far away, or keeps nothing itself',
        next: isCoreDns
          ? 'kubectl -n kube-system top pods -l k8s-app=kube-dns; docs/coredns.md'
          : 'a nearer resolver in external.upstreams',
      },
    ),
  ]
}

/** @param sorted in order of size */
function medianOf(sorted: readonly number[]): number {
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

const causes: Readonly<Record<string, readonly [cause: string, next: string]>> = {
  SERVFAIL: [
    'it cannot answer itself: its own upstreams, or its connection to the API server',
    'kubectl -n kube-system logs -l k8s-app=kube-dns',
  ],
  REFUSED: [
    'it does not serve this node: an access list, or a zone that it does not have',
    'its acl or views; zones[].name',
  ],
  malformed: ['what listens there does not speak DNS', 'the port of the upstream'],
}

interface Loss {
  readonly lost: number
  readonly why: string
}

function lossFinding(probed: ProbedUpstream, result: ProbeResult, { lost, why }: Loss): Finding {
  const { upstream } = probed
  const { transport, asked } = result
  const over = transport.toUpperCase()
  const place = placeOf(probed)
  if (transport === 'tls') {
    return fault('upstream', `${place}: no TLS connection`, {
      cause: why,
      next: `openssl s_client -connect ${formatEndpoint(upstream)}`,
    })
  }
  if (lost < asked) {
    return fault('upstream', `${place}: ${lost} of ${asked} questions over ${over} got no answer`, {
      cause: `${why}: packets are lost on the way, or the server is overloaded`,
      next: 'look at its CPU throttling, and at drops of the links between',
    })
  }
  const dig = `dig @${upstream.address} -p ${upstream.port} ${transport === 'tcp' ? '+tcp ' : ''}${probed.question.name}`
  // Only slow names are asked over UDP there.
  if (transport === 'udp' && upstream.transport === 'tcp') {
    return note('upstream', `${place}: nothing over UDP (${why}); slow names hold up others`, dig)
  }
  const isTruncation = transport === 'tcp' && upstream.transport === 'udp'
  return fault(
    'upstream',
    `${place}: nothing over ${over}${isTruncation ? ', so large answers fail' : ''}`,
    {
      cause: causeOf(why, over),
      next:
        probed.group === 'cluster'
          ? 'kubectl -n kube-system get endpointslices -l k8s-app=kube-dns'
          : dig,
    },
  )
}

function causeOf(why: string, over: string): string {
  if (why.includes('refused')) return `${why}: the server is down, or listens elsewhere`
  if (why.startsWith('no reply'))
    return `${why}: a firewall or NetworkPolicy drops ${over} port 53, or the server hangs`
  return why
}
