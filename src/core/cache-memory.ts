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
  /** The chunk that words were kept in last. */
  words: Int32Array = new Int32Array(0)
  private chunk: Buffer | undefined
  private chunkWords: Int32Array = new Int32Array(0)
  private at = 0

  /** @returns a copy of `message`, the caller's to write to */
  keep(message: Uint8Array): Buffer {
    const { length } = message
    this.bytes += length
    const kept = length > sharedBytesMax ? Buffer.allocUnsafeSlow(length) : this.share(length)
    kept.set(message)
    return kept
  }

  /** Copies `count` words, of the key of the message that comes next. @returns where in `words` they are */
  keepWords(from: Int32Array, at: number, count: number): number {
    this.at = (this.at + 3) & ~3
    this.makeRoom(4 * count)
    const to = this.at >>> 2
    const { chunkWords } = this
    for (let i = 0; i < count; i++) chunkWords[to + i] = from[at + i] as number
    this.at += 4 * count
    this.words = chunkWords
    return to
  }

  private share(length: number): Buffer {
    const chunk = this.makeRoom(length)
    const from = this.at
    this.at += length
    return chunk.subarray(from, this.at)
  }

  private makeRoom(length: number): Buffer {
    if (this.chunk !== undefined && this.at + length <= chunkBytes) return this.chunk
    this.chunk = Buffer.allocUnsafeSlow(chunkBytes)
    this.chunkWords = new Int32Array(this.chunk.buffer)
    this.at = 0
    return this.chunk
  }
}
