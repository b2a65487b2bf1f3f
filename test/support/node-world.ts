/**
 * A Kubernetes node in network namespaces: a pod behind the node, two CoreDNS on hosts of their own beyond it, and
 * kube-proxy's rules on the node in one of its modes. The node's ruleset, links and connection table are its own; the
 * machine's are never touched.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent } from './agent.ts'
import { Coredns } from './coredns.ts'
import { type ClusterRules, kubeProxyIptables, kubeProxyNftables } from './kube-proxy-rules.ts'
import { Neardns } from './neardns.ts'
import { Netns } from './netns.ts'
import { Child, mustRun, runToEnd, until } from './process.ts'

export type ProxyMode = 'iptables-nft' | 'iptables-legacy' | 'nftables' | 'none'

export const linkLocal = '169.254.20.10'
export const clusterIp = '10.96.0.10'
export const linkLocal6 = 'fd00:20::10'
export const clusterIp6 = 'fd96::a'
const upstreamIp = '10.96.0.11'
const upstreamIp6 = 'fd96::b'
export const corednsIps = ['10.78.0.2', '10.78.0.3'] as const
const corednsIps6 = ['fd78::2', 'fd78::3'] as const
export const podIp = '10.77.0.2'

const clusters: readonly ClusterRules[] = [
  {
    family: 4,
    podNetwork: '10.77.0.0/24',
    serviceNetwork: '10.96.0.0/16',
    services: [
      { name: 'kube-dns', clusterIp, endpoints: corednsIps },
      { name: 'kube-dns-upstream', clusterIp: upstreamIp, endpoints: corednsIps },
    ],
  },
  {
    family: 6,
    podNetwork: 'fd77::/64',
    serviceNetwork: 'fd96::/112',
    services: [
      { name: 'kube-dns', clusterIp: clusterIp6, endpoints: corednsIps6 },
      { name: 'kube-dns-upstream', clusterIp: upstreamIp6, endpoints: corednsIps6 },
    ],
  },
]

export class NodeWorld {
  readonly node: Netns
  readonly pod: Netns
  /** Asks and loads from inside the pod. */
  readonly client: Agent
  /** Asks from the node itself. */
  readonly host: Agent
  private readonly dns: Netns
  private readonly coredns: Coredns
  private configs = 0
  private readonly directory = mkdtempSync(join(tmpdir(), 'neardns-node-'))

  private constructor(parts: { node: Netns; pod: Netns; dns: Netns; coredns: Coredns }) {
    this.node = parts.node
    this.pod = parts.pod
    this.dns = parts.dns
    this.coredns = parts.coredns
    this.client = new Agent(parts.pod)
    this.host = new Agent(parts.node)
  }

  static async create(mode: ProxyMode): Promise<NodeWorld> {
    const node = await Netns.create('node')
    const pod = await Netns.create('pod')
    const dns = await Netns.create('dns')
    await connect(node, pod, { link: 'pod0', network4: '10.77.0', network6: 'fd77::' })
    await connect(node, dns, { link: 'dns0', network4: '10.78.0', network6: 'fd78::' })
    await dns.ip('addr', 'add', '10.78.0.3/24', 'dev', 'eth0')
    await dns.ip('addr', 'add', 'fd78::3/64', 'dev', 'eth0', 'nodad')
    // Where a real node has its gateway; without one no ClusterIP has a route.
    await node.ip('route', 'add', 'default', 'via', '10.78.0.2')
    await node.ip('-6', 'route', 'add', 'default', 'via', 'fd78::2')
    for (const key of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
      await node.exec('sysctl', '-qw', `${key}=1`)
    }
    const coredns = await Coredns.start({ netns: dns.name, corefile })
    const world = new NodeWorld({ node, pod, dns, coredns })
    await world.useKubeProxy(mode)
    await until(
      'CoreDNS answers through the ClusterIP',
      () => mode === 'none' || world.answers(clusterIp),
    )
    return world
  }

  /** Writes kube-proxy's rules of this mode onto a node that has none. */
  async useKubeProxy(mode: ProxyMode): Promise<void> {
    for (const cluster of clusters) {
      if (mode === 'nftables') {
        await this.nodeRun('nft', ['-f', '-'], kubeProxyNftables(cluster))
      } else if (mode !== 'none') {
        const program = mode.replace('iptables', cluster.family === 4 ? 'iptables' : 'ip6tables')
        await this.nodeRun(`${program}-restore`, ['--noflush'], kubeProxyIptables(cluster))
      }
    }
  }

  async nodeRun(command: string, args: readonly string[], stdin = ''): Promise<string> {
    return await mustRun(command, args, { netns: this.node.name, stdin })
  }

  /** A daemon that asks CoreDNS pods themselves: for a node without kube-proxy. */
  directConfig(changes: { readonly clusterIps?: readonly string[] } = {}): string {
    const upstreams = [`${corednsIps[0]}:53`]
    const interception = {
      addresses: [linkLocal],
      link: { kind: 'bridge' },
      standbyTo: upstreams,
      ...changes,
    }
    const listen = [linkLocal, ...(changes.clusterIps ?? [])].map((address) => `${address}:53`)
    return this.writeConfig(interception, listen, { upstreams })
  }

  /** Pairs of packets that were translated at the same time: drops and those that the kernel settled. */
  async clashes(): Promise<number> {
    const text = await this.nodeRun('conntrack', ['-S'])
    const counts = [...text.matchAll(/(?:insert_failed|clash_resolve)=(\d+)/g)]
    return counts.reduce((sum, [, count]) => sum + Number(count), 0)
  }

  /** One datagram for each of as many flows as the connection table has room for, all to closed ports. */
  async fillConntrack(): Promise<void> {
    const program = new URL('./programs/many-flows.mjs', import.meta.url).pathname
    const args = [program, ...corednsIps, '10.78.0.4', '10.78.0.5', '10.78.0.6']
    await mustRun(process.execPath, args, { netns: this.pod.name, timeoutMs: 60_000 })
  }

  /** For a second daemon beside one with `config`. */
  otherConfig(): string {
    const interception = { addresses: ['169.254.20.11'], link: { kind: 'bridge' } }
    return this.writeConfig(interception, ['169.254.20.11:53'], { admin: '127.0.0.1:9254' })
  }

  /** Writes a configuration file for the daemon. @returns its path */
  private writeConfig(
    interception: object,
    listen: readonly string[],
    changes: {
      readonly upstreams?: readonly string[]
      readonly admin?: string
      readonly handover?: object
    } = {},
  ): string {
    this.configs += 1
    const path = join(this.directory, `neardns-${this.configs}.yaml`)
    const v6 = listen.some((address) => address.startsWith('['))
    const upstreams = changes.upstreams ?? [
      `${upstreamIp}:53`,
      ...(v6 ? [`[${upstreamIp6}]:53`] : []),
    ]
    const config = {
      listen,
      interception,
      cluster: { upstreams },
      external: { upstreams: upstreams.slice(0, 1) },
      admin: { listen: changes.admin ?? '127.0.0.1:9253' },
      ...(changes.handover === undefined ? {} : { handover: changes.handover }),
    }
    writeFileSync(path, JSON.stringify(config))
    return path
  }

  /** For a daemon that the next one with the same file takes over from. */
  upgradableConfig(interception: object): string {
    return this.writeConfig(
      {
        addresses: [linkLocal],
        clusterIps: [clusterIp],
        link: { kind: 'bridge' },
        ...interception,
      },
      [`${linkLocal}:53`, `${clusterIp}:53`],
      { handover: { socket: join(this.directory, 'handover.sock'), afterwards: 'wait' } },
    )
  }

  /** Link-local address and ClusterIP, on IPv4 unless all are wanted. */
  config(interception: object = {}, families: 'v4' | 'both' = 'v4'): string {
    const both = families === 'both'
    return this.writeConfig(
      {
        addresses: [linkLocal, ...(both ? [linkLocal6] : [])],
        clusterIps: [clusterIp, ...(both ? [clusterIp6] : [])],
        link: { kind: 'bridge' },
        ...interception,
      },
      [
        `${linkLocal}:53`,
        `${clusterIp}:53`,
        ...(both ? [`[${linkLocal6}]:53`, `[${clusterIp6}]:53`] : []),
      ],
    )
  }

  async startNeardns(
    config = this.config(),
    env: Readonly<Record<string, string>> = {},
  ): Promise<Neardns> {
    // Links and namespaces share one lock of the kernel: on a machine with much else to do a start takes seconds.
    const readyTimeoutMs = 30_000
    const args = ['--config', config]
    return await Neardns.start({ netns: this.node.name, args, env, readyTimeoutMs })
  }

  /** With the user, capabilities and no_new_privs of the DaemonSet. Returns once it has said anything but `starting`. */
  async startUnprivileged(
    config: string,
    capabilities = '+net_bind_service,+net_admin',
  ): Promise<Child> {
    const main = new URL('../../src/main.ts', import.meta.url).pathname
    const sets = ['--bounding-set', `-all,${capabilities}`, '--inh-caps=-all', '--no-new-privs']
    const command = [...sets, process.execPath, main, 'run', '--config', config]
    const child = new Child('setpriv', command, { netns: this.node.name })
    await child.line((line) => line.includes('interception'), 30_000)
    return child
  }

  /** @returns who answered the pod: CoreDNS says whom it heard, and it hears neardns with an address of the node */
  async answeredBy(
    host: string,
    from: Agent = this.client,
    tcp = false,
  ): Promise<'neardns' | 'coredns' | 'nobody'> {
    const name = `who-${Math.floor(Math.random() * 1e9)}.cluster.local`
    const options = { timeoutMs: 500, tcp }
    const server = { host, port: 53 }
    const type = host.includes(':') ? 'AAAA' : 'A'
    const { reply } = await from.call('ask', { server, name, type, options })
    if (reply === undefined || reply.answers.length === 0) return 'nobody'
    const heard = reply.answers[0]?.data ?? ''
    return heard === podIp || heard.startsWith('fd77:') ? 'coredns' : 'neardns'
  }

  /** `neardns rules ...` on the node. */
  async rules(config: string, ...args: readonly string[]) {
    const main = new URL('../../src/main.ts', import.meta.url).pathname
    const argv = [main, 'rules', ...args, '--config', config]
    return await runToEnd(process.execPath, argv, { netns: this.node.name })
  }

  async answers(host: string): Promise<boolean> {
    return (await this.answeredBy(host)) !== 'nobody'
  }

  /** What the node looks like, without counters and times. */
  async state(): Promise<string> {
    const commands: readonly (readonly string[])[] = [
      ['nft', 'list', 'ruleset'],
      ['iptables-legacy-save'],
      ['ip6tables-legacy-save'],
      ['iptables-nft-save'],
      ['ip6tables-nft-save'],
      ['ip', '-oneline', '-details', 'addr'],
    ]
    const texts: string[] = []
    for (const [command = '', ...args] of commands) texts.push(await this.nodeRun(command, args))
    return (
      texts
        .join('\n')
        .split('\n')
        // nft complains about targets of iptables when it likes. Link-local addresses that the kernel makes come and settle when they like.
        .filter((line) => !/^(#|XT target) /.test(line) && !/ inet6 fe80:/.test(line))
        .map((line) => line.replaceAll(/\[\d+:\d+\]|packets \d+ bytes \d+/g, ''))
        .join('\n')
    )
  }

  /** Entries of the node's connection table for DNS of the pod to `address`. */
  async trackedFromPod(address: string): Promise<string[]> {
    const family = address.includes(':') ? 'ipv6' : 'ipv4'
    const text = await this.nodeRun('conntrack', ['-L', '-f', family])
    const pod = family === 'ipv4' ? podIp : 'fd77::2'
    return text
      .split('\n')
      .filter((line) => line.includes(`src=${pod} dst=${address} `) && line.includes('dport=53'))
  }

  /** Sum of a metric of the daemon over the series in which `word` occurs. */
  async metric(name: string, word: string): Promise<number> {
    const url = 'http://127.0.0.1:9253/metrics'
    const { body } = await this.host.call('fetch', { url })
    const lines = body.split('\n').filter((line) => line.startsWith(name) && line.includes(word))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** NodeLocal DNSCache after SIGKILL: its link, its addresses, its twelve rules for each (the newer ones with comments). */
  async leaveNodeLocalBehind(): Promise<void> {
    await this.node.ip('link', 'add', 'nodelocaldns', 'type', 'bridge')
    for (const address of [linkLocal, clusterIp]) {
      await this.node.ip('addr', 'add', `${address}/32`, 'dev', 'nodelocaldns')
      const comment = address === linkLocal ? ['-m', 'comment', '--comment'] : undefined
      const rule = async (table: string, text: string, target: string, why: string) => {
        const note = comment === undefined ? [] : [...comment, `NodeLocal DNS Cache: ${why}`]
        const args = ['-t', table, '-I', ...text.split(' '), ...note, '-j', target]
        await this.nodeRun('iptables-nft', args)
      }
      for (const protocol of ['tcp', 'udp']) {
        const to = `-p ${protocol} -d ${address} --dport 53`
        const from = `-p ${protocol} -s ${address} --sport 53`
        await rule('raw', `PREROUTING ${to}`, 'NOTRACK', 'skip conntrack')
        await rule('filter', `INPUT ${to}`, 'ACCEPT', 'allow DNS traffic')
        await rule('raw', `OUTPUT ${from}`, 'NOTRACK', 'skip conntrack')
        await rule('filter', `OUTPUT ${from}`, 'ACCEPT', 'allow DNS traffic')
        await rule('raw', `OUTPUT ${to}`, 'NOTRACK', 'skip conntrack')
      }
      const health = [`-p tcp -d ${address} --dport 8080`, `-p tcp -s ${address} --sport 8080`]
      for (const match of health) await rule('raw', `OUTPUT ${match}`, 'NOTRACK', 'skip conntrack')
    }
  }

  async remove(): Promise<void> {
    await this.client.stop()
    await this.host.stop()
    await this.coredns.stop()
    for (const netns of [this.pod, this.dns, this.node]) await netns.remove()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Every name below cluster.local has the address of whoever asks. */
const corefile = `cluster.local:53 {
  template IN A {
    answer "{{ .Name }} 30 IN A {{ .Remote }}"
  }
  template IN AAAA {
    answer "{{ .Name }} 30 IN AAAA {{ .Remote }}"
  }
}
`

async function connect(
  node: Netns,
  other: Netns,
  { link, network4, network6 }: { link: string; network4: string; network6: string },
): Promise<void> {
  await detectDuplicates([node, other], false)
  await node.ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', other.name)
  await node.ip('addr', 'add', `${network4}.1/24`, 'dev', link)
  await node.ip('addr', 'add', `${network6}1/64`, 'dev', link, 'nodad')
  await node.ip('link', 'set', link, 'up')
  await other.ip('addr', 'add', `${network4}.2/24`, 'dev', 'eth0')
  await other.ip('addr', 'add', `${network6}2/64`, 'dev', 'eth0', 'nodad')
  await other.ip('link', 'set', 'eth0', 'up')
  await other.ip('route', 'add', 'default', 'via', `${network4}.1`)
  await other.ip('-6', 'route', 'add', 'default', 'via', `${network6}1`)
  await detectDuplicates([node, other], true)
}

/**
 * For links that are made from now on. A link takes up to 2 s to make sure of its fe80:: address, and without that one the node cannot
 * ask for the neighbours of packets that it passes on (ndisc_solicit of the kernel): they wait for a second. The links of a
 * node are older than that. Those that the daemon makes are not, and have it.
 */
async function detectDuplicates(namespaces: readonly Netns[], isOn: boolean): Promise<void> {
  for (const netns of namespaces) {
    await netns.exec('sysctl', '-qw', `net.ipv6.conf.default.accept_dad=${isOn ? 1 : 0}`)
  }
}
