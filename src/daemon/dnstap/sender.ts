/**
 * Writes dnstap messages to a reader at a Unix socket or over TCP, and never waits for it: what does not fit into a bounded queue is dropped and counted.
 * A reader that is away is looked for each second.
 */
import { connect, type Socket } from 'node:net'
import type { DnstapReader } from '../../config/log-settings.ts'
import type { DnstapStats } from '../../observe/stats.ts'
import { Control, controlFrame, controlIn, dataFrame } from './frames.ts'

const againMs = 1000
/** For a reader that takes the connection and says nothing. */
const handshakeMsMax = 5000

export class DnstapSender {
  private readonly reader: DnstapReader
  private readonly queueBytesMax: number
  private socket: Socket | undefined
  private isAccepted = false
  private timer: NodeJS.Timeout | undefined
  private queue: Buffer[] = []
  private queueBytes = 0
  private isFlushing = false
  private isStopped = false
  private sent = 0
  private dropped = 0

  constructor(reader: DnstapReader, queueBytesMax: number) {
    this.reader = reader
    this.queueBytesMax = queueBytesMax
    this.open()
  }

  get counts(): DnstapStats {
    return { sent: this.sent, dropped: this.dropped, isConnected: this.isAccepted }
  }

  /** Whether a message of this size would be kept: asked before it is made. */
  hasRoom(bytes: number): boolean {
    const { socket, queueBytes, queueBytesMax } = this
    return queueBytes + (socket?.writableLength ?? 0) + bytes <= queueBytesMax
  }

  drop(messages: number): void {
    this.dropped += messages
  }

  send(message: Buffer): void {
    this.queue.push(dataFrame(message))
    this.queueBytes += message.length
    if (this.isFlushing) return
    this.isFlushing = true
    setImmediate(() => this.flush())
  }

  /** Says goodbye; what the reader has not taken within the time of one look is dropped. */
  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
    this.flush()
    const { socket } = this
    if (socket === undefined) return
    if (!this.isAccepted) socket.destroy()
    else socket.end(controlFrame(Control.stop))
    setTimeout(() => socket.destroy(), againMs).unref()
  }

  private open(): void {
    const socket = connect(this.reader)
    this.socket = socket
    let received: Buffer = Buffer.alloc(0)
    socket.setTimeout(handshakeMsMax, () => socket.destroy())
    socket.once('connect', () => socket.write(controlFrame(Control.ready)))
    socket.on('data', (bytes: Buffer) => {
      if (this.isAccepted) return
      received = Buffer.concat([received, bytes])
      const control = controlIn(received)
      if (control === undefined) return
      if (control === Control.accept) this.accepted(socket)
      else socket.destroy()
    })
    // What went wrong makes no difference: it is tried again.
    socket.on('error', () => undefined)
    socket.once('close', () => this.lost())
  }

  private accepted(socket: Socket): void {
    this.isAccepted = true
    socket.setTimeout(0)
    socket.write(controlFrame(Control.start))
    this.flush()
  }

  private lost(): void {
    this.socket = undefined
    this.isAccepted = false
    if (this.isStopped) return
    this.timer = setTimeout(() => this.open(), againMs)
    this.timer.unref()
  }

  /** All of one turn in one write. While no reader is there the queue fills, then what comes is dropped. */
  private flush(): void {
    this.isFlushing = false
    const { socket, queue } = this
    if (socket === undefined || !this.isAccepted || queue.length === 0) return
    this.sent += queue.length
    this.queue = []
    this.queueBytes = 0
    socket.write(Buffer.concat(queue))
  }
}
