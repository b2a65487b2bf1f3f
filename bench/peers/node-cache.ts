/** What NodeLocal DNSCache is but for its flags and its rules: CoreDNS with its plugins (node-cache.go) and its server blocks. */
import { freePort } from '../../test/support/free-port.ts'
import { corednsVersion, nodeCachePath } from '../../test/support/needs.ts'
import { peer } from './common.ts'
import { corefile } from './coredns.ts'

export const nodeCache = peer({
  name: 'node-cache',
  about: `CoreDNS ${corednsVersion} with the plugins and the Corefile of NodeLocal DNSCache 1.26`,
  forwardsOverTcp: true,
  version: [nodeCachePath(), '-version', /CoreDNS-(\S+)/],
  configuration: async (setup) => corefile(setup, await freePort()),
  arguments: (_, file) => ['-conf', file],
})
