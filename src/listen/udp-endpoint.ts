/**
 * The small interface between the daemon and a UDP socket. Every implementation passes the suite in
 * test/contract/udp-endpoint.ts. One endpoint is one socket on one address, so that a reply leaves from the
 * address that was asked.
 */
import type { QueryHandler } from '../core/ports.ts'
import type { ListenAddress } from '../system/bind.ts'

export interface UdpSettings {
  /** Asked of the kernel, which caps it at net.core.rmem_max. Its default holds 256 small queries. */
  readonly receiveBufferBytes: number
  /** Replies that wait because the kernel's send buffer is full; above it a reply is dropped. */
  readonly sendQueueMax: number
}

/** Counts since the endpoint was made. Plain numbers, read when metrics are collected. */
export interface UdpStats {
  /** Datagrams given to the handler. */
  readonly received: number
  /** Replies that the kernel took. */
  readonly sent: number
  /** Replies that the kernel refused, by errno name. */
  readonly sendErrors: ReadonlyMap<string, number>
  /** Replies dropped because `sendQueueMax` were waiting. */
  readonly queueDrops: number
  /** Replies not sent because the peer's port was 0 or the endpoint was stopped. */
  readonly unsendable: number
  /** Datagrams read and thrown away after `stopReceiving`. */
  readonly ignored: number
  /** Exceptions out of `QueryHandler.handle`; each is a bug, and cost one reply. */
  readonly handlerDefects: number
  /** Errors of the socket itself, by errno name. */
  readonly socketErrors: ReadonlyMap<string, number>
  /** Receive buffer that the kernel granted, in the unit of the setting; 0 before `start`. */
  readonly receiveBufferBytes: number
}

export interface UdpEndpoint {
  /**
   * Binds and begins to hand datagrams to `handler`. To be called once.
   * @throws BindError when the address cannot be bound; the socket is closed then
   */
  start(handler: QueryHandler): Promise<void>
  /** No datagram reaches the handler any more; replies that it held can still be sent. */
  stopReceiving(): void
  /** Leaves datagrams in the kernel, for whoever else has the socket; replies that are held can still be sent. */
  pauseReceiving(): void
  resumeReceiving(): void
  /** Closes the socket. Replies sent later go nowhere. May be called twice, or before `start`. */
  stop(): Promise<void>
  /** Where it listens; the port is the real one once `start` is done. */
  readonly address: ListenAddress
  readonly stats: UdpStats
}

export interface UdpEndpointOptions {
  readonly address: ListenAddress
  /** Index of the address among all that we listen on; `Peer.serverIndex`. */
  readonly serverIndex: number
  readonly settings: UdpSettings
  /** A descriptor of a socket that is bound to the address already; the endpoint closes it. */
  readonly fd?: number
  /** Told of each exception out of the handler, after it was counted. Must not throw. */
  readonly onDefect?: (error: unknown) => void
}
