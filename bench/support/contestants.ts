/** The servers that are compared: each as its users run it, with its metrics on, asking the same upstream the same way. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { onCpu, startCoredns, startNeardns, startUnbound } from './servers.ts'

export const contestantNames = ['neardns', 'coredns', 'unbound'] as const
export type ContestantName = (typeof contestantNames)[number]

export interface Contestant {
  readonly name: ContestantName
  readonly pid: number
  readonly port: number
  stop(): Promise<void>
}

export interface ContestantSetup {
  readonly cpu: number
  readonly upstreamPort: number
  /** Upper bound of a positive answer's time in the cache. NodeLocal DNSCache has 30. */
  readonly ttlMaxSeconds: number
  /** For configuration files; goes away with the bench. */
  readonly directory: string
}

/** Names of the cluster over TCP, everything else over UDP, as NodeLocal DNSCache does it. */
export const contestants: Readonly<
  Record<ContestantName, (setup: ContestantSetup) => Promise<Contestant>>
> = {
  neardns: neardnsContestant,
  coredns: corednsContestant,
  unbound: unboundContestant,
}

async function neardnsContestant(setup: ContestantSetup): Promise<Contestant> {
  const { cpu, upstreamPort, ttlMaxSeconds, directory } = setup
  const port = await freePort()
  const config = join(directory, `neardns-${port}.yaml`)
  writeFileSync(
    config,
    `listen: ["127.0.0.1:${port}"]
cluster:
  upstreams: ["127.0.0.1:${upstreamPort}"]
  ttl: { positiveMaxSeconds: ${ttlMaxSeconds} }
external:
  upstreams: ["127.0.0.1:${upstreamPort}"]
admin: { listen: "127.0.0.1:${await freePort()}" }
`,
  )
  const child = await startNeardns(['--config', config], onCpu(cpu))
  const stop = async () => {
    await child.stop()
  }
  return { name: 'neardns', pid: child.pid, port, stop }
}

/** The server blocks of NodeLocal DNSCache, but for `reload` and `loop`, which do nothing per query. */
async function corednsContestant(setup: ContestantSetup): Promise<Contestant> {
  const { cpu, upstreamPort, ttlMaxSeconds, directory } = setup
  const port = await freePort()
  const metrics = `127.0.0.1:${await freePort()}`
  const corefile = `cluster.local:${port} {
  errors
  cache {
    success 9984 ${ttlMaxSeconds}
    denial 9984 5
  }
  bind 127.0.0.1
  forward . 127.0.0.1:${upstreamPort} {
    force_tcp
  }
  prometheus ${metrics}
}
.:${port} {
  errors
  cache 30
  bind 127.0.0.1
  forward . 127.0.0.1:${upstreamPort}
  prometheus ${metrics}
}
`
  const child = await startCoredns(corefile, { cpu, directory })
  const stop = async () => {
    await child.stop('SIGKILL')
  }
  return { name: 'coredns', pid: child.pid, port, stop }
}

async function unboundContestant(setup: ContestantSetup): Promise<Contestant> {
  const { cpu, upstreamPort, ttlMaxSeconds, directory } = setup
  const port = await freePort()
  const server = `  interface: 127.0.0.1@${port}
  msg-cache-size: 16m
  rrset-cache-size: 16m
  cache-max-ttl: ${ttlMaxSeconds}
  cache-max-negative-ttl: 5
  outgoing-num-tcp: 64
  outgoing-range: 4096
  num-queries-per-thread: 4096
  local-zone: "test." nodefault
`
  const forward = `forward-zone:
  name: "cluster.local"
  forward-addr: 127.0.0.1@${upstreamPort}
  forward-tcp-upstream: yes
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${upstreamPort}
`
  const child = await startUnbound({ server, forward }, { cpu, directory })
  const stop = async () => {
    await child.stop('SIGTERM')
  }
  return { name: 'unbound', pid: child.pid, port, stop }
}
