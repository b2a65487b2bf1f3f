/**
 * The reading side of one TCP connection: cuts the stream into messages, and stops reading from the kernel when asked. Owns the
 * bytes that were read and not handled yet. Never decides when to stop.
 */
import type { Socket } from 'node:net'
import { FrameReader } from '../wire/framing.ts'
import type { TcpConnections } from './tcp-connections.ts'

/** Bytes read and discarded on a closing connection; more are answered with a reset. */
const discardedBytesMax = 65536

export class TcpInput {
  private readonly socket: Socket
  private readonly connections: TcpConnections
  private readonly reader = new FrameReader()
  private heldBytes = 0
  private discardedBytes = 0
  private flowing = true

  constructor(socket: Socket, connections: TcpConnections) {
    this.socket = socket
    this.connections = connections
  }

  /** Whether the connection is being read. */
  get reading(): boolean {
    return this.flowing
  }

  get midMessage(): boolean {
    return this.reader.midMessage
  }

  push(chunk: Buffer): void {
    this.reader.push(chunk)
  }

  /** See `FrameReader.next`. */
  next(): Buffer | undefined {
    return this.reader.next()
  }

  /**
   * Stops between two messages. The rest of the last chunk goes back into the stream's own buffer and fills it, so that the
   * stream stops reading from the kernel as well. After `pause` alone it would read 64 KiB more.
   */
  stop(): void {
    if (!this.flowing) return
    this.flowing = false
    this.socket.pause()
    const rest = this.reader.takeRest()
    if (rest.length > 0) this.socket.unshift(withoutSlack(rest))
  }

  resume(): void {
    this.flowing = true
    this.socket.resume()
  }

  /** Accounts for an unfinished message. @returns whether there is memory to keep it */
  keepUnfinished(): boolean {
    const now = this.reader.heldCapacity
    if (now === this.heldBytes) return true
    const change = now - this.heldBytes
    this.heldBytes = now
    return this.connections.holdBytes(change, now)
  }

  /** Drops all unhandled bytes: no more messages come out. */
  close(): void {
    this.reader.reset()
    this.keepUnfinished()
  }

  /** Counts discarded bytes. @returns whether more may be discarded */
  discard(bytes: number): boolean {
    this.discardedBytes += bytes
    return this.discardedBytes <= discardedBytesMax
  }
}

/** A copy when the view would pin more than twice its length. Halving each time keeps the copying linear. */
function withoutSlack(rest: Buffer): Buffer {
  if (rest.length * 2 > rest.buffer.byteLength) return rest
  const copy = Buffer.allocUnsafeSlow(rest.length)
  rest.copy(copy)
  return copy
}
