/**
 * Where the octets of cached messages lie: one after another in chunks of 8 KiB, so that an answer of a hundred octets is no
 * allocation of its own, with an ArrayBuffer, its bookkeeping outside of the heap and a finaliser (docs/decisions/0011).
 * A memory belongs to one generation of the cache and goes with it; its chunks live until the last view of them is gone, so a reply that
 * is still being written can never show another entry's octets.
 */

const chunkBytes = 8192
/** Larger messages are allocations of their own: what they would leave unused at the end of a chunk is too much. */
const sharedBytesMax = chunkBytes / 8

export class CacheMemory {
  /** Octets handed out, those of entries that have gone since included. */
  bytes = 0
  private chunk: Buffer | undefined
  private at = 0

  /** @returns a copy of `message`, the caller's to write to */
  keep(message: Uint8Array): Buffer {
    const { length } = message
    this.bytes += length
    const kept = length > sharedBytesMax ? Buffer.allocUnsafeSlow(length) : this.share(length)
    kept.set(message)
    return kept
  }

  private share(length: number): Buffer {
    if (this.chunk === undefined || this.at + length > chunkBytes) {
      this.chunk = Buffer.allocUnsafeSlow(chunkBytes)
      this.at = 0
    }
    const from = this.at
    this.at += length
    return this.chunk.subarray(from, this.at)
  }
}
