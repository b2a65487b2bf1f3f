/** dnsdist with a packet cache before one upstream. */
import { peer } from './common.ts'
import { type Setup, upstreamPorts } from './contestant.ts'

export const dnsdist = peer({
  name: 'dnsdist',
  about: 'dnsdist, one listener thread, packet cache, everything over TCP',
  forwardsOverTcp: true,
  version: ['dnsdist', '--version', /dnsdist (\d\S*)/],
  configuration,
  arguments: (_, file) => ['--supervised', '--disable-syslog', '-C', file],
})

function configuration(setup: Setup): string {
  const { port, ttlMaxSeconds, entriesMax } = setup
  const servers = upstreamPorts(setup).map(
    (each) =>
      `newServer({address="127.0.0.1:${each}", tcpOnly=true, healthCheckMode="up", maxInFlight=100})`,
  )
  return `setLocal("127.0.0.1:${port}")
setACL({"127.0.0.0/8"})
setSecurityPollSuffix("")
setUDPSocketBufferSizes(4194304, 4194304)
${servers.join('\n')}
getPool(""):setCache(newPacketCache(${entriesMax}, {maxTTL=${ttlMaxSeconds}, maxNegativeTTL=5, numberOfShards=1}))
`
}
