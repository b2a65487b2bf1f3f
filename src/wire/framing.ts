/**
 * DNS messages over a byte stream: a length of two bytes, then the message (RFC 1035 4.2.2, RFC 7766 8). Owns the reassembly of
 * messages that arrive in parts. Never decides what a bad length means, and knows no socket.
 */
import { putU16, u8, u16 } from './bytes.ts'
import { messageBytesMax } from './constants.ts'

/** Bytes of the length before each message. */
export const lengthPrefixBytes = 2

/** First allocation for a partial message: holds nearly every query, so that a length alone costs little. */
const heldBytesMin = 512

/**
 * Cuts a stream into messages, however its chunks are split. A message that lies whole in one chunk is not copied. A partial
 * message is kept in a buffer that grows with it (doubling, so a peer that sends byte by byte costs linear time, and one that
 * only promises 65535 bytes costs 512).
 */
export class FrameReader {
  private chunk: Buffer | undefined
  private at = 0
  /** First byte of a length whose second has not arrived; -1: none. */
  private lengthHigh = -1
  /** Length of the partial message; -1: none. */
  private wanted = -1
  private held: Buffer | undefined
  private heldBytes = 0

  /**
   * Gives the reader the next bytes. It reads from `chunk` itself, so the caller must not change it until `next` has returned
   * undefined. The previous chunk must have been used up in that way, or taken with `takeRest`.
   */
  push(chunk: Buffer): void {
    this.chunk = chunk
    this.at = 0
  }

  /**
   * The next whole message without its length, or undefined when more bytes are needed. A zero length gives an empty buffer. The
   * view is valid until the next call of `next` or `push`.
   */
  next(): Buffer | undefined {
    const chunk = this.chunk
    if (chunk === undefined) return undefined
    if (this.wanted < 0 && !this.readLength(chunk)) return this.endOfChunk()
    const wanted = this.wanted
    if (this.held === undefined && chunk.length - this.at >= wanted) {
      const message = chunk.subarray(this.at, this.at + wanted)
      this.at += wanted
      this.wanted = -1
      return message
    }
    this.hold(chunk)
    if (this.heldBytes < wanted) return this.endOfChunk()
    const message = this.held?.subarray(0, wanted)
    this.forget()
    return message
  }

  /** Whether a message (or only its length) has begun and not ended. */
  get midMessage(): boolean {
    return this.wanted >= 0 || this.lengthHigh >= 0
  }

  /** Bytes allocated for a partial message. */
  get heldCapacity(): number {
    return this.held === undefined ? 0 : this.held.length
  }

  /** Takes the unread bytes of the last chunk: a view of it, empty when it was used up. */
  takeRest(): Buffer {
    const rest = this.chunk?.subarray(this.at) ?? Buffer.alloc(0)
    this.endOfChunk()
    return rest
  }

  /** Drops everything held, for a stream that will not be read any further. */
  reset(): void {
    this.endOfChunk()
    this.forget()
    this.lengthHigh = -1
  }

  private readLength(chunk: Buffer): boolean {
    const available = chunk.length - this.at
    if (this.lengthHigh >= 0 && available >= 1) {
      this.wanted = (this.lengthHigh << 8) | u8(chunk, this.at)
      this.lengthHigh = -1
      this.at += 1
      return true
    }
    if (available >= lengthPrefixBytes) {
      this.wanted = u16(chunk, this.at)
      this.at += lengthPrefixBytes
      return true
    }
    if (available === 1) this.lengthHigh = u8(chunk, this.at)
    return false
  }

  private hold(chunk: Buffer): void {
    const taken = Math.min(this.wanted - this.heldBytes, chunk.length - this.at)
    if (taken === 0) return
    const held = this.roomFor(this.heldBytes + taken)
    chunk.copy(held, this.heldBytes, this.at, this.at + taken)
    this.heldBytes += taken
    this.at += taken
  }

  private roomFor(bytes: number): Buffer {
    const held = this.held
    if (held !== undefined && held.length >= bytes) return held
    const doubled = Math.max(bytes, this.heldCapacity * 2, heldBytesMin)
    // Not from the shared pool: a partial message may stay for seconds and would pin 8 KiB or more.
    const grown = Buffer.allocUnsafeSlow(Math.min(doubled, this.wanted))
    held?.copy(grown, 0, 0, this.heldBytes)
    this.held = grown
    return grown
  }

  private forget(): void {
    this.held = undefined
    this.heldBytes = 0
    this.wanted = -1
  }

  private endOfChunk(): undefined {
    this.chunk = undefined
    this.at = 0
    return undefined
  }
}

/**
 * Writes `length` and then the first `length` bytes of `message` into `target` at `at`; length and message belong into one write
 * (RFC 7766 8). The caller ensures that both fit.
 * @param length 0-65535
 * @returns offset after the message
 */
export function putFrame(target: Buffer, at: number, message: Uint8Array, length: number): number {
  putU16(target, at, length)
  target.set(
    length === message.length ? message : message.subarray(0, length),
    at + lengthPrefixBytes,
  )
  return at + lengthPrefixBytes + length
}

/** Bytes of the longest message with its length. */
export const frameBytesMax: number = lengthPrefixBytes + messageBytesMax
