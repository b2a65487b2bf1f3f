/**
 * Admission of client connections: the caps over all TCP listeners together, and which connection to close to make room. Never
 * touches a socket itself.
 *
 * When a cap is reached, the connection that has been idle longest is closed, and one that never sent a query before all others,
 * so that a flood of silent connections displaces itself first; a client that has more than an equal part loses its own. When every
 * connection has a query in flight, the client with the most gives one to a newcomer that has at least two less, so that a few
 * clients whose names are slow cannot shut out the others; else the newcomer is refused.
 */

import { Shares } from '../core/sharing/shares.ts'
import type { TcpConnectionCaps } from './tcp-settings.ts'

/** A connection as this table sees it. */
export interface Evictable {
  /** Source address. */
  readonly client: string
  /** Whether it has sent a query yet. */
  readonly hasAsked: boolean
  /** Closes the connection at once. Must call `TcpConnections.leave`. */
  evict(): void
}

export type Admission = 'admitted' | 'full' | 'client-full'

/** Memory for unfinished messages that each connection always gets. */
const heldBytesFree = 4096

/** The table that all TCP listeners of the daemon share. */
export class TcpConnections {
  /** Bytes of replies that clients have not taken. */
  readonly unsent: Shares
  private readonly caps: TcpConnectionCaps
  private readonly perClient = new Map<string, number>()
  /** Members in the order in which they became idle: a Set iterates in insertion order. */
  private readonly silent = new Set<Evictable>()
  private readonly idle = new Set<Evictable>()
  /** Members with a query in flight, in the order in which they became busy. */
  private readonly busy = new Set<Evictable>()
  private openCount = 0
  private heldBytesTotal = 0

  constructor(caps: TcpConnectionCaps) {
    this.caps = caps
    this.unsent = new Shares(caps.unsentBytesMax)
  }

  get open(): number {
    return this.openCount
  }

  /** Makes room for one more connection of `client`; after 'admitted' the caller calls `join`. */
  makeRoom(client: string): Admission {
    const { connectionsMax, connectionsPerClientMax } = this.caps
    if ((this.perClient.get(client) ?? 0) >= connectionsPerClientMax) {
      const own = firstOf(this.silent, client) ?? firstOf(this.idle, client)
      if (own === undefined) return 'client-full'
      own.evict()
    }
    if (this.openCount >= connectionsMax) {
      const victim = this.victimFor(client)
      if (victim === undefined) return 'full'
      victim.evict()
    }
    return 'admitted'
  }

  private victimFor(client: string): Evictable | undefined {
    const own = this.perClient.get(client) ?? 0
    const isGreedy = own > 1 && own * this.perClient.size >= this.caps.connectionsMax
    return (
      firstOf(this.silent) ??
      (isGreedy ? firstOf(this.idle, client) : undefined) ??
      firstOf(this.idle) ??
      this.busyOfGreediest(own)
    )
  }

  private busyOfGreediest(own: number): Evictable | undefined {
    let greediest: string | undefined
    let most = own + 1
    for (const [client, count] of this.perClient) {
      if (count <= most) continue
      greediest = client
      most = count
    }
    return greediest === undefined ? undefined : firstOf(this.busy, greediest)
  }

  join(member: Evictable): void {
    this.openCount += 1
    this.perClient.set(member.client, (this.perClient.get(member.client) ?? 0) + 1)
    this.silent.add(member)
  }

  /** Call once for each `join`. */
  leave(member: Evictable): void {
    this.openCount -= 1
    this.silent.delete(member)
    this.idle.delete(member)
    this.busy.delete(member)
    const left = (this.perClient.get(member.client) ?? 1) - 1
    if (left > 0) this.perClient.set(member.client, left)
    else this.perClient.delete(member.client)
  }

  /** No query of this connection is in flight: it may be evicted from now on, after those that became idle earlier. */
  markIdle(member: Evictable): void {
    this.idle.delete(member)
    this.busy.delete(member)
    if (!member.hasAsked) return
    this.silent.delete(member)
    this.idle.add(member)
  }

  markBusy(member: Evictable): void {
    this.silent.delete(member)
    this.idle.delete(member)
    this.busy.add(member)
  }

  /**
   * Accounts for the buffer of an unfinished message, which may be 64 KiB per connection.
   * @param change bytes more (or less) than this connection had before
   * @param now bytes that it has after the change
   * @returns false when that is more than a usual query needs and all connections together hold too much
   */
  holdBytes(change: number, now: number): boolean {
    this.heldBytesTotal += change
    return now <= heldBytesFree || this.heldBytesTotal <= this.caps.connectionsMax * heldBytesFree
  }
}

function firstOf(members: Set<Evictable>, client?: string): Evictable | undefined {
  for (const member of members) {
    if (client === undefined || member.client === client) return member
  }
  return undefined
}
