/**
 * A node and a pod in network namespaces for tests of the search path: a real CoreDNS for the cluster, fed by an API
 * stand-in whose world can be changed; another CoreDNS that plays the rest of the world; and at 169.254.20.10, which the
 * pod's resolv.conf names, either neardns or CoreDNS configured like NodeLocal DNSCache. Both upstreams are counted by
 * their own metrics, so no test need believe what the one in the middle says.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Coredns } from '../coredns.ts'
import { Neardns } from '../neardns.ts'
import { until } from '../process.ts'
import { Agent, type KubeChange } from '../world/agent.ts'
import { type NodeAndPod, nodeAndPod } from '../world/netns.ts'

export interface SearchLabOptions {
  /** `team-0` and so on, with Services of every kind (kube-world.ts). */
  readonly namespaces: number
  /** Of CoreDNS's answers about the cluster, negative ones included. 30 is what kubeadm configures. */
  readonly clusterTtlSeconds: number
  readonly externalTtlSeconds: number
  /** Last labels of the names that exist outside. */
  readonly tlds: readonly string[]
  /** Those of them whose names have no IPv6 address. */
  readonly tldsWithoutV6?: readonly string[]
  /** Lines of the cluster's Corefile ahead of the `kubernetes` plugin. */
  readonly clusterPlugins?: string
  /** Another address of the node at which its servers listen, besides its loopback. */
  readonly alsoAt?: string
}

export type Trust = 'auto' | 'cautious' | 'declared'

/** What stands between pod and CoreDNS. */
export interface Middle {
  stop(): Promise<unknown>
}

/** Where the lab's servers listen, all on the node's loopback; relays may be put in front of the upstreams. */
export const clusterPort = 5300
export const externalPort = 5301
const clusterMetricsPort = 9153
const externalMetricsPort = 9154
const adminPort = 9253
/** Settings for `startNeardns`: answer mode for all clients in the network, whose list is the lab's. */
export function answerModeFor(namespace: string, clients = '0.0.0.0/0'): string {
  return `  answerMode: { namespaces: [{ name: ${namespace}, clients: ["${clients}"] }] }\n`
}

/** `team-0` is the namespace of the pod. */
export const searchList = ['team-0.svc.cluster.local', 'svc.cluster.local', 'cluster.local']

export class SearchLab {
  readonly net: NodeAndPod
  /** In the node's namespace. */
  readonly agent: Agent
  readonly cluster: Coredns
  private readonly external: Coredns
  private readonly directory: string

  private constructor(parts: {
    readonly net: NodeAndPod
    readonly agent: Agent
    readonly cluster: Coredns
    readonly external: Coredns
    readonly directory: string
  }) {
    this.net = parts.net
    this.agent = parts.agent
    this.cluster = parts.cluster
    this.external = parts.external
    this.directory = parts.directory
  }

  static async start(options: SearchLabOptions): Promise<SearchLab> {
    const net = await nodeAndPod()
    net.pod.setResolvConf(
      `nameserver 169.254.20.10\nsearch ${searchList.join(' ')}\noptions ndots:5\n`,
    )
    const agent = new Agent(net.node)
    const { url } = await agent.call('kubeApi', { namespaces: options.namespaces, port: 6443 })
    const netns = net.node.name
    const cluster = await Coredns.start({ netns, corefile: clusterCorefile(url, options) })
    const external = await Coredns.start({ netns, corefile: externalCorefile(options) })
    const directory = await mkdtemp(join(tmpdir(), 'neardns-search-'))
    const lab = new SearchLab({ net, agent, cluster, external, directory })
    await until('CoreDNS knows the cluster', () => lab.clusterAnswers())
    return lab
  }

  async stop(): Promise<void> {
    await this.cluster.stop()
    await this.external.stop()
    await this.agent.stop()
    await this.net.remove()
    await rm(this.directory, { recursive: true, force: true })
  }

  /** @param settings lines of YAML under `searchPath:` besides the trust level, each indented by two */
  async startNeardns(
    trust: Trust,
    { settings = '', cluster = clusterPort, external = externalPort } = {},
  ): Promise<Neardns> {
    const config = await this.writeConfig(trust, { settings, cluster, external })
    return await Neardns.start({ netns: this.net.node.name, args: ['--config', config] })
  }

  /** What `startNeardns` starts with. @returns path of the file */
  async writeConfig(
    trust: Trust,
    { settings = '', cluster = clusterPort, external = externalPort } = {},
  ): Promise<string> {
    const config = join(this.directory, 'neardns.yaml')
    await writeFile(
      config,
      `listen: ["169.254.20.10:53"]
cluster: { upstreams: ["127.0.0.1:${cluster}"] }
external: { upstreams: ["127.0.0.1:${external}"] }
admin: { listen: "127.0.0.1:${adminPort}" }
searchPath:
  trust: ${trust}
${settings}`,
    )
    return config
  }

