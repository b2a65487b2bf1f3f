/**
 * A node on which faults are planted: the daemon on a node in network namespaces, a server for cluster names and one for outside that a
 * fault can exchange at the same address, and `doctor` as a process on the node. What a fault changed is undone by `mend`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Finding } from '../../../src/cli/diagnosis/finding.ts'
import { builtProgram } from '../built-program.ts'
import { Coredns } from '../coredns.ts'
import type { Neardns } from '../neardns.ts'
import { Child, runToEnd } from '../process.ts'
import { MemoryCgroup } from '../world/node-cgroup.ts'
import { corednsIps, linkLocal, NodeWorld } from '../world/node-world.ts'

/** Beside the two CoreDNS of the world: its gateway has both. */
const serverIp = '10.78.0.254'
const ports = { cluster: 5300, external: 5301 } as const

export type Side = keyof typeof ports
/** Sections of the configuration, on top of the usual ones. */
export type Changes = Readonly<Record<string, unknown>>

/** As the kubernetes plugin of CoreDNS denies a name. */
export const denyCluster = `template ANY ANY cluster.local {
  rcode NXDOMAIN
  authority "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5"
}`

/** Servers as they should be: every name below cluster.local and outside has an address for a second. */
const healthy: Readonly<Record<Side, string>> = {
  cluster: `template IN A cluster.local {
  match ^[a-z]+[.][a-z]+[.]svc[.]cluster[.]local[.]$
  answer "{{ .Name }} 1 IN A 10.96.1.1"
  fallthrough
}
${denyCluster}`,
  external:
    'template IN A {\n  answer "{{ .Name }} 1 IN A 192.0.2.1"\n}\ntemplate IN NS . {\n  answer ". 60 IN NS a.root.example."\n}',
}

export class FaultyNode {
  readonly world: NodeWorld
  readonly directory = mkdtempSync(join(tmpdir(), 'neardns-faults-'))
  neardns: Neardns | undefined
  private cgroup: MemoryCgroup | undefined
  private readonly servers = new Map<Side, Coredns>()
  private readonly undoing: (() => Promise<unknown> | unknown)[] = []
  private readonly programs: Child[] = []

  private constructor(world: NodeWorld) {
    this.world = world
  }

  static async create(): Promise<FaultyNode> {
    const node = new FaultyNode(await NodeWorld.create('none'))
    try {
      await node.serve('cluster')
      await node.serve('external')
      return node
    } catch (error) {
      await node.remove()
      throw error
    }
  }

  get configPath(): string {
    return join(this.directory, 'neardns.yaml')
  }

  get socketPath(): string {
    return join(this.directory, 'admin.sock')
  }

  /** Writes the configuration that the next daemon starts with, or the running one reads. */
  configure(changes: Changes = {}): void {
    const config = {
      listen: [`${linkLocal}:53`],
      interception: {
        addresses: [linkLocal],
        link: { kind: 'bridge' },
        standbyTo: [`${corednsIps[0]}:53`],
      },
      cluster: { upstreams: [`${serverIp}:${ports.cluster}`] },
      external: { upstreams: [`${serverIp}:${ports.external}`] },
      admin: { listen: '127.0.0.1:9253', socket: this.socketPath },
      ...changes,
    }
    writeFileSync(this.configPath, JSON.stringify(config))
  }

  /** A daemon with this configuration, once it is ready; the one before has ended. @param memoryBytes its limit; 0 for none */
  async start(changes: Changes = {}, memoryBytes = 0): Promise<void> {
    await this.stop()
    this.configure(changes)
    const cgroup = memoryBytes === 0 ? undefined : new MemoryCgroup()
    cgroup?.limit(memoryBytes)
    this.cgroup = cgroup
    this.neardns = await this.world.startNeardns(this.configPath, {}, cgroup?.joining)
  }

  async stop(): Promise<void> {
    const { neardns } = this
    this.neardns = undefined
    if (neardns?.child.running !== true) return
    neardns.child.process.kill('SIGCONT')
    await neardns.child.stop('SIGTERM')
    this.cgroup?.remove()
    this.cgroup = undefined
  }

