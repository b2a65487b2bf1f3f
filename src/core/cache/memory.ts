/**
 * Holds the bytes of cached messages: one after another in chunks of 8 KiB, so that an answer of a hundred bytes needs no
 * allocation of its own, with an ArrayBuffer, its bookkeeping outside the heap and a finaliser (docs/decisions/0011). Entries
 * know chunk and offset: a view for each would take a hundred bytes more, to be fetched at every hit. A chunk is filled anew when all
 * that it held has left the queue: bytes for each miss that only a major collection gives back would call for one. So whoever keeps an
 * entry longer than its queue does gets a copy of its bytes (`Storable.isHeld`), and nobody keeps a view.
 */

const chunkBytes = 8192
/** Larger messages get their own allocation: they would leave too much unused at the end of a chunk. */
const sharedBytesMax = chunkBytes / 8

interface Chunk {
  readonly octets: Buffer
  readonly words: Int32Array
}

const nothing: Chunk = { octets: Buffer.alloc(0), words: new Int32Array(0) }

export class CacheMemory {
  /** The chunk that words were kept in last. */
  words: Int32Array = nothing.words
  /** The allocation that holds the last message: a chunk, or its own. */
  octets: Buffer = nothing.octets
  /** In the order of their messages; the last one is being filled. */
  private readonly chunks: Chunk[] = []
  private chunk = nothing
  private spare: Chunk | undefined
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
    this.octets = this.chunk.octets
    from.copy(this.octets, to, at, at + length)
    this.at += length
    return to
  }

  /** Copies `count` words of the next message's key. @returns their offset in `words` */
  keepWords(from: Int32Array, at: number, count: number): number {
    this.at = (this.at + 3) & ~3
    this.makeRoom(4 * count)
    const to = this.at >>> 2
    const { words } = this.chunk
    for (let i = 0; i < count; i++) words[to + i] = from[at + i] as number
    this.at += 4 * count
    this.words = words
    return to
  }

  /** All messages that were kept before one have left. @param words where that one's key is */
  release(words: Int32Array | undefined): void {
    const { chunks } = this
    while (chunks.length > 1 && chunks[0]?.words !== words) this.spare = chunks.shift()
  }

  private makeRoom(length: number): void {
    if (this.at + length <= this.chunk.octets.length) return
    this.chunk = this.spare ?? newChunk()
    this.spare = undefined
    this.chunks.push(this.chunk)
    this.at = 0
  }
}

function newChunk(): Chunk {
  const octets = Buffer.allocUnsafeSlow(chunkBytes)
  return { octets, words: new Int32Array(octets.buffer) }
}
