/**
 * Where the octets of cached messages lie: one after another in chunks of 8 KiB, so that an answer of a hundred octets is no
 * allocation of its own, with an ArrayBuffer, its bookkeeping outside of the heap and a finaliser (docs/decisions/0011).
 * Entries know chunk and offset: a view for each would be a hundred octets more, to be fetched at every hit. Chunks are never used
 * again: each lives until nobody knows it any more, so a reply that is still being written can never show another entry's octets.
 */

const chunkBytes = 8192
/** Larger messages are allocations of their own: what they would leave unused at the end of a chunk is too much. */
const sharedBytesMax = chunkBytes / 8

const noOctets = Buffer.alloc(0)

export class CacheMemory {
  /** The chunk that words were kept in last. */
  words: Int32Array = new Int32Array(0)
  /** The allocation that a message was kept in last: a chunk, or its own. */
  octets: Buffer = noOctets
  private chunk: Buffer = noOctets
  private chunkWords: Int32Array = new Int32Array(0)
  private at = 0

  /** Copies a message of `length` octets. @returns where in `octets` it is; it is the caller's to write to */
  keep(from: Buffer, at: number, length: number): number {
    if (length > sharedBytesMax) {
      this.octets = Buffer.allocUnsafeSlow(length)
      from.copy(this.octets, 0, at, at + length)
      return 0
    }
    this.makeRoom(length)
    const to = this.at
    this.octets = this.chunk
    from.copy(this.chunk, to, at, at + length)
    this.at += length
    return to
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

  private makeRoom(length: number): void {
    if (this.at + length <= this.chunk.length) return
    this.chunk = Buffer.allocUnsafeSlow(chunkBytes)
    this.chunkWords = new Int32Array(this.chunk.buffer)
    this.at = 0
  }
}
