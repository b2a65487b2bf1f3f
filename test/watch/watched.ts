/**
 * A neardns that a Prometheus of the tests scrapes: the real daemon on free ports of loopback, with a configuration file that can
 * be written anew, started again on the same ports, stopped and continued. Breaks nothing by itself.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Server, UdpClient } from '../support/client/dns-client.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { freePort } from '../support/free-port.ts'
import { Neardns } from '../support/neardns.ts'
import type { Target } from './prometheus.ts'

export type Settings = Readonly<Record<string, object>>

export class Watched {
  readonly name: string
  readonly server: Server
  readonly adminAddress: string
  readonly #directory: string
  #neardns: Neardns | undefined

  private constructor(name: string, ports: { dns: number; admin: number }, directory: string) {
    this.name = name
    this.server = { host: '127.0.0.1', port: ports.dns }
    this.adminAddress = `127.0.0.1:${ports.admin}`
    this.#directory = directory
  }

  /** A place for a daemon: ports and a directory. Nothing runs yet. */
  static async prepare(name: string): Promise<Watched> {
    const ports = { dns: await freePort(), admin: await freePort() }
    return new Watched(name, ports, await mkdtemp(join(tmpdir(), 'neardns-watch-')))
  }

  static async start(name: string, settings: Settings): Promise<Watched> {
    const watched = await Watched.prepare(name)
    await watched.configure(settings)
    await watched.run()
    return watched
  }

  /** What service discovery attaches in a cluster; see servicemonitor.yaml. */
  get target(): Target {
    return { address: this.adminAddress, labels: targetLabels(this.name) }
  }

  get pid(): number {
    if (this.#neardns === undefined) throw new Error(`${this.name} does not run`)
    return this.#neardns.pid
  }

  async configure(settings: Settings): Promise<void> {
    const { host, port } = this.server
    const whole = {
      listen: [`${host}:${port}`],
      admin: { listen: this.adminAddress },
      ...settings,
    }
    await this.writeConfig(JSON.stringify(whole))
  }

  /** As it is, right or wrong. */
  async writeConfig(text: string): Promise<void> {
    await writeFile(this.#config, text)
  }

  async run(): Promise<void> {
    const args = [`--config=${this.#config}`]
    this.#neardns = await Neardns.start({ args, readyTimeoutMs: 60_000 })
  }

  async kill(): Promise<void> {
    await this.#neardns?.child.stop('SIGKILL')
  }

  /** Holds the whole process for a while. */
  async freeze(forMs: number, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    process.kill(this.pid, 'SIGSTOP')
    try {
      await meanwhile()
      await new Promise((resolve) => setTimeout(resolve, forMs))
    } finally {
      process.kill(this.pid, 'SIGCONT')
    }
  }

  async stop(): Promise<void> {
    await this.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }

  get #config(): string {
    return join(this.#directory, 'neardns.yaml')
  }
}

export function targetLabels(name: string): Readonly<Record<string, string>> {
  return {
    job: 'neardns',
    k8s_app: 'node-local-dns',
    namespace: 'kube-system',
    node: name,
    instance: name,
    pod: `neardns-${name}`,
  }
}

/** Asks at a steady rate until it is stopped, and looks at no reply. */
export class Asker {
  readonly #client: UdpClient
  readonly #timer: NodeJS.Timeout
  #sent = 0

  private constructor(client: UdpClient, perSecond: number, nameOf: (n: number) => string) {
    this.#client = client
    this.#timer = setInterval(() => this.#send(nameOf(this.#sent)), 1000 / perSecond)
  }

  /** @param nameOf the name of the n-th question */
  static async start(
    server: Server,
    perSecond: number,
    nameOf: (n: number) => string,
  ): Promise<Asker> {
    return new Asker(await UdpClient.open(server), perSecond, nameOf)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#client.close()
  }

  #send(name: string): void {
    this.#sent += 1
    this.#client.send(writeQuery(name, 'A', { id: this.#sent & 0xffff }))
  }
}
