/**
 * A Kubernetes node in network namespaces: a pod behind the node, two CoreDNS on hosts of their own beyond it, and
 * kube-proxy's rules on the node in one of its modes. The node's ruleset, links and connection table are its own; the
 * machine's are never touched.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtProgram } from '../built-program.ts'
import { Coredns } from '../coredns.ts'
import { Neardns } from '../neardns.ts'
import { Child, mustRun, runToEnd, until } from '../process.ts'
import { Agent } from './agent.ts'
import { writeKubeletRules } from './kube-kubelet-rules.ts'
import { KubeNode, type NodeCluster } from './kube-node.ts'
import type { DnsEndpoint } from './kube-objects.ts'
import { Netns } from './netns.ts'
import { nodeState } from './node-state.ts'
import { leaveNodeLocalBehind } from './nodelocal-remains.ts'
import type { KubeProxyChoice, RealProxyMode } from './real-kube-proxy.ts'

export type ProxyMode = RealProxyMode | 'none'

/** Version and programs of a kube-proxy; see real-kube-proxy.ts. */
export type KubeChoice = Omit<KubeProxyChoice, 'mode'>

export interface WorldChoice extends KubeChoice {
  /** Nothing but loopback addresses on IPv4, on the node, in the pod and where CoreDNS is. */
  readonly isIpv6Only?: boolean
}

export const linkLocal = '169.254.20.10'
export const clusterIp = '10.96.0.10'
export const linkLocal6 = 'fd00:20::10'
export const clusterIp6 = 'fd96::a'
const upstreamIp = '10.96.0.11'
const upstreamIp6 = 'fd96::b'
export const corednsIps = ['10.78.0.2', '10.78.0.3'] as const
const corednsIps6 = ['fd78::2', 'fd78::3'] as const
export const podIp = '10.77.0.2'

const everyCoredns: readonly DnsEndpoint[] = [...corednsIps, ...corednsIps6].map((address) => ({
  address,
}))

const worldCluster: NodeCluster = {
  nodeName: 'node1',
  nodeAddresses: ['10.78.0.1', 'fd78::1'],
  podNetworks: ['10.77.0.0/24', 'fd77::/64'],
  serviceNetworks: ['10.96.0.0/16', 'fd96::/112'],
  services: [
    { name: 'kube-dns', clusterIps: [clusterIp, clusterIp6], endpoints: everyCoredns },
    { name: 'kube-dns-upstream', clusterIps: [upstreamIp, upstreamIp6], endpoints: everyCoredns },
  ],
}

const ipv6Cluster: NodeCluster = {
  ...worldCluster,
  nodeName: 'node6',
  nodeAddresses: ['fd78::1'],
  podNetworks: ['fd77::/64'],
}

export class NodeWorld {
  readonly node: Netns
  readonly pod: Netns
  /** Asks and loads from inside the pod. */
  readonly client: Agent
  /** Asks from the node itself. */
  readonly host: Agent
  /** There is none while no kube-proxy has run. */
  kube: KubeNode | undefined
  /** Where CoreDNS is. */
  readonly dns: Netns
  private readonly coredns: Coredns
  private readonly isIpv6Only: boolean
  private configs = 0
  /** Daemons that tests have started; those that a test leaves running end with its world. */
  private readonly daemons: Child[] = []
  private readonly directory = mkdtempSync(join(tmpdir(), 'neardns-node-'))

  private constructor(parts: {
    node: Netns
    pod: Netns
    dns: Netns
    coredns: Coredns
    isIpv6Only: boolean
  }) {
    this.isIpv6Only = parts.isIpv6Only
    this.node = parts.node
    this.pod = parts.pod
    this.dns = parts.dns
    this.coredns = parts.coredns
    this.client = new Agent(parts.pod)
    this.host = new Agent(parts.node)
  }

  /** A node whose kubelet has written its rules, and whose kube-proxy has, unless there is none. */
  static async create(mode: ProxyMode, choice: WorldChoice = {}): Promise<NodeWorld> {
    const node = await Netns.create('node')
    const pod = await Netns.create('pod')
    const dns = await Netns.create('dns')
    await connect(node, pod, { link: 'pod0', network4: '10.77.0', network6: 'fd77::' })
    await connect(node, dns, { link: 'dns0', network4: '10.78.0', network6: 'fd78::' })
    // That a pod goes takes nothing but its own address away.
    await dns.exec('sysctl', '-qw', 'net.ipv4.conf.all.promote_secondaries=1')
    for (const address of ['10.78.0.3', '10.78.0.254']) await addAddress(dns, address)
    for (const address of ['fd78::3', 'fd78::fe']) await addAddress(dns, address)
    // Where a real node has its gateway; without one no ClusterIP has a route.
    await node.ip('route', 'add', 'default', 'via', '10.78.0.254')
    await node.ip('-6', 'route', 'add', 'default', 'via', 'fd78::fe')
    for (const key of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
      await node.exec('sysctl', '-qw', `${key}=1`)
    }
    const { isIpv6Only = false } = choice
    if (isIpv6Only) for (const netns of [node, pod, dns]) await loseIpv4(netns)
    const coredns = await Coredns.start({ netns: dns.name, corefile })
    const world = new NodeWorld({ node, pod, dns, coredns, isIpv6Only })
    try {
      await world.syncKubelet(mode)
      if (mode === 'none') return world
      await world.useKubeProxy(mode, choice)
      for (const address of isIpv6Only ? [clusterIp6] : [clusterIp, clusterIp6]) {
        await until(`CoreDNS answers through ${address}`, () => world.answers(address))
      }
      return world
    } catch (error) {
      await world.remove()
      throw error
    }
  }

