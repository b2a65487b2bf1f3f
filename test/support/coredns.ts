/**
 * A real CoreDNS as a child process, with any Corefile: started and awaited, stopped, killed, started again on the
 * same port, and counted from outside (its own metrics; the kernel's table of TCP connections), so that a test need
 * not believe what the daemon says about its upstreams.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { corednsPath } from './needs.ts'
import { Child, until } from './process.ts'

export interface CorednsOptions {
  /** Whole Corefile. Bind addresses, ports, `prometheus` and `ready` are the caller's. */
  readonly corefile: string
  /** The one that tests are written against unless said otherwise; see needs.ts. */
  readonly version?: string
  readonly netns?: string | undefined
}

export class Coredns {
  readonly #options: CorednsOptions
  #child: Child | undefined
  #directory: string | undefined

  private constructor(options: CorednsOptions) {
    this.#options = options
  }

  /** Starts it and waits until all its servers are bound. Its plugins may need longer: see `until`. */
  static async start(options: CorednsOptions): Promise<Coredns> {
    const coredns = new Coredns(options)
    await coredns.startAgain()
    return coredns
  }

  get pid(): number {
    if (!this.#child) throw new Error('CoreDNS is not running')
    return this.#child.pid
  }

  get lines(): readonly string[] {
    return this.#child?.lines ?? []
  }

  async startAgain(): Promise<void> {
    const path = corednsPath(this.#options.version)
    if (path === undefined) throw new Error('no CoreDNS binary')
    this.#directory ??= await mkdtemp(join(tmpdir(), 'neardns-coredns-'))
    const corefile = join(this.#directory, 'Corefile')
    await writeFile(corefile, this.#options.corefile)
    this.#child = new Child(path, ['-conf', corefile], { netns: this.#options.netns })
    await this.#child.line((line) => line.startsWith('CoreDNS-'), 30_000)
  }

  /** SIGKILL: the kernel closes its sockets, queries in flight get no answer. */
  async kill(): Promise<void> {
    await this.#child?.stop('SIGKILL')
  }

  /** Stops serving without ending: what a hung process looks like. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  async stop(): Promise<void> {
    await this.#child?.stop('SIGKILL')
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true })
    this.#directory = undefined
  }

  /**
   * Far ends (`address:port` as the kernel writes them) of connections to `port`: those open now, or with `ended`
   * also those whose end the kernel still remembers (a minute, unless they were reset).
   */
  connectionsTo(port: number, { ended = false } = {}): Set<string> {
    const rows = tcpTable(this.pid).filter(
      (row) => row.state === established || (ended && row.state !== listening),
    )
    const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
    const served = rows.filter((row) => row.local.endsWith(suffix)).map((row) => row.remote)
    // On one machine the side that closed first keeps the memory, and that may be the client's.
    const asked = rows.filter((row) => row.remote.endsWith(suffix)).map((row) => row.local)
    return new Set([...served, ...asked])
  }
}

/** Queries that CoreDNS has counted, by transport; read from its `prometheus` plugin. */
export async function queriesSeen(metricsUrl: string): Promise<{ udp: number; tcp: number }> {
  const response = await fetch(`${metricsUrl}/metrics`)
  const text = await response.text()
  const seen = { udp: 0, tcp: 0 }
  for (const line of text.split('\n')) {
    const protocol = /^coredns_dns_requests_total\{.*proto="(udp|tcp)".*\} /.exec(line)?.[1]
    const count = Number(line.slice(line.lastIndexOf(' ')))
    if (protocol === 'udp' || protocol === 'tcp') seen[protocol] += count
  }
  return seen
}

/** Waits until the `ready` plugin at `readyUrl` says that all plugins are. */
export async function untilReady(readyUrl: string, timeoutMs = 30_000): Promise<void> {
  const probe = async () => {
    try {
      const response = await fetch(`${readyUrl}/ready`)
      await response.text()
      return response.status === 200
    } catch {
      return false
    }
  }
  await until(`CoreDNS ready at ${readyUrl}`, probe, { timeoutMs })
}

/** As in the kernel's include/net/tcp_states.h. */
const established = 1
const listening = 10

interface TcpRow {
  readonly local: string
  readonly remote: string
  readonly state: number
}

/** The TCP table of the network namespace that `pid` lives in. */
function tcpTable(pid: number): TcpRow[] {
  const text = ['tcp', 'tcp6']
    .map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'latin1'))
    .join('\n')
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => /^\d+:$/.test(columns[0] ?? ''))
    .map(([, local = '', remote = '', state = '']) => ({
      local,
      remote,
      state: Number.parseInt(state, 16),
    }))
}
