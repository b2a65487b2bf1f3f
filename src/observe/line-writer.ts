/**
 * Writes lines to a descriptor without ever waiting for the reader. The backlog is bounded; lines beyond it are lost and counted. Never
 * formats.
 *
 * Why not pino's own destination (sonic-boom 4), measured with an stdout that is not read: with `sync: true` it blocks the event loop.
 * With `sync: false` it blocks a libuv thread in write(2), and the process is still alive 6 s after `process.exit`. Its flush at exit
 * throws on EAGAIN and retries for ever on ENOSPC.
 *
 * So the descriptor has to be non-blocking. O_NONBLOCK on descriptor 1 itself would hold for every process that shares it (the shell, a
 * pipeline), so the file behind it is opened again through /proc.
 */
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { Socket } from 'node:net'

/** The longest backlog, in UTF-16 units (bytes, for nearly all lines). */
const backlogMax = 1_048_576
/** One write; a pipe holds 64 KiB. */
const chunkMax = 65_536
/** A full pipe is tried again after this time. */
const retryMs = 50
/** The longest wait at exit for a reader. */
const flushMsMax = 500
/** Wait at exit for a write that a libuv thread has begun. On an idle machine it takes 0.1 ms. */
const inFlightGraceMs = 50

export class LineWriter {
  linesLost = 0
  private readonly fd: number
  private backlog: string[] = []
  private backlogLength = 0
  /** The bytes of the write in progress, or of the next attempt. */
  private chunk: Buffer | undefined
  private isInFlight = false
  private isClosed = false
  private readonly idleListeners: (() => void)[] = []

  constructor(fd: number) {
    this.fd = openNonBlocking(fd)
  }

  /** @param line with its line end */
  write(line: string): void {
    if (this.isClosed || this.backlogLength + line.length > backlogMax) {
      this.linesLost++
      return
    }
    this.backlog.push(line)
    this.backlogLength += line.length
    if (this.chunk === undefined) this.next()
  }

  /** Resolves when everything is written, or after half a second. */
  flush(): Promise<void> {
    if (this.chunk === undefined) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, flushMsMax)
      this.idleListeners.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /**
   * Writes the rest synchronously, for an exit that cannot wait for promises. Blocks for at most half a second. Lines may overtake
   * a write in progress. Nothing can be written afterwards.
   */
  flushSync(): void {
    this.isClosed = true
    // A write in another thread cannot be awaited here, and the end of the process would abort it.
    if (this.isInFlight) sleepSync(inFlightGraceMs)
    const deadlineMs = performance.now() + flushMsMax
    const waiting = this.isInFlight ? undefined : this.chunk
    let rest = Buffer.concat([waiting ?? Buffer.alloc(0), Buffer.from(this.takeBacklog())])
    this.chunk = undefined
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.fd, rest))
      } catch (error) {
        if (!isFull(error) || performance.now() > deadlineMs) return
        sleepSync(10)
      }
    }
  }

  private next(): void {
    if (this.backlog.length === 0) {
      this.chunk = undefined
      for (const listener of this.idleListeners.splice(0)) listener()
      return
    }
    this.chunk = Buffer.from(this.takeBacklog(chunkMax))
    this.writeChunk()
  }

  private writeChunk(): void {
    const chunk = this.chunk
    if (chunk === undefined) return
    this.isInFlight = true
    write(this.fd, chunk, (error, bytes) => {
      this.isInFlight = false
      if (error) return this.failed(error)
      this.chunk = chunk.subarray(bytes)
      if (this.chunk.length > 0) this.writeChunk()
      else this.next()
    })
  }

  private failed(error: NodeJS.ErrnoException): void {
    if (isFull(error)) {
      setTimeout(() => this.writeChunk(), retryMs).unref()
      return
    }
    // EPIPE: the reader is gone. Otherwise (a full disk) these lines are lost and later ones are tried again.
    this.linesLost += countLines(this.chunk)
    this.isClosed = error.code === 'EPIPE' || error.code === 'EBADF'
    if (this.isClosed) this.takeBacklog()
    this.next()
  }

  /** Takes whole lines, at least one, up to `lengthMax`. */
  private takeBacklog(lengthMax = Number.POSITIVE_INFINITY): string {
    let count = 0
    let length = 0
    while (count < this.backlog.length) {
      length += this.backlog[count]?.length ?? 0
      if (count > 0 && length > lengthMax) break
      count++
    }
    const text = this.backlog.splice(0, count).join('')
    this.backlogLength -= text.length
    return text
  }
}

/**
 * A socket (systemd's journal, a parent that is Node) cannot be opened through /proc. libuv makes it non-blocking when it adopts it.
 */
function openNonBlocking(fd: number): number {
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_APPEND | constants.O_NOCTTY
  try {
    if (!fstatSync(fd).isSocket()) return openSync(`/proc/self/fd/${fd}`, flags)
    new Socket({ fd, readable: false, writable: true }).unref()
  } catch {
    // Closed, not permitted, no /proc: the program has to start without a log too.
  }
  return fd
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}

function countLines(chunk: Buffer | undefined): number {
  let lines = 0
  for (const byte of chunk ?? []) if (byte === 0x0a) lines++
  return lines
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
