/** CoreDNS with the server blocks of NodeLocal DNSCache, but for `reload` and `loop`, which do nothing per query. */
import { freePort } from '../../test/support/free-port.ts'
import { corednsNewestVersion, corednsPath } from '../../test/support/needs.ts'
import { peer } from './common.ts'
import { type Setup, upstreamPorts } from './contestant.ts'

/** NodeLocal DNSCache's own capacity; more only where a scenario has more names. */
const nodeLocalEntries = 9984

/** The newest, where it was built; otherwise the one that the tests use. */
const path = corednsPath(corednsNewestVersion) ?? corednsPath() ?? 'coredns'

export const coredns = peer({
  name: 'coredns',
  about: 'CoreDNS with NodeLocal DNSCache’s Corefile (cache, forward with force_tcp, prometheus)',
  forwardsOverTcp: true,
  version: [path, '-version', /CoreDNS-(\S+)/],
  configuration: async (setup) => corefile(setup, await freePort()),
  arguments: (_, file) => ['-conf', file],
})

/** @param metricsPort where it serves its metrics */
export function corefile(setup: Setup, metricsPort: number): string {
  const { port, ttlMaxSeconds, entriesMax } = setup
  const upstreams = upstreamPorts(setup)
    .map((each) => `127.0.0.1:${each}`)
    .join(' ')
  const capacity = Math.max(nodeLocalEntries, entriesMax)
  return `cluster.local:${port} {
  errors
  cache {
    success ${capacity} ${ttlMaxSeconds}
    denial ${capacity} 5
  }
  bind 127.0.0.1
  forward . ${upstreams} {
    force_tcp
  }
  prometheus 127.0.0.1:${metricsPort}
}
.:${port} {
  errors
  cache 30
  bind 127.0.0.1
  forward . ${upstreams}
  prometheus 127.0.0.1:${metricsPort}
}
`
}