  /** Runs `body` in a world of its own, which is checked and taken away at its end. */
  static async with(
    mode: ProxyMode,
    body: (world: NodeWorld) => Promise<void>,
    choice: WorldChoice = {},
  ): Promise<void> {
    const world = await NodeWorld.create(mode, choice)
    try {
      await body(world)
    } catch (error) {
      // What the test says is what is to be read; what the end of its world says comes with it.
      await world.remove().catch((late: unknown) => console.log(`  at the end: ${String(late)}`))
      throw error
    }
    await world.remove()
  }

  /** What the kubelet does at its start, and within a minute of finding its chains gone. */
  async syncKubelet(mode: ProxyMode): Promise<void> {
    await writeKubeletRules(this.node, mode === 'iptables-legacy' ? 'legacy' : 'nft')
  }

  /** Starts the node's kube-proxy in this mode, in the place of the one that ran. Returns once its rules are there. */
  async useKubeProxy(mode: RealProxyMode, choice: KubeChoice = {}): Promise<void> {
    if (this.kube === undefined) {
      const cluster = this.isIpv6Only ? ipv6Cluster : worldCluster
      this.kube = await KubeNode.start(this.node, cluster, { ...choice, mode })
    } else {
      await this.kube.proxy.startAgain({ ...choice, mode })
    }
  }

  /** The Kubernetes of this node. */
  get cluster(): KubeNode {
    if (this.kube === undefined) throw new Error('no kube-proxy has run on this node')
    return this.kube
  }

  /**
   * Rolls CoreDNS out: its pods have these addresses and no others. Returns when the API server has it.
   * @param last numbers in the network of the CoreDNS pods
   */
  async rollCoredns(...last: readonly number[]): Promise<void> {
    const added = this.ofFamilies(last.flatMap((n) => [`10.78.0.${n}`, `fd78::${n.toString(16)}`]))
    for (const address of added) await addAddress(this.dns, address)
    await this.cluster.setCoredns(added.map((address) => ({ address })))
    for (const address of this.ofFamilies([...corednsIps, ...corednsIps6])) {
      if (added.includes(address)) continue
      await this.dns.ip('addr', 'del', withLength(address), 'dev', 'eth0')
    }
  }

