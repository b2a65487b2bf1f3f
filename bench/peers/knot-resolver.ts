/** Knot Resolver as a forwarder, one process, no validation. */
import { mkdirSync } from 'node:fs'
import { peer } from './common.ts'
import type { Setup } from './contestant.ts'

export const knotResolver = peer({
  name: 'knot-resolver',
  about: 'Knot Resolver, one process, no validation, cluster names over TCP',
  forwardsOverTcp: true,
  version: ['kresd', '--version', /version (\S+)/],
  configuration,
  arguments: (_, file) => {
    const runDirectory = `${file}.run`
    mkdirSync(runDirectory)
    return ['-n', '-c', file, runDirectory]
  },
})

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