  /** In the place of the server at this side: one with these plugins; without them the usual one. */
  async serve(side: Side, plugins = healthy[side], zone = '.'): Promise<void> {
    await this.silence(side)
    const corefile = `${zone}:${ports[side]} {\n  bind ${serverIp}\n  ${plugins}\n}\n`
    this.servers.set(side, await Coredns.start({ netns: this.world.dns.name, corefile }))
  }

  /** Nobody listens there any more. */
  async silence(side: Side): Promise<void> {
    const server = this.servers.get(side)
    this.servers.delete(side)
    await server?.stop()
  }

  /** Another server for a fault; `mend` brings the usual one back. */
  async exchange(side: Side, plugins: string, zone = '.'): Promise<void> {
    this.undoing.push(() => this.serve(side))
    await this.serve(side, plugins, zone)
  }

  async closeDown(side: Side): Promise<void> {
    this.undoing.push(() => this.serve(side))
    await this.silence(side)
  }

  /** Replies of a server vanish before the node has them. A drop on the way out would be an error for who sends. */
  async loseReplies(side: Side, protocol: 'udp' | 'tcp'): Promise<void> {
    const match = `ip saddr ${serverIp} ${protocol} sport ${ports[side]} drop`
    await this.nft(
      `table ip faults { chain in { type filter hook input priority -400; ${match}; }; }`,
    )
    this.undoing.push(() => this.nft('delete table ip faults'))
  }

  async nft(rules: string): Promise<void> {
    await this.world.nodeRun('nft', ['-f', '-'], rules)
  }

  /** Runs until the fault is mended. @param netns of the node unless given */
  background(command: string, args: readonly string[], netns = this.world.node.name): Child {
    const child = new Child(command, args, { netns })
    this.programs.push(child)
    return child
  }

  /** Again and again until the fault is mended. */
  repeat(shell: string): void {
    this.background('sh', ['-c', `while :; do ${shell}; done`])
  }

  /** Does `act` each time, until the fault is mended. */
  often(everyMs: number, act: () => void): void {
    const timer = setInterval(act, everyMs)
    this.undoing.push(() => clearInterval(timer))
  }

  undoLater(undo: () => Promise<unknown> | unknown): void {
    this.undoing.push(undo)
  }

  /** Queries from the pod to the daemon, one after another, until the fault is mended. @param name with `N` for a number */
  ask(name: string, { queriesPerSecond = 20, seconds = 6 } = {}): void {
    const queries = Array.from({ length: queriesPerSecond * seconds }, (_, i) => ({
      name: name.replace('N', String(i)),
      type: 'A' as const,
      group: 'any',
      rcode: 0,
    }))
    const server = { host: linkLocal, port: 53 }
    const load = this.world.client.call('load', { server, queriesPerSecond, queries })
    this.undoing.push(() => load)
  }

  /** `neardns doctor` on the node. @param program the main file, unless it is the one that was built */
  async doctor(program = builtProgram()): Promise<Diagnosis> {
    const args = [program, 'doctor', '--config', this.configPath, '--json']
    const begun = performance.now()
    const { code, output } = await runToEnd(process.execPath, args, {
      netns: this.world.node.name,
    })
    const tookMs = performance.now() - begun
    const { findings } = JSON.parse(output) as { readonly findings: readonly Finding[] }
    return { code, findings, tookMs }
  }

  async mend(): Promise<void> {
    for (const program of this.programs.splice(0)) await program.stop('SIGKILL')
    for (const undo of this.undoing.splice(0).toReversed()) await undo()
  }

  async remove(): Promise<void> {
    await this.mend()
    await this.stop()
    for (const side of [...this.servers.keys()]) await this.silence(side)
    await this.world.remove()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export interface Diagnosis {
  readonly code: number | null
  readonly findings: readonly Finding[]
  readonly tookMs: number
}
