/**
 * A node and a pod of its own for each contestant, as network namespaces with a veth between them: the C echo, an echo at tc, the daemon with
 * kernelHits off, and with it on. Servers run on one CPU, the pod and the authority behind the daemon on the other. Needs root.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compileHits } from '../../build-kernel.ts'
import { freePort } from '../../test/support/free-port.ts'
import { Child, mustRun, until } from '../../test/support/process.ts'
import { Netns } from '../../test/support/world/netns.ts'
import { buildProgram } from '../support/programs.ts'
import { readProcess, Scrape } from '../support/scrape.ts'
import { builtMain, onCpu } from '../support/servers.ts'
import type { ContestantName } from './figures.ts'

export const serverCpu = 0
export const podCpu = 1
const readyMs = 20_000
/** Nothing expires while it is measured. */
export const anHour = 3600
const adminPort = 9253
/** What a pod may take longer than it was told to. */
const graceMs = 15_000

export type Family = 4 | 6

export interface PodReport {
  readonly sent: number
  readonly received: number
  readonly wrong: number
  /** The pod's own, with what the kernel does in its name. */
  readonly cpuUs: number
  readonly seconds: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
}

export interface PodLoad {
  readonly queryFile: string
  readonly seconds: number
  readonly family?: Family
  readonly window?: number
  readonly rate?: number
  /** Polls without sleeping. */
  readonly spins?: boolean
  /** Each reply must have an answer; true when absent. */
  readonly mustAnswer?: boolean
  readonly uniqueFrom?: number
}

const serverAddress = { 4: '10.78.0.1', 6: 'fd78::1' } as const

/** One server with one pod. */
export class Contestant {
  readonly name: ContestantName
  readonly node: Netns
  private readonly pod: Netns
  private readonly servers: readonly Child[]
  private readonly others: readonly Child[]

  private constructor(name: ContestantName, spaces: readonly [Netns, Netns], children: Children) {
    this.name = name
    const [node, pod] = spaces
    this.node = node
    this.pod = pod
    this.servers = children.servers
    this.others = children.others
  }

  static async start(name: ContestantName, settings: DaemonSettings): Promise<Contestant> {
    const spaces = await nodeWithPod()
    return new Contestant(name, spaces, await startServers(name, spaces[0], settings))
  }

  get isDaemon(): boolean {
    return this.name === 'off' || this.name === 'on'
  }

  /** The daemon's process. */
  get pid(): number {
    const [first] = this.servers
    if (first === undefined) throw new Error('no server')
    return first.pid
  }

  /** CPU time of the servers since their start, microseconds. */
  cpuUs(): number {
    return this.servers.reduce((sum, { pid }) => sum + readProcess(pid).cpuUs, 0)
  }

  async load(load: PodLoad): Promise<PodReport> {
    const family = load.family ?? 4
    const rhythm =
      load.rate === undefined
        ? ['--window', String(load.window ?? 1)]
        : ['--rate', String(load.rate)]
    const args = [
      ...[...onCpu(podCpu).slice(1), await buildProgram('pod')],
      ...[
        '--to',
        serverAddress[family],
        '--queries',
        load.queryFile,
        '--seconds',
        String(load.seconds),
      ],
      ...rhythm,
      ...(load.spins === true ? ['--spin'] : []),
      ...(this.isDaemon && load.mustAnswer !== false ? ['--answers'] : []),
      ...(load.uniqueFrom === undefined ? [] : ['--unique-from', String(load.uniqueFrom)]),
    ]
    const text = await mustRun('taskset', args, {
      netns: this.pod.name,
      timeoutMs: load.seconds * 1000 + graceMs,
    })
    return JSON.parse(text) as PodReport
  }

  async scrape(): Promise<Scrape> {
    const page = await this.node.exec('curl', '-s', `http://127.0.0.1:${adminPort}/metrics`)
    return new Scrape(`${page}\n`)
  }

  async stop(): Promise<void> {
    for (const child of [...this.servers, ...this.others]) await child.stop()
    await this.pod.remove()
    await this.node.remove()
  }
}

interface Children {
  /** Whose CPU time counts. */
  readonly servers: readonly Child[]
  readonly others: readonly Child[]
}

