/** dnsdist with a packet cache before one upstream. */
import { howToGet } from '../../test/support/needs.ts'
import { onCpu, startWrapped } from '../support/servers.ts'
import { versionFrom, writeConfig } from './common.ts'
import type { Contestant, Setup } from './contestant.ts'

export const dnsdist: Contestant = {
  name: 'dnsdist',
  about: 'dnsdist, one listener thread, packet cache, everything over TCP',
  forwardsOverTcp: true,
  missing: () => howToGet('dnsdist'),
  version: () => versionFrom('dnsdist', '--version', /dnsdist (\d\S*)/),
  start: async (setup) => {
    const file = writeConfig('dnsdist', setup, configuration(setup))
    return startWrapped(onCpu(setup.cpu), 'dnsdist', [
      '--supervised',
      '--disable-syslog',
      '-C',
      file,
    ])
  },
}

function configuration({ port, upstreamPort, ttlMaxSeconds, entriesMax }: Setup): string {
  return `setLocal("127.0.0.1:${port}")
setACL({"127.0.0.0/8"})
setSecurityPollSuffix("")
setUDPSocketBufferSizes(4194304, 4194304)
newServer({address="127.0.0.1:${upstreamPort}", tcpOnly=true, healthCheckMode="up", maxInFlight=100})
getPool(""):setCache(newPacketCache(${entriesMax}, {maxTTL=${ttlMaxSeconds}, maxNegativeTTL=5, numberOfShards=1}))
`
}
