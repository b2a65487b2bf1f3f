/**
 * Holds the bytes of cached messages: one after another in chunks of 8 KiB, so that an answer of a hundred bytes needs no
 * allocation of its own, with an ArrayBuffer, its bookkeeping outside the heap and a finaliser (docs/decisions/0011). Entries
 * know chunk and offset: a view for each would take a hundred bytes more, to be fetched at every hit. Chunks are never reused:
 * each lives until nothing refers to it, so a reply that is still being written can never show another entry's bytes.
 */

const chunkBytes = 8192
/** Larger messages get their own allocation: they would leave too much unused at the end of a chunk. */
const sharedBytesMax = chunkBytes / 8

const noOctets = Buffer.alloc(0)

export class CacheMemory {
  /** The chunk that words were kept in last. */
  words: Int32Array = new Int32Array(0)
  /** The allocation that holds the last message: a chunk, or its own. */
  octets: Buffer = noOctets
  private chunk: Buffer = noOctets
  private chunkWords: Int32Array = new Int32Array(0)
  private at = 0

  /** Copies a message of `length` bytes. @returns its offset in `octets`; the caller may write to it */
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

  /** Copies `count` words of the next message's key. @returns their offset in `words` */
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
