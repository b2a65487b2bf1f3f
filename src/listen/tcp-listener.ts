/**
 * TCP service on one address (RFC 7766): accepts connections within the caps, checks their time limits with one timer, stops in
 * order. The handling of one connection is in tcp-session.ts.
 */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import type { QueryHandler } from '../core/ports.ts'
import { BindError, countCode, errorCode, type ListenAddress } from '../system/bind.ts'
import { messageBytesMax } from '../wire/constants.ts'
import type { TcpConnections } from './tcp-connections.ts'
import { ReplyBatch } from './tcp-reply-batch.ts'
import { type SessionContext, TcpSession } from './tcp-session.ts'
import type { TcpSessionSettings } from './tcp-settings.ts'
import { TcpCounts, type TcpStats } from './tcp-stats.ts'

export interface TcpListenerOptions {
  readonly address: ListenAddress
  /** Index of the address among all listening addresses; `Peer.serverIndex`. */
  readonly serverIndex: number
  readonly settings: TcpSessionSettings
  /** One table for all listeners. */
  readonly connections: TcpConnections
  /** A descriptor of a socket that already listens on the address; the listener closes it. */
  readonly fd?: number
  /** Other sockets of this user that do the same may have the address as well: the kernel divides the clients among them. */
  readonly isShared?: boolean
  /** Called for each exception from the handler, after it was counted. Must not throw. */
  readonly onDefect?: (error: unknown) => void
}

/** A time limit is overrun by a quarter of this at most... */
const sweepsPerLimit = 4
/** ...and by no more than this, which also bounds how often an idle machine wakes up. */
const sweepEveryMsMax = 250
const sweepEveryMsMin = 10

/**
 * Size of a stream's own buffers. Small, because a client that does not read (or whose queries we do not read) fills one per
 * direction; above it `write` reports a full queue and reading stops.
 */
const streamBufferBytes = 1024

export class TcpListener {
  readonly stats: TcpStats
  private readonly options: TcpListenerOptions
  private readonly counts = new TcpCounts()
  private readonly sessions = new Set<TcpSession>()
  private boundAddress: ListenAddress
  private server: Server | undefined
  private closed: Promise<void> = Promise.resolve()
  private sweeper: NodeJS.Timeout | undefined
  private context: SessionContext | undefined
  private accepting = false

  constructor(options: TcpListenerOptions) {
    this.options = options
    this.boundAddress = options.address
    this.stats = this.counts
  }

  /** The listening address; its port is the real one after `start`. */
  get address(): ListenAddress {
    return this.boundAddress
  }

  /** Idle timeout that the edns-tcp-keepalive option may promise (RFC 7828 3.2.2). */
  get idleMs(): number {
    return this.options.settings.idleMs
  }

  /**
   * Binds, and passes messages to `handler` from now on. Call once.
   * @throws BindError when the address cannot be bound
   */
  async start(handler: QueryHandler): Promise<void> {
    const { address, fd, isShared = false } = this.options
    this.context = this.contextFor(handler)
    const server = createServer(
      // allowHalfOpen: a client may close its side after its last query and still wait for the answers.
      { allowHalfOpen: true, noDelay: true, highWaterMark: streamBufferBytes },
      this.onConnection,
    )
    try {
      await listening(server, fd === undefined ? bindTo(address, isShared) : { fd })
    } catch (error) {
      throw new BindError('tcp', address, error)
    }
    // Includes EMFILE: libuv then closes the connections in the backlog, so it neither spins nor stays full.
    server.on('error', (error) => countCode(this.counts.acceptErrors, errorCode(error)))
    this.server = server
    this.closed = new Promise((resolve) => server.once('close', resolve))
    this.accepting = true
    const bound = server.address()
    const port = bound !== null && typeof bound === 'object' ? bound.port : address.port
    this.boundAddress = { ...address, port }
  }

  /** Closes the listening socket; connections go on. May be called twice, or before `start`. */
  stopAccepting(): void {
    if (!this.accepting) return
    this.accepting = false
    this.server?.close()
  }

  /** Serves a connection that another process has accepted. */
  adopt(socket: Socket): void {
    this.onConnection(socket)
  }

  /** Hands over the connections that hold no data here; the others may be tried again. @returns how many are left */
  handOver(give: (socket: Socket) => boolean): number {
    for (const session of this.sessions) session.handOver(give)
    return this.sessions.size
  }

  /**
   * Lets every connection answer its queries, then closes it; connections still open after `deadlineMs` are closed then. Resolves
   * when all are gone.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.stopAccepting()
    for (const session of this.sessions) session.finish('drain')
    const forced = setTimeout(this.destroyAll, deadlineMs)
    await this.closed
    clearTimeout(forced)
    // Their sockets are closed by now; this only updates the accounts.
    this.destroyAll()
  }

  private readonly destroyAll = (): void => {
    for (const session of this.sessions) session.destroy('drain')
  }

  private readonly onConnection = (socket: Socket): void => {
    const { context, counts } = this
    const client = socket.remoteAddress
    counts.accepted += 1
    if (context === undefined || client === undefined) {
      // A socket without an address is already reset.
      socket.destroy()
      return
    }
    if (!this.accepting || context.connections.makeRoom(client) !== 'admitted') {
      counts.refused += 1
      // RST: the client must not wait, and no TIME_WAIT stays behind.
      socket.on('error', ignore).resetAndDestroy()
      return
    }
    this.sessions.add(new TcpSession(socket, client, context))
    counts.open = this.sessions.size
    this.sweeper ??= setInterval(this.sweep, sweepEveryMs(this.options.settings))
  }

  private readonly sweep = (): void => {
    const nowMs = performance.now()
    for (const session of this.sessions) session.sweep(nowMs)
  }

  private contextFor(handler: QueryHandler): SessionContext {
    const { address, serverIndex, settings, connections, onDefect } = this.options
    return {
      handler,
      settings,
      connections,
      batch: new ReplyBatch(),
      counts: this.counts,
      out: Buffer.allocUnsafeSlow(messageBytesMax),
      family: address.family,
      serverIndex,
      nowMs: () => performance.now(),
      onDefect: onDefect ?? ignore,
      onGone: this.onGone,
    }
  }

  private readonly onGone = (session: TcpSession): void => {
    this.sessions.delete(session)
    this.counts.open = this.sessions.size
    if (this.sessions.size > 0) return
    clearInterval(this.sweeper)
    this.sweeper = undefined
  }
}

function ignore(): void {}

function sweepEveryMs(settings: TcpSessionSettings): number {
  const { idleMs, messageMs, writeStallMs, lifetimeMs } = settings
  const shortest = Math.min(idleMs, messageMs, writeStallMs, lifetimeMs)
  return Math.min(sweepEveryMsMax, Math.max(sweepEveryMsMin, shortest / sweepsPerLimit))
}

function bindTo({ address, port, family }: ListenAddress, isShared: boolean): ListenOptions {
  return { host: address, port, ipv6Only: family === 6, reusePort: isShared }
}

function listening(server: Server, on: ListenOptions & { readonly fd?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(on, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
