/**
 * Replies that one connection's client has not taken: memory that all clients share. Each connection always has a little; beyond that
 * a client may leave as many bytes as are free for all (`core/sharing/shares.ts`). Counts bytes, and touches no socket.
 */
import { holderFor } from '../core/sharing/claim.ts'
import { type Claim, refusalBy, type Shares } from '../core/sharing/shares.ts'

/** What a client that reads leaves in a busy moment, whatever others do. */
const bytesFree = 4096
/**
 * Replies in flight still arrive when the write queue is full. A client that lets this many times `writeQueueBytesMax` pile up is
 * cut off at once: 100 replies of 64 KiB would be 6.5 MB per connection.
 */
const hardFactor = 8

export class TcpUnsent {
  private readonly claim: Claim
  private readonly shares: Shares
  private readonly queueBytesMax: number
  private bytes = 0

  /** @param shares a place is a byte. @param queueBytesMax of this connection */
  constructor(client: string, shares: Shares, queueBytesMax: number) {
    this.claim = [holderFor(client)]
    this.shares = shares
    this.queueBytesMax = queueBytesMax
  }

  /** @param bytes that wait now; 0 when the connection ends */
  note(bytes: number): void {
    const change = bytes - this.bytes
    if (change === 0) return
    this.bytes = bytes
    if (change > 0) this.shares.take(this.claim, change)
    else this.shares.giveBack(this.claim, -change)
  }

  /** Whether more queries may be answered. @param bytes that wait now */
  hasRoom(bytes: number): boolean {
    if (bytes <= bytesFree) return true
    return bytes <= this.queueBytesMax && refusalBy(this.shares, this.claim) === undefined
  }

  /** Whether the connection is to be cut off. @param bytes that wait now */
  isTooMuch(bytes: number): boolean {
    return bytes > this.queueBytesMax * (this.shares.free > 0 ? hardFactor : 1)
  }
}
