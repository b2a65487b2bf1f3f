/** Probes every upstream of a configuration, over each transport that pods depend on. */
import { formatUpstream, type Upstream } from '../../address/upstream-url.ts'
import { nameserversAfter, parseResolvConf } from '../../config/resolv-conf.ts'
import type { Config } from '../../config/schema.ts'
import { textAt } from '../../platform/text-at.ts'
import { type ProbeQuestion, probe, probeTls } from './probe.ts'
import type { ProbedUpstream } from './upstream-findings.ts'

const udpTimes = 5
const tcpTimes = 3

type Target = Omit<ProbedUpstream, 'results'>

export async function probeUpstreams(config: Config): Promise<ProbedUpstream[]> {
  return await Promise.all(targetsOf(config).map(probeOne))
}

function targetsOf(config: Config): readonly Target[] {
  const { cluster, zones, external, clusterDomain } = config
  const inCluster: ProbeQuestion = { name: `kubernetes.default.svc.${clusterDomain}`, type: 'A' }
  const groups: [ProbedUpstream['group'], readonly Upstream[], ProbeQuestion][] = [
    ['cluster', cluster.upstreams, inCluster],
    ...zones.map((zone): [ProbedUpstream['group'], readonly Upstream[], ProbeQuestion] => [
      `zone ${zone.name}`,
      zone.upstreams,
      { name: zone.name, type: 'SOA' },
    ]),
    ['external', externalOf(external), { name: '.', type: 'NS' }],
  ]
  const seen = new Set<string>()
  return groups.flatMap(([group, upstreams, question]) =>
    upstreams.flatMap((upstream) => {
      const key = `${group} ${formatUpstream(upstream)}`
      if (seen.has(key)) return []
      seen.add(key)
      return [{ group, upstream, question }]
    }),
  )
}

function externalOf({
  upstreams,
  withoutUpstreams,
  resolvConf,
}: Config['external']): readonly Upstream[] {
  if (upstreams.length > 0 || withoutUpstreams !== 'resolvConf') return upstreams
  return nameserversAfter(parseResolvConf(textAt(resolvConf) ?? ''), [])
}

async function probeOne(target: Target): Promise<ProbedUpstream> {
  const results = await ask(target)
  const refuses = results.some(({ rcodes }) => rcodes.includes('REFUSED'))
  if (!refuses || target.group !== 'external') return { ...target, results }
  const again = { ...target, question: anotherName }
  return { ...again, results: await ask(again) }
}

/** A resolver may refuse questions about the root alone. RFC 6761 6.5 */
const anotherName: ProbeQuestion = { name: 'example.com', type: 'A' }

async function ask({ upstream, question }: Target): Promise<ProbedUpstream['results']> {
  if (upstream.transport === 'tls') return [await probeTls(upstream, upstream.tlsName)]
  return await Promise.all([
    probe(upstream, 'udp', { question, times: udpTimes }),
    probe(upstream, 'tcp', { question, times: tcpTimes }),
  ])
}
