/**
 * The sockets towards clients: opens them, follows a changed list of addresses, drains and closes them. An address
 * keeps its index for the life of the process, because counters are kept by index.
 */
import type { Socket } from 'node:net'
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import type { TcpSettings, UdpSettings } from '../config/schema.ts'
import type { QueryHandler } from '../core/ports.ts'
import type { HeldSockets } from '../handover/held-sockets.ts'
import { type BoundPair, bindBoth } from '../listen/bind-pair.ts'
import { TcpConnections } from '../listen/tcp-connections.ts'
import { TcpListener } from '../listen/tcp-listener.ts'
import type { UdpEndpoint } from '../listen/udp-endpoint.ts'
import type { UdpIo } from '../listen/udp-io.ts'
import type { ListenAddress } from '../system/bind.ts'
import type { FirstSockets } from '../system/first-sockets.ts'

export interface ListenerSettings {
  readonly udp: UdpSettings
  readonly tcp: TcpSettings
  readonly sharePorts: boolean
}

export interface ListenerParts {
  readonly handler: QueryHandler
  readonly settings: ListenerSettings
  readonly io: UdpIo
  /** Holds the sockets so that they can be handed over; undefined when they never are. */
  readonly held: HeldSockets | undefined
  /** Sockets that were open before this process began. */
  readonly first?: FirstSockets | undefined
  /** Number of this worker: each worker has a socket of its own at each address. */
  readonly number: number
  readonly onDefect: (error: unknown) => void
}

interface Opened extends BoundPair {
  readonly wanted: string
  readonly serverIndex: number
}

/** After this long without a query the buffers of the sockets have been read, and new queries go elsewhere. */
const quietMs = 5
/** Queries that are not diverted, perhaps from the node itself, keep coming; the wait ends after this long. */
const quietMsMax = 200

export class Listeners {
  /** Addresses by index, closed ones included; `IP:port` with the real port. */
  readonly servers: string[] = []
  /** How datagrams are read and written. */
  readonly io: UdpIo
  private readonly handler: QueryHandler
  private readonly settings: ListenerSettings
  private readonly held: HeldSockets | undefined
  private readonly first: FirstSockets | undefined
  private readonly number: number
  /** Sockets of dead workers, by worker number. */
  private readonly adopted = new Map<number, UdpEndpoint[]>()
  private readonly connections: TcpConnections
  private readonly onDefect: (error: unknown) => void
  private open: Opened[] = []

  constructor({ handler, settings, io, held, first, number, onDefect }: ListenerParts) {
    this.handler = handler
    this.settings = settings
    this.io = io
    this.held = held
    this.first = first
    this.number = number
    this.connections = new TcpConnections(settings.tcp)
    this.onDefect = onDefect
  }

  /** Open addresses, with their real ports. */
  get addresses(): ListenAddress[] {
    return this.open.map(({ udp }) => udp.address)
  }

  get pairs(): readonly BoundPair[] {
    return this.open
  }

  /**
   * Opens the addresses that are wanted and not open. `closeOthers` then closes those that are no longer wanted.
   * @throws BindError; everything that this call opened is closed again then
   */
  async openMissing(wanted: readonly Endpoint[]): Promise<void> {
    const opened: Opened[] = []
    try {
      for (const address of wanted) {
        const text = formatEndpoint(address)
        if (this.open.some((one) => one.wanted === text)) continue
        opened.push(await this.openOne(address))
      }
    } catch (error) {
      await Promise.all(opened.map((one) => closePair(one, 0)))
      throw error
    }
    this.open.push(...opened)
    this.first?.closeRest()
  }

  async closeOthers(wanted: readonly Endpoint[], drainMs: number): Promise<void> {
    const texts = new Set(wanted.map(formatEndpoint))
    const unwanted = this.open.filter((one) => !texts.has(one.wanted))
    this.open = this.open.filter((one) => texts.has(one.wanted))
    await Promise.all(unwanted.map((one) => closePair(one, drainMs)))
  }

