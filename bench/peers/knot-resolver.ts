/** Knot Resolver as a forwarder, one process, no validation. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { howToGet } from '../../test/support/needs.ts'
import { onCpu, startWrapped } from '../support/servers.ts'
import { versionFrom, writeConfig } from './common.ts'
import type { Contestant, Setup } from './contestant.ts'

export const knotResolver: Contestant = {
  name: 'knot-resolver',
  about: 'Knot Resolver, one process, no validation, cluster names over TCP',
  forwardsOverTcp: true,
  missing: () => howToGet('knot-resolver'),
  version: () => versionFrom('kresd', '--version', /version (\S+)/),
  start: async (setup) => {
    const file = writeConfig('kresd', setup, configuration(setup))
    const runDirectory = join(setup.directory, `kresd-${setup.port}`)
    mkdirSync(runDirectory)
    return startWrapped(onCpu(setup.cpu), 'kresd', ['-n', '-c', file, runDirectory])
  },
}

/** Its cache is a file in memory, of which a gibibyte would be the default's order. */
function configuration({ port, upstreamPort, ttlMaxSeconds, entriesMax }: Setup): string {
  return `net.listen('127.0.0.1', ${port}, { kind = 'dns' })
trust_anchors.remove('.')
cache.size = ${Math.max(16, Math.ceil((entriesMax * 1024) / 1_048_576))} * MB
cache.max_ttl(${ttlMaxSeconds})
log_level('crit')
policy.add(policy.suffix(policy.FLAGS({'TCP'}), {todname('cluster.local')}))
policy.add(policy.all(policy.STUB('127.0.0.1@${upstreamPort}')))
`
}
