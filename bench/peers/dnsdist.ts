/** dnsdist with a packet cache before one upstream. */
import { peer } from './common.ts'
import type { Setup } from './contestant.ts'

export const dnsdist = peer({
  name: 'dnsdist',
  about: 'dnsdist, one listener thread, packet cache, everything over TCP',
  forwardsOverTcp: true,
  version: ['dnsdist', '--version', /dnsdist (\d\S*)/],
  configuration,
  arguments: (_, file) => ['--supervised', '--disable-syslog', '-C', file],
})

function configuration({ port, upstreamPort, ttlMaxSeconds, entriesMax }: Setup): string {
  return `setLocal("127.0.0.1:${port}")
setACL({"127.0.0.0/8"})
setSecurityPollSuffix("")
setUDPSocketBufferSizes(4194304, 4194304)
newServer({address="127.0.0.1:${upstreamPort}", tcpOnly=true, healthCheckMode="up", maxInFlight=100})
getPool(""):setCache(newPacketCache(${entriesMax}, {maxTTL=${ttlMaxSeconds}, maxNegativeTTL=5, numberOfShards=1}))
`
}
