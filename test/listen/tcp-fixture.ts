/** A TCP listener with a scripted handler behind it, and clients that are closed with it. */
import { connect, type Socket } from 'node:net'
import { TcpConnections } from '../../src/listen/tcp-connections.ts'
import { TcpListener } from '../../src/listen/tcp-listener.ts'
import type { TcpSettings } from '../../src/listen/tcp-settings.ts'
import type { ListenAddress } from '../../src/system/bind.ts'
import { TcpClient } from '../support/client/dns-client.ts'
import { ScriptedHandler, v4 } from './scripted-handler.ts'

/** Long times, so that only what a test shortens can happen. */
export const calm: TcpSettings = {
  connectionsMax: 100,
  connectionsPerClientMax: 100,
  unsentBytesMax: 16_777_216,
  idleMs: 30_000,
  messageMs: 30_000,
  pipelineMax: 100,
  writeQueueBytesMax: 65_536,
  writeStallMs: 30_000,
  lifetimeMs: 300_000,
  malformedMax: 1000,
}

export class TcpFixture {
  readonly handler = new ScriptedHandler()
  readonly defects: unknown[] = []
  readonly connections: TcpConnections
  readonly listener: TcpListener
  private readonly clients: TcpClient[] = []
  private readonly silent: Socket[] = []

  private constructor(settings: TcpSettings, address: ListenAddress) {
    this.connections = new TcpConnections(settings)
    this.listener = new TcpListener({
      address,
      serverIndex: 2,
      settings,
      connections: this.connections,
      onDefect: (error) => this.defects.push(error),
    })
  }

  /** Runs `body` and closes everything, whatever happens in it. */
  static async run(
    body: (fixture: TcpFixture) => Promise<void>,
    settings: Partial<TcpSettings> = {},
    address: ListenAddress = v4,
  ): Promise<void> {
    const fixture = new TcpFixture({ ...calm, ...settings }, address)
    await fixture.listener.start(fixture.handler)
    try {
      await body(fixture)
    } finally {
      for (const client of fixture.clients) await client.close()
      for (const socket of fixture.silent) socket.destroy()
      await fixture.listener.stop(0)
    }
  }

  get stats(): TcpListener['stats'] {
    return this.listener.stats
  }

  async client(): Promise<TcpClient> {
    const { address: host, port } = this.listener.address
    const client = await TcpClient.open({ host, port })
    this.clients.push(client)
    return client
  }

  /** A connection that is written to and never read. */
  async deafClient(): Promise<Socket> {
    const { address: host, port } = this.listener.address
    const socket = connect({ host, port, noDelay: true })
    socket.on('error', () => undefined)
    this.silent.push(socket)
    await new Promise((resolve) => socket.once('connect', resolve))
    return socket
  }
}