  /**
   * Takes no new queries and no new connections; waiting queries can still be answered.
   * @param isDiverted CoreDNS gets new queries: those in the buffers are read first
   */
  async stopReceiving(isDiverted: boolean): Promise<void> {
    this.stopAccepting()
    const endMs = performance.now() + (isDiverted ? quietMsMax : 0)
    let before = -1
    while (this.received !== before && performance.now() < endMs) {
      before = this.received
      await new Promise((resolve) => setTimeout(resolve, quietMs))
    }
    for (const { udp } of this.open) udp.stopReceiving()
  }

  private get received(): number {
    return this.open.reduce((sum, { udp }) => sum + udp.stats.received, 0)
  }

  stopAccepting(): void {
    for (const { tcp } of this.open) tcp.stopAccepting()
  }

  /** Reads the sockets of another worker, too. */
  async readAlso(number: number): Promise<void> {
    const { held, settings, onDefect, open } = this
    if (held === undefined || this.adopted.has(number)) return
    const endpoints: UdpEndpoint[] = []
    this.adopted.set(number, endpoints)
    for (const { serverIndex, wanted, udp } of open) {
      const socket = held.find('udp', wanted, number)
      if (socket === undefined) continue
      const { fd } = held.duplicate(socket)
      const endpoint = this.io.open({
        address: udp.address,
        serverIndex,
        settings: settings.udp,
        onDefect,
        fd,
      })
      endpoints.push(endpoint)
      await endpoint.start(this.handler)
    }
  }

  /** Leaves the sockets to their own worker. @param lingerMs queries that were read from them can be answered for this long */
  leave(number: number, lingerMs: number): void {
    const endpoints = this.adopted.get(number) ?? []
    this.adopted.delete(number)
    for (const endpoint of endpoints) {
      endpoint.pauseReceiving()
      const stop = () => {
        endpoint.stop().catch(this.onDefect)
      }
      setTimeout(stop, lingerMs).unref()
    }
  }

  /** Stops reading: datagrams stay in the kernel for another process. */
  pauseReceiving(): void {
    for (const { udp } of this.open) udp.pauseReceiving()
    for (const number of this.adopted.keys()) this.leave(number, 0)
  }

  resumeReceiving(): void {
    for (const { udp } of this.open) udp.resumeReceiving()
  }

  /** Serves a connection that another process accepted. @param wanted the address as configured */
  adopt(wanted: string, client: Socket): void {
    const one = this.open.find((opened) => opened.wanted === wanted)
    if (one === undefined) client.destroy()
    else one.tcp.adopt(client)
  }

  /**
   * Another process accepts connections now. Gives it the connections of clients, each once it has no unanswered query here.
   * @returns how many are left; call again for them
   */
  handOver(give: (wanted: string, client: Socket) => boolean): number {
    let left = 0
    for (const { tcp, wanted } of this.open) {
      left += tcp.handOver((client) => give(wanted, client))
    }
    return left
  }

  async close(drainMs: number): Promise<void> {
    const adopted = [...this.adopted.values()].flat()
    this.adopted.clear()
    await Promise.all([
      ...this.open.map((one) => closePair(one, drainMs)),
      ...adopted.map((endpoint) => endpoint.stop()),
    ])
    this.open = []
  }

  private async openOne(address: Endpoint): Promise<Opened> {
    const { onDefect, settings, connections } = this
    const held = this.held?.obtainBoth(address, this.number) ?? this.first?.take(address)
    const known = this.servers.indexOf(formatEndpoint(held?.tcp.address ?? address))
    const serverIndex = known < 0 ? this.servers.length : known
    const common = { serverIndex, onDefect, isShared: settings.sharePorts }
    const tcp = { ...common, settings: settings.tcp, connections, ...(held && { fd: held.tcp.fd }) }
    const udp = { ...common, settings: settings.udp, ...(held && { fd: held.udp.fd }) }
    const pair = await bindBoth(this.handler, held?.tcp.address ?? address, {
      tcp: (at) => new TcpListener({ ...tcp, address: at }),
      udp: (at) => this.io.open({ ...udp, address: at }),
    })
    this.servers[serverIndex] = formatEndpoint(pair.udp.address)
    return { ...pair, wanted: formatEndpoint(address), serverIndex }
  }
}

async function closePair({ udp, tcp }: BoundPair, drainMs: number): Promise<void> {
  udp.stopReceiving()
  await tcp.stop(drainMs)
  await udp.stop()
}
