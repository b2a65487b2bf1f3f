/**
 * The whole daemon in this process, on free ports of loopback, between scripted upstreams and the plain client of the tests.
 * Configuration goes through the same loader as a file would. Nothing is left open when a body ends.
 */
import type { Upstream } from '../../src/address/upstream-url.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { Daemon } from '../../src/daemon/daemon.ts'
import type { Log, LogFields } from '../../src/observe/log.ts'
import { octets, opt } from '../fixtures/packets/octets.ts'
import { lookup, type Server, UdpClient } from '../support/client/dns-client.ts'
import type { QueryOptions, ReadMessage, TypeName } from '../support/client/dns-message.ts'
import { readExposition } from '../support/exposition.ts'
import { type Behaviour, type FakeQuery, FakeUpstream } from '../upstream/fake-upstream.ts'

export interface HouseOptions {
  /** What the outside resolver does; answers every A question with 10.9.8.7 unless said otherwise. */
  readonly external?: Behaviour
  readonly cluster?: Behaviour
  /** How the outside resolver is asked; over UDP unless said otherwise. */
  readonly transport?: 'tcp'
  /** Settings beside the upstreams, as they would stand in the file. */
  readonly settings?: Readonly<Record<string, object>>
  /** In place of external upstreams: what resolv.conf would say. */
  readonly resolvers?: readonly Upstream[]
}

export interface LoggedLine extends Readonly<Record<string, unknown>> {
  readonly level: string
  readonly message: string
}

/** Keeps lines instead of writing them. */
class KeptLog implements Log {
  readonly lines: LoggedLine[] = []
  readonly linesLost = 0
  debug = (fields: LogFields, message: string) => this.keep('debug', fields, message)
  info = (fields: LogFields, message: string) => this.keep('info', fields, message)
  warn = (fields: LogFields, message: string) => this.keep('warn', fields, message)
  error = (fields: LogFields, message: string) => this.keep('error', fields, message)
  plain = (text: string) => this.keep('info', {}, text)

  limited(): number {
    return 0
  }

  setLevel(): void {}

  async flush(): Promise<void> {}

  flushSync(): void {}

  private keep(level: string, fields: LogFields, message: string): void {
    this.lines.push({ ...fields, level, message })
  }
}

/** A daemon with an upstream on each side. */
export class House {
  readonly daemon: Daemon
  readonly external: FakeUpstream
  readonly cluster: FakeUpstream
  private readonly log: KeptLog
  private readonly options: HouseOptions
  private admin = ''

  private constructor(options: HouseOptions, external: FakeUpstream, cluster: FakeUpstream) {
    this.options = options
    this.external = external
    this.cluster = cluster
    this.log = new KeptLog()
    this.daemon = new Daemon(this.config(), {
      log: this.log,
      facts: { version: '0', revision: '', memoryLimitBytes: 0 },
      resolvers: options.resolvers ?? [],
      localAddresses: () => ['127.0.0.1'],
    })
  }

  static async open(options: HouseOptions = {}): Promise<House> {
    const external = await FakeUpstream.start(options.external)
    const cluster = await FakeUpstream.start(options.cluster)
    try {
      const house = new House(options, external, cluster)
      house.admin = (await house.daemon.start())[0] ?? ''
      return house
    } catch (error) {
      await external.stop()
      await cluster.stop()
      throw error
    }
  }

  /** The configuration, with settings on top of those that the house was opened with. */
  config(changes: Readonly<Record<string, object>> = {}): Config {
    const { settings = {}, resolvers, transport = 'udp' } = this.options
    const address = `${transport}://127.0.0.1:${this.external.port}`
    const external = resolvers === undefined ? [address] : []
    const wanted: Record<string, object> = {
      listen: ['127.0.0.1:0'],
      admin: { listen: '127.0.0.1:0' },
      external: { upstreams: external },
      cluster: { upstreams: [`127.0.0.1:${this.cluster.port}`] },
    }
    for (const [key, value] of [...Object.entries(settings), ...Object.entries(changes)]) {
      wanted[key] = Array.isArray(value) ? value : { ...wanted[key], ...value }
    }
    const file = { name: 'test.yaml', text: JSON.stringify(wanted) }
    const loaded = loadConfig({ file, hasOrigins: true })
    if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '))
    return loaded.config
  }

  /** Where the admin pages are. */
  get pages(): string {
    return `http://${this.admin}`
  }

  get server(): Server {
    const port = Number(this.daemon.listening[0]?.split(':').at(-1))
    return { host: '127.0.0.1', port }
  }

  get lines(): readonly LoggedLine[] {
    return this.log.lines
  }

  forgetLog(): void {
    this.log.lines.length = 0
  }

  lookup(
    name: string,
    type: TypeName | number = 'A',
    options: QueryOptions & { readonly tcp?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<ReadMessage> {
    return lookup(this.server, name, type, options)
  }

  /** Names that the outside resolver was asked for, in order. */
  get asked(): string[] {
    return this.external.queries.map(({ qname }) => qname)
  }

  timesAsked(name: string): number {
    return this.asked.filter((asked) => asked === name).length
  }

  /** Sum of a counter over the series with these labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const response = await fetch(`${this.pages}/metrics`)
    const family = readExposition(await response.text()).get(name)
    if (family === undefined) throw new Error(`no metric ${name}`)
    return family.series
      .filter((series) =>
        Object.entries(labels).every(([key, value]) => series.labels.get(key) === value),
      )
      .reduce((sum, { value }) => sum + value, 0)
  }

  async close(): Promise<void> {
    await this.external.stop()
    await this.cluster.stop()
    await this.daemon.stop()
  }
}

export async function withHouse(
  options: HouseOptions,
  body: (house: House) => Promise<void>,
): Promise<void> {
  const house = await House.open(options)
  try {
    await body(house)
  } finally {
    await house.close()
  }
}

/** Sends a query that is dropped and a good one behind it: a reply to the first would come first. */
export async function isDropped(
  server: Server,
  packet: Uint8Array,
  good: Buffer,
): Promise<boolean> {
  const client = await UdpClient.open(server)
  try {
    client.send(packet)
    client.send(good)
    const reply = await client.next()
    if (reply === undefined) throw new Error('the good query was not answered')
    return reply.readUInt16BE(0) === good.readUInt16BE(0)
  } finally {
    await client.close()
  }
}

export interface Records {
  readonly rcode?: number
  readonly answers?: readonly Uint8Array[]
  readonly authorities?: readonly Uint8Array[]
  readonly additionals?: readonly Uint8Array[]
}

/** A reply to this very query, with these records and the OPT record of an ordinary resolver. */
export function replyTo(query: FakeQuery, of: Records): Buffer {
  const { rcode = 0, answers = [], authorities = [], additionals = [] } = of
  const head = Buffer.from(query.message.subarray(0, query.questionEnd))
  head[2] = 0x81
  head[3] = 0x80 | rcode
  head.writeUInt16BE(answers.length, 6)
  head.writeUInt16BE(authorities.length, 8)
  head.writeUInt16BE(additionals.length + 1, 10)
  return octets(head, answers, authorities, additionals, opt())
}

/** Answers names from a list, and any other with NXDOMAIN and the SOA of the root. */
export function zone(names: Readonly<Record<string, Records | Behaviour>>): Behaviour {
  const byName = new Map(Object.entries(names))
  return (query) => {
    const found = byName.get(query.qname)
    if (typeof found === 'function') found(query)
    else query.send(replyTo(query, found ?? { rcode: 3 }))
  }
}
