/**
 * Admission of client connections: the caps over all TCP listeners together, and which connection to close to make room. Never
 * touches a socket itself.
 *
 * When a cap is reached, the connection that has been idle longest is closed, and one that never sent a query before all others,
 * so that a flood of silent connections displaces itself first. A new connection is refused only when every connection has a
 * query in flight.
 */

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
  private readonly caps: TcpConnectionCaps
  private readonly perClient = new Map<string, number>()
  /** Members in the order in which they became idle: a Set iterates in insertion order. */
  private readonly silent = new Set<Evictable>()
  private readonly idle = new Set<Evictable>()
  private openCount = 0
  private heldBytesTotal = 0

  constructor(caps: TcpConnectionCaps) {
    this.caps = caps
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
      const oldest = firstOf(this.silent) ?? firstOf(this.idle)
      if (oldest === undefined) return 'full'
      oldest.evict()
    }
    return 'admitted'
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
    const left = (this.perClient.get(member.client) ?? 1) - 1
    if (left > 0) this.perClient.set(member.client, left)
    else this.perClient.delete(member.client)
  }

  /** No query of this connection is in flight: it may be evicted from now on, after those that became idle earlier. */
  markIdle(member: Evictable): void {
    this.idle.delete(member)
    if (!member.hasAsked) return
    this.silent.delete(member)
    this.idle.add(member)
  }

  markBusy(member: Evictable): void {
    this.silent.delete(member)
    this.idle.delete(member)
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