async function nodeWithPod(): Promise<readonly [Netns, Netns]> {
  const node = await Netns.create('bench-node')
  const pod = await Netns.create('bench-pod')
  await node.ip('link', 'add', 'veth1', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
  await node.ip('addr', 'add', `${serverAddress[4]}/24`, 'dev', 'veth1')
  await node.ip('addr', 'add', `${serverAddress[6]}/64`, 'dev', 'veth1', 'nodad')
  await node.ip('link', 'set', 'veth1', 'up')
  await pod.ip('addr', 'add', '10.78.0.2/24', 'dev', 'eth0')
  await pod.ip('addr', 'add', 'fd78::2/64', 'dev', 'eth0', 'nodad')
  await pod.ip('link', 'set', 'eth0', 'up')
  return [node, pod]
}

async function startServers(name: ContestantName, node: Netns, settings: DaemonSettings) {
  if (name === 'echo') return await startEchoes(node)
  if (name === 'limit') return await startLimit(node)
  return await startDaemon(name, node, settings)
}

async function startLimit({ name }: Netns): Promise<Children> {
  const script = join(import.meta.dirname, 'tc-echo.ts')
  const holder = new Child(process.execPath, [script, 'veth1'], { netns: name })
  await holder.line((line) => line === 'ready', readyMs)
  return { servers: [], others: [holder] }
}

async function startEchoes({ name }: Netns): Promise<Children> {
  const program = await buildProgram('echo')
  const servers = Object.values(serverAddress).map(
    (address) =>
      new Child('taskset', [...onCpu(serverCpu).slice(1), program, '53', address], { netns: name }),
  )
  for (const server of servers) await server.line((line) => line === 'ready', readyMs)
  return { servers, others: [] }
}

export interface DaemonSettings {
  readonly entriesMax: number
  /** What the authority gives, and the daemon keeps at most. */
  readonly ttlSeconds: number
}

async function startDaemon(
  name: ContestantName,
  { name: netns }: Netns,
  { entriesMax, ttlSeconds }: DaemonSettings,
): Promise<Children> {
  const port = await freePort()
  const authority = new Child(
    'taskset',
    [...onCpu(podCpu).slice(1), await buildProgram('authority'), String(port), String(ttlSeconds)],
    { netns },
  )
  await authority.line((line) => line === 'ready', readyMs)
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-kernel-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'neardns.yaml')
  const upstreams = [`127.0.0.1:${port}`]
  const config = {
    listen: Object.values(serverAddress).map((address) =>
      address.includes(':') ? `[${address}]:53` : `${address}:53`,
    ),
    cluster: { upstreams, ttl: { positiveMaxSeconds: ttlSeconds } },
    external: { upstreams, ttl: { positiveMaxSeconds: ttlSeconds } },
    cache: { entriesMax: Math.max(10_000, 2 * entriesMax), bytesMax: 256 << 20 },
    admin: { listen: [`127.0.0.1:${adminPort}`], socket: 'none' },
    kernelHits: { mode: name === 'on' ? 'auto' : 'off', entriesMax },
  }
  writeFileSync(file, JSON.stringify(config))
  const main = await builtMain()
  writeFileSync(join(dirname(main), 'hit-program.json'), JSON.stringify(compileHits()))
  const args = [...onCpu(serverCpu).slice(1), process.execPath, main, 'run', '--config', file]
  const daemon = new Child('taskset', args, { netns })
  await daemon.line((line) => line.includes('"ready"'), readyMs)
  return { servers: [daemon], others: [authority] }
}

/** Asks for everything until the kernel has all of it that it takes. */
export async function warmUp(
  contestant: Contestant,
  load: PodLoad,
  entries: number,
): Promise<void> {
  for (let time = 0; time < 3; time++) await contestant.load(load)
  if (contestant.name !== 'on') return
  await until(
    `${entries} answers in the kernel`,
    async () => {
      await contestant.load(load)
      return (await contestant.scrape()).value('neardns_kernel_hits_entries') >= entries
    },
    { timeoutMs: 90_000, everyMs: 200 },
  )
}
