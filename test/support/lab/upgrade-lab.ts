/**
 * A daemon that is replaced again and again while clients ask it, with a scripted upstream that counts what reaches it: every answer that was
 * cached before and is asked for again is an answer that a hand-over has lost.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FakeQuery, FakeUpstream } from '../../upstream/fake-upstream.ts'
import { lookup, type Server } from '../client/dns-client.ts'
import type { LoadQuery } from '../client/load.ts'
import { freePort } from '../free-port.ts'
import { Neardns } from '../neardns.ts'

const hotNames = 500
/** A question that is in flight when the process is replaced. */
const missDelayMs = 20

export interface UpgradeOptions {
  /** No hand-over at all. */
  readonly none?: boolean
  /** A process that was followed waits. */
  readonly wait?: boolean
  /** Settings beside these. */
  readonly settings?: Readonly<Record<string, object | string | number>>
}

export class UpgradeLab {
  readonly server: Server
  adminPort: number
  readonly upstream: FakeUpstream
  /** The process that serves. */
  serving: Neardns
  readonly #folder: string
  readonly #config: string
  readonly #settings: object
  readonly #options: UpgradeOptions

  private constructor(parts: {
    server: Server
    adminPort: number
    upstream: FakeUpstream
    serving: Neardns
    folder: string
    config: string
    settings: object
    options: UpgradeOptions
  }) {
    this.#options = parts.options
    this.server = parts.server
    this.adminPort = parts.adminPort
    this.upstream = parts.upstream
    this.serving = parts.serving
    this.#folder = parts.folder
    this.#config = parts.config
    this.#settings = parts.settings
  }

  static async open(options: UpgradeOptions = {}): Promise<UpgradeLab> {
    const folder = mkdtempSync(join(tmpdir(), 'neardns-upgrade-'))
    const upstream = await FakeUpstream.start(answer)
    const port = await freePort()
    const adminPort = await freePort()
    const config = join(folder, 'neardns.yaml')
    const whole = {
      listen: [`127.0.0.1:${port}`],
      admin: { listen: `127.0.0.1:${adminPort}` },
      external: {
        upstreams: [`127.0.0.1:${upstream.port}`],
        ttl: { positiveMaxSeconds: 3600 },
      },
      handover: options.none
        ? {}
        : {
            socket: `@neardns-${process.pid}-${port}`,
            afterwards: options.wait ? 'wait' : 'exit',
          },
      ...options.settings,
    }
    writeFileSync(config, JSON.stringify(whole))
    const serving = await startWhole(config, options)
    const server = { host: '127.0.0.1', port }
    const settings = whole
    return new UpgradeLab({
      server,
      adminPort,
      upstream,
      serving,
      folder,
      config,
      settings,
      options,
    })
  }

  /** Writes the configuration anew; nobody is told. */
  write(changed: object): void {
    writeFileSync(this.#config, JSON.stringify({ ...this.#settings, ...changed }))
  }

  /** Writes it and waits for the line that says what became of it. Without a signal it is seen within two seconds. */
  async reconfigure(changed: object, { bySignal = true } = {}): Promise<string> {
    const { child } = this.serving
    const from = child.lines.length
    this.write(changed)
    if (bySignal) child.process.kill('SIGHUP')
    const isVerdict = (line: string) =>
      line.includes('configuration applied') || line.includes('the old one stays')
    return child.line(isVerdict, 10_000, from)
  }

  /** Name of the socket in the abstract namespace. */
  get meetingPoint(): string {
    return `neardns-${process.pid}-${this.server.port}`
  }

  /** Questions that are cached once `warm` is done. */
  get hot(): readonly LoadQuery[] {
    return Array.from({ length: hotNames }, (_, i) => {
      const name = `hot-${i}.example`
      return { name, type: 'A', group: 'hit', rcode: 0, data: addressOf(name) }
    })
  }

  miss(number: number): LoadQuery {
    const name = `miss-${number}.example`
    return { name, type: 'A', group: 'miss', rcode: 0, data: addressOf(name) }
  }

  /** @param missEvery one question in so many is a new one */
  queries(count: number, missEvery: number): LoadQuery[] {
    const { hot } = this
    return Array.from({ length: count }, (_, i) =>
      i % missEvery === 0 ? this.miss(i) : (hot[i % hot.length] as LoadQuery),
    )
  }

  async warm(): Promise<void> {
    for (const { name } of this.hot) await lookup(this.server, name, 'A')
    this.upstream.queries.length = 0
  }

  /** Questions about the cached names that have reached the upstream since `warm`. */
  get hotAskedAgain(): number {
    return this.upstream.queries.filter(({ qname }) => qname.startsWith('hot-')).length
  }

  /** Starts the next process, and waits until it serves and the one before has ended well. */
  async upgrade(): Promise<void> {
    const before = await this.follow()
    const exit = await before.child.exited
    if (exit.code !== 0) {
      throw new Error(
        `the process before ended with ${exit.code ?? exit.signal}: ${before.child.tail()}`,
      )
    }
  }

  /** Starts the next process, and waits until it serves. @returns the one before, which may go or wait */
  async follow(): Promise<Neardns> {
    const before = this.serving
    this.serving = await startWhole(this.#config, this.#options)
    return before
  }

  /** Starts a process like the one that serves, and waits for nothing. */
  spawn(): Neardns {
    return Neardns.spawn({ args: ['--config', this.#config] })
  }

  async close(): Promise<void> {
    if (this.serving.child.running) await this.serving.stop()
    await this.upstream.stop()
    rmSync(this.#folder, { recursive: true })
  }
}

/** With several processes the first to be ready is not all of them. */
async function startWhole(config: string, { settings }: UpgradeOptions): Promise<Neardns> {
  const neardns = await Neardns.start({ args: ['--config', config], readyTimeoutMs: 30_000 })
  const isSupervised = settings !== undefined && ('workers' in settings || 'supervisor' in settings)
  if (isSupervised) await neardns.child.line((line) => line.includes('all workers'), 20_000)
  return neardns
}

function answer(query: FakeQuery): void {
  const reply = () => query.answer({ address: addressOf(query.qname), ttl: 3600 })
  if (query.qname.startsWith('miss-')) query.after(missDelayMs, reply)
  else reply()
}

/** Each name has its own, so that an answer to another question is seen to be wrong. */
function addressOf(name: string): string {
  const number = Number(/\d+/.exec(name)?.[0] ?? 0)
  return `10.${(number >> 16) & 0xff}.${(number >> 8) & 0xff}.${number & 0xff}`
}
