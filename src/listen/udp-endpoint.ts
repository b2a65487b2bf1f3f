/**
 * The small interface between the daemon and a UDP socket. Every implementation passes the suite in
 * test/contract/udp-endpoint.ts. One endpoint is one socket on one address, so that a reply leaves from the queried address.
 */
import type { QueryHandler } from '../core/ports.ts'
import type { ListenAddress } from '../system/bind.ts'

export interface UdpSettings {
  /** Requested from the kernel, which caps it at net.core.rmem_max. Its default holds 256 small queries. */
  readonly receiveBufferBytes: number
  /** Replies that wait because the kernel's send buffer is full; further replies are dropped. */
  readonly sendQueueMax: number
}

/** Counts since the endpoint was made. Plain numbers, read when metrics are collected. */
export interface UdpStats {
  /** Datagrams passed to the handler. */
  readonly received: number
  /** Replies that the kernel accepted. */
  readonly sent: number
  /** Replies that the kernel refused, by errno name. */
  readonly sendErrors: ReadonlyMap<string, number>
  /** Replies dropped because `sendQueueMax` were waiting. */
  readonly queueDrops: number
  /** Replies not sent because the peer's port was 0 or the endpoint was stopped. */
  readonly unsendable: number
  /** Datagrams read and discarded after `stopReceiving`. */
  readonly ignored: number
  /** Exceptions from `QueryHandler.handle`; each is a bug, and cost one reply. */
  readonly handlerDefects: number
  /** Errors of the socket itself, by errno name. */
  readonly socketErrors: ReadonlyMap<string, number>
  /** Receive buffer that the kernel granted, in the unit of the setting; 0 before `start`. */
  readonly receiveBufferBytes: number
}

export interface UdpEndpoint {
  /**
   * Binds, and passes datagrams to `handler` from now on. Call once.
   * @throws BindError when the address cannot be bound, or replies could leave from another address than the one that was asked; then the socket is closed
   */
  start(handler: QueryHandler): Promise<void>
  /** No more datagrams reach the handler; replies that it still owes can be sent. */
  stopReceiving(): void
  /** Leaves datagrams in the kernel, for another process that has the socket; replies still owed can be sent. */
  pauseReceiving(): void
  resumeReceiving(): void
  /** Closes the socket. Later replies are lost. May be called twice, or before `start`. */
  stop(): Promise<void>
  /** The listening address; its port is the real one after `start`. */
  readonly address: ListenAddress
  readonly stats: UdpStats
}

export interface UdpEndpointOptions {
  readonly address: ListenAddress
  /** Index of the address among all listening addresses; `Peer.serverIndex`. */
  readonly serverIndex: number
  readonly settings: UdpSettings
  /** A descriptor of a socket that is already bound to the address; the endpoint closes it. */
  readonly fd?: number
  /** Other sockets of this user that do the same may have the address as well: the kernel divides the clients among them. */
  readonly isShared?: boolean
  /** Called for each exception from the handler, after it was counted. Must not throw. */
  readonly onDefect?: (error: unknown) => void
}