  /** CoreDNS with the cache and forward lines of NodeLocal DNSCache's own configuration. */
  async startPeer({ cluster = clusterPort, external = externalPort } = {}): Promise<Coredns> {
    const corefile = `cluster.local:53 {
  errors
  cache {
    success 9984 30
    denial 9984 5
  }
  bind 169.254.20.10
  forward . 127.0.0.1:${cluster} {
    force_tcp
  }
}
.:53 {
  errors
  cache 30
  bind 169.254.20.10
  forward . 127.0.0.1:${external}
}
`
    return await Coredns.start({ netns: this.net.node.name, corefile })
  }

  async change(...changes: readonly KubeChange[]): Promise<void> {
    await this.agent.call('kubeChange', { changes })
  }

  /** Queries that the upstreams have counted since they started. */
  async counts(): Promise<Counts> {
    const [cluster, external] = await Promise.all([
      this.sum(clusterMetricsPort, 'coredns_dns_requests_total'),
      this.sum(externalMetricsPort, 'coredns_dns_requests_total'),
    ])
    return { cluster, external }
  }

  /** The sum over a family of neardns's own metrics. */
  async ownMetric(name: string): Promise<number> {
    return await this.sum(adminPort, name)
  }

  /** Of neardns's queries to each of the two: those that it sent because an earlier one was late or had failed. */
  async sentAgain(): Promise<Counts> {
    const of = async (group: keyof Counts) => {
      const label = `group="${group}"`
      const hedges = await this.sum(adminPort, 'neardns_hedges_total', label)
      return hedges + (await this.sum(adminPort, 'neardns_retries_total', label))
    }
    return { cluster: await of('cluster'), external: await of('external') }
  }

  /** @param label of the series that count, all unless given */
  private async sum(port: number, name: string, label = ''): Promise<number> {
    const { status, body } = await this.agent.call('fetch', {
      url: `http://127.0.0.1:${port}/metrics`,
    })
    if (status !== 200) throw new Error(`metrics at port ${port}: status ${status}`)
    // CoreDNS has no series of a family before its first query.
    const lines = body.split('\n').filter((line) => /^[^{ ]+/.exec(line)?.[0] === name)
    return lines
      .filter((line) => line.includes(label))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  private async clusterAnswers(): Promise<boolean> {
    const { reply } = await this.agent.call('ask', {
      server: { host: '127.0.0.1', port: clusterPort },
      name: 'kubernetes.default.svc.cluster.local',
      type: 'A',
      options: { timeoutMs: 500 },
    })
    return reply?.rcode === 0
  }
}

export interface Counts {
  readonly cluster: number
  readonly external: number
}

/** What arrived at the upstreams meanwhile. */
export function since(before: Counts, after: Counts): Counts {
  return { cluster: after.cluster - before.cluster, external: after.external - before.external }
}

/** What every name below `tld` resolves to. */
export function externalAddresses(tld: string, options: SearchLabOptions): string[] {
  const number = options.tlds.indexOf(tld) + 1
  const v4 = `192.0.2.${number}`
  if (options.tldsWithoutV6?.includes(tld)) return [v4]
  return [v4, `2001:db8::${number.toString(16)}`]
}

function clusterCorefile(apiUrl: string, options: SearchLabOptions): string {
  return `.:${clusterPort} {
  bind ${['127.0.0.1', ...optional(options.alsoAt)].join(' ')}
  errors
  prometheus 127.0.0.1:${clusterMetricsPort}
${options.clusterPlugins ?? ''}
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    endpoint ${apiUrl}
    pods insecure
    ttl ${options.clusterTtlSeconds}
  }
  forward . 127.0.0.1:${externalPort}
}
`
}

function externalCorefile(options: SearchLabOptions): string {
  const soa = `${options.externalTtlSeconds} IN SOA ns.invalid. root.invalid. 1 60 60 60 ${options.externalTtlSeconds}`
  const template = (type: string, zone: string, line: string) =>
    `  template IN ${type} ${zone} {\n    ${line}\n  }\n`
  const blocks = options.tlds.map((tld) => {
    const [v4 = '', v6] = externalAddresses(tld, options)
    const answer = (type: string, address: string) =>
      template(
        type,
        tld,
        `answer "{{ .Name }} ${options.externalTtlSeconds} IN ${type} ${address}"`,
      )
    const noData = template('AAAA', tld, `authority "${tld}. ${soa}"`)
    return answer('A', v4) + (v6 === undefined ? noData : answer('AAAA', v6))
  })
  return `.:${externalPort} {
  bind ${['127.0.0.1', ...optional(options.alsoAt)].join(' ')}
  errors
  prometheus 127.0.0.1:${externalMetricsPort}
${blocks.join('')}  template IN ANY . {
    rcode NXDOMAIN
    authority ". ${soa}"
  }
}
`
}

function optional(value: string | undefined): string[] {
  return value === undefined ? [] : [value]
}
