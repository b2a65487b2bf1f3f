/**
 * Writes lines to a descriptor without ever waiting for whoever reads them: a bounded backlog, then lines are lost
 * and counted. Never formats.
 *
 * Why not pino's own destination (sonic-boom 4), measured with a stdout that nobody reads: with `sync: true` it stops the
 * event loop; with `sync: false` it parks a libuv thread in write(2), and the process is still alive 6 s after
 * `process.exit`; its flush at exit throws on EAGAIN and tries for ever on ENOSPC.
 *
 * So the descriptor has to be non-blocking. Setting that on descriptor 1 itself would change it for everybody who shares it
 * (the shell, a pipeline), so it is opened once more through /proc.
 */
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { Socket } from 'node:net'

/** What is kept while the reader does not take it, in UTF-16 units (octets, for nearly all lines). */
const backlogMax = 1_048_576
/** One write; a pipe takes 64 KiB. */
const chunkMax = 65_536
/** Time after which a full pipe is tried again. */
const retryMs = 50
/** Longest wait at exit for a reader that does not read. */
const flushMsMax = 500
/** For a write that is on its way; on an idle machine it takes a tenth of a millisecond. */
const inFlightGraceMs = 50

export class LineWriter {
  linesLost = 0
  readonly #fd: number
  #backlog: string[] = []
  #backlogLength = 0
  /** What is being written, or waits to be tried again. */
  #chunk: Buffer | undefined
  #isInFlight = false
  #isClosed = false
  readonly #idleListeners: (() => void)[] = []

  constructor(fd: number) {
    this.#fd = openNonBlocking(fd)
  }

  /** @param line with its line end */
  write(line: string): void {
    if (this.#isClosed || this.#backlogLength + line.length > backlogMax) {
      this.linesLost++
      return
    }
    this.#backlog.push(line)
    this.#backlogLength += line.length
    if (this.#chunk === undefined) this.#next()
  }

  /** Resolves when everything is written, or after half a second. */
  flush(): Promise<void> {
    if (this.#chunk === undefined) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, flushMsMax)
      this.#idleListeners.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /**
   * Writes what is left at once, for an exit that cannot wait for promises; blocks for at most half a second. Lines may
   * overtake those that are just being written. Nothing can be written afterwards.
   */
  flushSync(): void {
    this.#isClosed = true
    // What another thread has in hand cannot be waited for by name; the process that ends would take it along.
    if (this.#isInFlight) sleepSync(inFlightGraceMs)
    const deadlineMs = performance.now() + flushMsMax
    const waiting = this.#isInFlight ? undefined : this.#chunk
    let rest = Buffer.concat([waiting ?? Buffer.alloc(0), Buffer.from(this.#takeBacklog())])
    this.#chunk = undefined
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest))
      } catch (error) {
        if (!isFull(error) || performance.now() > deadlineMs) return
        sleepSync(10)
      }
    }
  }

  #next(): void {
    if (this.#backlog.length === 0) {
      this.#chunk = undefined
      for (const listener of this.#idleListeners.splice(0)) listener()
      return
    }
    this.#chunk = Buffer.from(this.#takeBacklog(chunkMax))
    this.#writeChunk()
  }

  #writeChunk(): void {
    const chunk = this.#chunk
    if (chunk === undefined) return
    this.#isInFlight = true
    write(this.#fd, chunk, (error, octets) => {
      this.#isInFlight = false
      if (error) return this.#failed(error)
      this.#chunk = chunk.subarray(octets)
      if (this.#chunk.length > 0) this.#writeChunk()
      else this.#next()
    })
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (isFull(error)) {
      setTimeout(() => this.#writeChunk(), retryMs).unref()
      return
    }
    // Nobody will read any more (EPIPE), or the disk is full: those lines are lost, later ones are tried again.
    this.linesLost += countLines(this.#chunk)
    this.#isClosed = error.code === 'EPIPE' || error.code === 'EBADF'
    if (this.#isClosed) this.#takeBacklog()
    this.#next()
  }

  /** Takes whole lines, at least one, up to `lengthMax`. */
  #takeBacklog(lengthMax = Number.POSITIVE_INFINITY): string {
    let count = 0
    let length = 0
    while (count < this.#backlog.length) {
      length += this.#backlog[count]?.length ?? 0
      if (count > 0 && length > lengthMax) break
      count++
    }
    const text = this.#backlog.splice(0, count).join('')
    this.#backlogLength -= text.length
    return text
  }
}

/**
 * A socket (systemd's journal, a parent that is Node) cannot be opened through /proc: it is made non-blocking itself,
 * by having libuv adopt it.
 */
function openNonBlocking(fd: number): number {
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_APPEND | constants.O_NOCTTY
  try {
    if (!fstatSync(fd).isSocket()) return openSync(`/proc/self/fd/${fd}`, flags)
    new Socket({ fd, readable: false, writable: true }).unref()
  } catch {
    // Closed, not permitted, no /proc: logging must not keep the program from starting.
  }
  return fd
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}

function countLines(chunk: Buffer | undefined): number {
  let lines = 0
  for (const octet of chunk ?? []) if (octet === 0x0a) lines++
  return lines
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
