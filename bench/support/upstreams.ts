/** The name servers behind the contestants. All contestants of a scenario ask the same one. */
import { untilReady } from '../../test/support/coredns.ts'
import { freePort } from '../../test/support/free-port.ts'
import { KubeApi } from '../../test/support/kube-api.ts'
import type { KubeWorld } from '../../test/support/kube-world.ts'
import { type Place, startCoredns, startUnbound } from './servers.ts'

export interface BenchUpstream {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** A real CoreDNS with the kubernetes plugin, fed by an API stand-in in this process. */
export async function kubernetesUpstream(
  world: KubeWorld,
  ttlSeconds: number,
  place: Place,
): Promise<BenchUpstream> {
  const api = await KubeApi.start(world)
  const port = await freePort()
  const ready = `127.0.0.1:${await freePort()}`
  const corefile = `.:${port} {
  bind 127.0.0.1
  errors
  ready ${ready}
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    endpoint ${api.url}
    pods insecure
    ttl ${ttlSeconds}
  }
  template IN A example.test {
    answer "{{ .Name }} 60 IN A 192.0.2.53"
  }
  template IN AAAA example.test {
    answer "{{ .Name }} 60 IN AAAA 2001:db8::53"
  }
}
`
  const coredns = await startCoredns(corefile, place)
  await untilReady(`http://${ready}`)
  const stop = async () => {
    await coredns.stop('SIGKILL')
    await api.stop()
  }
  return { port, pid: coredns.pid, stop }
}

/**
 * unbound with made-up zones: the cheapest real server at hand, so that the limit of a miss is the contestant's and not
 * the upstream's (CoreDNS spends more CPU on an answer than a forwarder does on passing it on).
 */
export async function madeUpUpstream(place: Place): Promise<BenchUpstream> {
  const port = await freePort()
  const soa = 'SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5'
  const server = `  interface: 127.0.0.1@${port}
  incoming-num-tcp: 2000
  local-zone: "pod.cluster.local" redirect
  local-data: "pod.cluster.local 30 IN A 10.1.2.3"
  local-zone: "svc.cluster.local" static
  local-data: "svc.cluster.local 5 IN ${soa}"
`
  const child = await startUnbound({ server, forward: '' }, place)
  return {
    port,
    pid: child.pid,
    stop: async () => {
      await child.stop('SIGTERM')
    },
  }
}
