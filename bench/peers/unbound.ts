/** unbound as a forwarder, one thread, no validation. */
import { foreground } from '../../test/support/unbound-conf.ts'
import { peer } from './common.ts'
import { type Setup, upstreamPorts } from './contestant.ts'

export const unbound = peer({
  name: 'unbound',
  about: 'unbound, one thread, iterator only, cluster names over TCP',
  forwardsOverTcp: true,
  version: ['unbound', '-V', /Version (\S+)/],
  configuration,
  arguments: (_, file) => ['-d', '-p', '-c', file],
})

/** Its sizes are bytes: some 500 for a message with its records, in each of the two caches. */
function configuration(setup: Setup): string {
  const { port, ttlMaxSeconds, entriesMax } = setup
  const upstreams = upstreamPorts(setup)
    .map((each) => `  forward-addr: 127.0.0.1@${each}`)
    .join('\n')
  const megabytes = Math.max(16, Math.ceil((entriesMax * 512) / 1_048_576))
  return `${foreground}  so-rcvbuf: 4m
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  module-config: "iterator"
  interface: 127.0.0.1@${port}
  msg-cache-size: ${megabytes}m
  rrset-cache-size: ${megabytes}m
  cache-max-ttl: ${ttlMaxSeconds}
  cache-max-negative-ttl: 5
  outgoing-num-tcp: 64
  outgoing-range: 4096
  num-queries-per-thread: 4096
forward-zone:
  name: "cluster.local"
${upstreams}
  forward-tcp-upstream: yes
forward-zone:
  name: "."
${upstreams}
`
}
