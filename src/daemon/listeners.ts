/**
 * The sockets that clients talk to: opens them, follows a changed list of addresses, drains and closes them. An address
 * keeps its index for the life of the process, because counters are kept by it.
 */
import type { Endpoint } from '../config/address.ts'
import type { TcpSettings, UdpSettings } from '../config/schema.ts'
import type { QueryHandler } from '../core/ports.ts'
import { addressText, type ListenAddress } from '../net/bind.ts'
import { type BoundPair, bindBoth } from '../net/bind-pair.ts'
import { TcpConnections } from '../net/tcp-connections.ts'
import { TcpListener } from '../net/tcp-listener.ts'
import type { UdpIo } from '../net/udp-io.ts'

export interface ListenerSettings {
  readonly udp: UdpSettings
  readonly tcp: TcpSettings
}

interface Opened extends BoundPair {
  readonly wanted: string
  readonly serverIndex: number
}

export class Listeners {
  /** Addresses by index, those that were closed since included; `IP:port` with the real port. */
  readonly servers: string[] = []
  /** How datagrams are read and written. */
  readonly io: UdpIo
  private readonly handler: QueryHandler
  private readonly settings: ListenerSettings
  private readonly connections: TcpConnections
  private readonly onDefect: (error: unknown) => void
  private open: Opened[] = []

  constructor(
    handler: QueryHandler,
    settings: ListenerSettings,
    io: UdpIo,
    onDefect: (error: unknown) => void,
  ) {
    this.handler = handler
    this.settings = settings
    this.io = io
    this.connections = new TcpConnections(settings.tcp)
    this.onDefect = onDefect
  }

  /** Present addresses, with their real ports. */
  get addresses(): ListenAddress[] {
    return this.open.map(({ udp }) => udp.address)
  }

  get pairs(): readonly BoundPair[] {
    return this.open
  }

  /**
   * Opens what is wanted and not open. What is open and not wanted any more is closed afterwards, by `closeOthers`.
   * @throws BindError; then everything this call opened is closed again
   */
  async openMissing(wanted: readonly Endpoint[]): Promise<void> {
    const opened: Opened[] = []
    try {
      for (const address of wanted) {
        const text = addressText(address)
        if (this.open.some((one) => one.wanted === text)) continue
        opened.push(await this.openOne(address))
      }
    } catch (error) {
      await Promise.all(opened.map((one) => closePair(one, 0)))
      throw error
    }
    this.open.push(...opened)
  }

  async closeOthers(wanted: readonly Endpoint[], drainMs: number): Promise<void> {
    const texts = new Set(wanted.map(addressText))
    const unwanted = this.open.filter((one) => !texts.has(one.wanted))
    this.open = this.open.filter((one) => texts.has(one.wanted))
    await Promise.all(unwanted.map((one) => closePair(one, drainMs)))
  }

  /** No new queries and no new connections; those that wait can still be answered. */
  stopReceiving(): void {
    for (const { udp, tcp } of this.open) {
      udp.stopReceiving()
      tcp.stopAccepting()
    }
  }

  async close(drainMs: number): Promise<void> {
    await Promise.all(this.open.map((one) => closePair(one, drainMs)))
    this.open = []
  }

  private async openOne(address: Endpoint): Promise<Opened> {
    const { onDefect, settings, connections } = this
    const serverIndex = this.servers.length
    const common = { serverIndex, onDefect }
    const pair = await bindBoth(this.handler, address, {
      tcp: (at) => new TcpListener({ ...common, address: at, settings: settings.tcp, connections }),
      udp: (at) => this.io.open({ ...common, address: at, settings: settings.udp }),
    })
    this.servers.push(addressText(pair.udp.address))
    return { ...pair, wanted: addressText(address), serverIndex }
  }
}

async function closePair({ udp, tcp }: BoundPair, drainMs: number): Promise<void> {
  udp.stopReceiving()
  await tcp.stop(drainMs)
  await udp.stop()
}
