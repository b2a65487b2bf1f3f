/**
 * Who may hold connections to the admin server: each client address its share, the node itself a reserve of its own. Silent connections,
 * which wait for a request, make room for new ones; a connection with a request in hand never does. Closes sockets, reads from none.
 */
import type { Socket } from 'node:net'

export interface ConnectionBounds {
  /** Of all other hosts together. */
  readonly remoteMax: number
  /** Of one address of them. */
  readonly perAddressMax: number
  /** Of this node: the kubelet's probes come from here. */
  readonly localMax: number
  /** Requests in hand of one connection. */
  readonly requestsMax: number
}

interface Held {
  readonly socket: Socket
  readonly address: string
  readonly isLocal: boolean
  hasAsked: boolean
  /** Requests in hand; a client may send several at once. */
  requests: number
}

export class ConnectionGuard {
  private readonly bounds: ConnectionBounds
  /** The one that has been silent for longest comes first. */
  private readonly held = new Map<Socket, Held>()

  constructor(bounds: ConnectionBounds) {
    this.bounds = bounds
  }

  get size(): number {
    return this.held.size
  }

  /** A new connection: destroyed at once when nobody can make room for it. */
  admit(socket: Socket): void {
    const { remoteAddress: address = '', localAddress } = socket
    const isLocal = address === localAddress || isLoopback(address)
    if (!this.hasRoom(address, isLocal)) {
      socket.destroy()
      return
    }
    this.held.set(socket, { socket, address, isLocal, hasAsked: false, requests: 0 })
    socket.once('close', () => this.held.delete(socket))
  }

  /**
   * A request has come. A connection that has too many in hand is destroyed.
   * @returns whether the request may be answered; call `idle` only then
   */
  busy(socket: Socket): boolean {
    const one = this.held.get(socket)
    if (one === undefined || socket.destroyed) return false
    if (one.requests >= this.bounds.requestsMax) {
      socket.destroy()
      return false
    }
    one.hasAsked = true
    one.requests += 1
    return true
  }

  /** The request has been answered. */
  idle(socket: Socket): void {
    const one = this.held.get(socket)
    if (one === undefined) return
    one.requests -= 1
    this.held.delete(socket)
    this.held.set(socket, one)
  }

  private hasRoom(address: string, isLocal: boolean): boolean {
    const { remoteMax, perAddressMax, localMax } = this.bounds
    const all = [...this.held.values()].filter((one) => one.isLocal === isLocal)
    if (isLocal) return all.length < localMax || this.evict(all)
    const own = all.filter((one) => one.address === address)
    if (own.length >= perAddressMax) return this.evict(own)
    return all.length < remoteMax || this.evict(all)
  }

  /** Those that never asked anything go first, then those that wait for their next request. @returns whether there was one */
  private evict(candidates: readonly Held[]): boolean {
    const silent = candidates.filter(({ requests }) => requests === 0)
    const victim = silent.find(({ hasAsked }) => !hasAsked) ?? silent[0]
    if (victim === undefined) return false
    this.held.delete(victim.socket)
    victim.socket.destroy()
    return true
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || address === '127.0.0.1' || address === '::ffff:127.0.0.1'
}