  private ofFamilies(addresses: readonly string[]): string[] {
    return addresses.filter((address) => !this.isIpv6Only || address.includes(':'))
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

  /** A daemon with the link-local address alone, and one upstream for everything. */
  linkLocalConfig(upstream: string): string {
    const interception = { addresses: [linkLocal], link: { kind: 'bridge' } }
    return this.writeConfig(interception, [`${linkLocal}:53`], { upstreams: [`${upstream}:53`] })
  }

  /** Pairs of packets that were translated at the same time: drops and those that the kernel settled. */
  async clashes(): Promise<number> {
    const text = await this.nodeRun('conntrack', ['-S'])
    const counts = [...text.matchAll(/(?:insert_failed|clash_resolve)=(\d+)/g)]
    return counts.reduce((sum, [, count]) => sum + Number(count), 0)
  }

  /** One datagram for each of as many flows as the connection table has room for, all to closed ports. */
  async fillConntrack(): Promise<void> {
    const program = new URL('../programs/many-flows.mjs', import.meta.url).pathname
    const args = [program, ...corednsIps, '10.78.0.4', '10.78.0.5', '10.78.0.6']
    await mustRun(process.execPath, args, { netns: this.pod.name, timeoutMs: 60_000 })
  }

  /** A daemon whose sockets are a parent's. */
  supervisedConfig(workers: number): string {
    const interception = {
      addresses: [linkLocal],
      clusterIps: [clusterIp],
      link: { kind: 'bridge' },
    }
    return this.writeConfig(interception, [`${linkLocal}:53`, `${clusterIp}:53`], { workers })
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
      /** Processes behind a parent. */
      readonly workers?: number
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
      ...(changes.workers === undefined ? {} : { workers: changes.workers, supervisor: 'always' }),
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

  /** Link-local address and ClusterIP, on IPv4 unless said otherwise. */
  config(interception: object = {}, families: 'v4' | 'v6' | 'both' = 'v4'): string {
    const own = { v4: [linkLocal], v6: [linkLocal6], both: [linkLocal, linkLocal6] }[families]
    const services = { v4: [clusterIp], v6: [clusterIp6], both: [clusterIp, clusterIp6] }[families]
    const base = { addresses: own, clusterIps: services, link: { kind: 'bridge' } }
    const upstreams = families === 'v6' ? { upstreams: [`[${upstreamIp6}]:53`] } : {}
    return this.writeConfig(
      { ...base, ...interception },
      [...own, ...services].map((address) => endpoint(address)),
      upstreams,
    )
  }

  async startNeardns(
    config = this.config(),
    env: Readonly<Record<string, string>> = {},
    through: readonly string[] = [],
  ): Promise<Neardns> {
    // Links and namespaces share one lock of the kernel: on a machine with much else to do a start takes seconds.
    const readyTimeoutMs = 30_000
    const args = ['--config', config]
    const netns = this.node.name
    const neardns = await Neardns.start({ netns, args, env, through, readyTimeoutMs })
    this.daemons.push(neardns.child)
    return neardns
  }

  /** With the user, capabilities and no_new_privs of the DaemonSet. Returns once it has said anything but `starting`. */
  async startUnprivileged(
    config: string,
    capabilities = '+net_bind_service,+net_admin,+net_raw',
  ): Promise<Child> {
    const sets = ['--bounding-set', `-all,${capabilities}`, '--inh-caps=-all', '--no-new-privs']
    const command = [...sets, process.execPath, builtProgram(), 'run', '--config', config]
    const child = new Child('setpriv', command, { netns: this.node.name })
    this.daemons.push(child)
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
    const argv = [builtProgram(), 'rules', ...args, '--config', config]
    return await runToEnd(process.execPath, argv, { netns: this.node.name })
  }

  /** @returns how many of so many questions in a row, each a flow of its own, were answered by whom */
  async answersOf(host: string, count = 20): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (let i = 0; i < count; i++) {
      const who = await this.answeredBy(host)
      counts[who] = (counts[who] ?? 0) + 1
    }
    return counts
  }

  async answers(host: string): Promise<boolean> {
    return (await this.answeredBy(host)) !== 'nobody'
  }

  /** iptables-legacy makes its built-in tables when they are first looked at, and nothing takes them away. */
  async makeLegacyTables(): Promise<void> {
    for (const program of ['iptables-legacy', 'ip6tables-legacy']) {
      for (const table of ['raw', 'nat', 'filter']) await this.nodeRun(program, ['-t', table, '-S'])
    }
  }

  /** iptables-nft makes the built-in chains of a table with their first rule. Nothing takes them away from a table that others use as well. */
  async makeBuiltInChains(): Promise<void> {
    const built = { nat: ['PREROUTING', 'OUTPUT', 'POSTROUTING'], filter: ['INPUT', 'OUTPUT'] }
    for (const [table, chains] of Object.entries(built)) {
      for (const chain of chains) {
        for (const program of ['iptables-nft', 'ip6tables-nft']) {
          for (const action of ['-A', '-D'])
            await this.nodeRun(program, ['-t', table, action, chain])
        }
      }
    }
  }

  /** What the node looks like, without counters and times. */
  async state(): Promise<string> {
    return await nodeState(this.node)
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

  async leaveNodeLocalBehind(): Promise<void> {
    await leaveNodeLocalBehind(this.node, [linkLocal, clusterIp])
  }

  /** @throws when kube-proxy could not write its rules at any time: whoever breaks it breaks the cluster */
  async remove(): Promise<void> {
    await this.client.stop()
    await this.host.stop()
    for (const daemon of this.daemons) await daemon.stop('SIGKILL')
    const syncFailures = (await this.kube?.remove()) ?? []
    await this.coredns.stop()
    for (const netns of [this.pod, this.dns, this.node]) await netns.remove()
    rmSync(this.directory, { recursive: true, force: true })
    if (syncFailures.length > 0) {
      throw new Error(`kube-proxy: ${syncFailures.length} syncs failed: ${syncFailures[0]}`)
    }
  }
}

/**
 * Every name below cluster.local has the address of whoever asks; where that is one of the other family, one that is nobody's. The
 * daemon may ask for A before AAAA, and over either family.
 */
const isIpv4 = '{{ if eq (slice .Remote 0 3) `10.` }}'
const corefile = `cluster.local:53 {
  template IN A {
    answer "{{ .Name }} 30 IN A ${isIpv4}{{ .Remote }}{{ else }}10.255.255.6{{ end }}"
  }
  template IN AAAA {
    answer "{{ .Name }} 30 IN AAAA ${isIpv4}fdff::4{{ else }}{{ .Remote }}{{ end }}"
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

/** Again is as good as once. */
async function addAddress(dns: Netns, address: string): Promise<void> {
  const nodad = address.includes(':') ? ['nodad'] : []
  await dns.ip('addr', 'replace', withLength(address), 'dev', 'eth0', ...nodad)
}

function withLength(address: string): string {
  return `${address}/${address.includes(':') ? 64 : 24}`
}

function endpoint(address: string): string {
  return address.includes(':') ? `[${address}]:53` : `${address}:53`
}

async function loseIpv4(netns: Netns): Promise<void> {
  await netns.ip('-4', 'addr', 'flush', 'scope', 'global')
}
