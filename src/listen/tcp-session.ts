/**
 * One accepted TCP connection: reads framed queries, passes them to the handler, writes the replies in the order in which they
 * become ready (RFC 7766 6.2.1.1 and 7). Owns the limits of a single connection but has no timer: its listener calls `sweep`.
 * Knows nothing about DNS but the length of a header and the place of the RCODE.
 *
 * Life: open -> ending (takes no more queries, answers those in flight) -> FIN sent (input is discarded, so that no RST overtakes
 * the last replies) -> gone.
 */
import type { Socket } from 'node:net'
import { type Peer, type QueryHandler, type ReplyTo, Transport } from '../core/ports.ts'
import { headerBytes } from '../wire/constants.ts'
import type { Evictable, TcpConnections } from './tcp-connections.ts'
import { TcpDeadlines } from './tcp-deadlines.ts'
import { TcpInput } from './tcp-input.ts'
import { HeldReply, isComplaint } from './tcp-replies.ts'
import type { BatchOwner, ReplyBatch } from './tcp-reply-batch.ts'
import type { TcpSessionSettings } from './tcp-settings.ts'
import type { TcpCloseReason, TcpCounts } from './tcp-stats.ts'
import { TcpUnsent } from './tcp-unsent.ts'

/** Shared by the sessions of one listener. */
export interface SessionContext {
  readonly handler: QueryHandler
  readonly settings: TcpSessionSettings
  readonly connections: TcpConnections
  readonly batch: ReplyBatch
  readonly counts: TcpCounts
  /** The handler writes its replies here; 65535 bytes. */
  readonly out: Buffer
  readonly family: 4 | 6
  readonly serverIndex: number
  /** Monotonic milliseconds. */
  nowMs(): number
  onDefect(error: unknown): void
  /** Called once, when the connection no longer counts. */
  onGone(session: TcpSession): void
}

export class TcpSession implements Peer, BatchOwner, Evictable {
  readonly transport = Transport.tcp
  readonly family: 4 | 6
  readonly serverIndex: number
  readonly client: string
  readonly port: number
  hasAsked = false
  private readonly context: SessionContext
  private readonly socket: Socket
  private readonly input: TcpInput
  private readonly deadlines: TcpDeadlines
  private readonly unsent: TcpUnsent
  private inFlight = 0
  private holds = 0
  /** Messages in a row that were no query that we could read. */
  private malformed = 0
  private inputEnded = false
  private ending = false
  private finSent = false
  private gone = false
  private closeReason: TcpCloseReason | undefined

  constructor(socket: Socket, client: string, context: SessionContext) {
    this.socket = socket
    this.client = client
    this.port = socket.remotePort ?? 0
    this.context = context
    this.family = context.family
    this.serverIndex = context.serverIndex
    this.input = new TcpInput(socket, context.connections)
    this.deadlines = new TcpDeadlines(context.settings, context.nowMs())
    const { connections, settings } = context
    this.unsent = new TcpUnsent(client, connections.unsent, settings.writeQueueBytesMax)
    connections.join(this)
    socket.on('data', this.onData)
    socket.on('end', this.onEnd)
    socket.on('drain', this.onDrain)
    socket.on('error', this.onError)
    socket.on('close', this.onClose)
  }

  address(): string {
    return this.client
  }

  hold(): ReplyTo {
    this.holds += 1
    this.inFlight += 1
    return new HeldReply(this)
  }

  /** Sends the reply to one query in flight. */
  answer(reply: Uint8Array): void {
    this.inFlight -= 1
    if (this.gone) return
    const { batch } = this.context
    if (this.unsent.isTooMuch(this.unsentBytes())) {
      this.destroy('write-stalled')
      return
    }
    this.deadlines.active(this.context.nowMs())
    this.context.counts.sent += 1
    batch.append(this, reply, reply.length)
    batch.flushSoon()
  }

  writeFrames(frames: Buffer): void {
    if (this.gone) return
    this.socket.write(frames)
    this.unsent.note(this.socket.writableLength)
    if (this.socket.writableLength > 0) this.deadlines.writeBlocked(this.context.nowMs())
    this.settle()
  }

  /** Takes no more queries, answers those in flight, then closes. */
  finish(reason: TcpCloseReason): void {
    if (this.gone || this.ending) return
    this.closeReason ??= reason
    this.ending = true
    this.deadlines.ending(this.context.nowMs())
    this.input.close()
    this.input.stop()
    this.settle()
  }

  evict(): void {
    this.destroy('evicted')
  }

  /**
   * Hands the connection over if it holds no data here: no query in flight or unfinished, no reply unsent. Bytes still in the
   * kernel go with it.
   * @param give @returns whether another process has taken it
   */
  handOver(give: (socket: Socket) => boolean): boolean {
    const isEmpty =
      this.inFlight === 0 &&
      this.unsentBytes() === 0 &&
      this.input.reading &&
      !this.input.midMessage &&
      this.socket.readableLength === 0
    if (this.gone || this.ending || this.inputEnded || !isEmpty || !give(this.socket)) return false
    // Another process holds the connection, so closing ours sends nothing.
    this.destroy('handed-over')
    return true
  }

  /** Closes at once; replies in flight are lost. */
  destroy(reason: TcpCloseReason): void {
    this.closeReason ??= reason
    this.leave()
    this.socket.destroy()
  }

  /** Applies the time limits; to be called a few times a second. */
  sweep(nowMs: number): void {
    const { deadlines } = this
    this.unsent.note(this.socket.writableLength)
    const unsent = this.socket.writableLength > 0
    if (!unsent) deadlines.writeDone()
    if (deadlines.isStalled(nowMs)) {
      this.destroy('write-stalled')
    } else if (this.ending) {
      if (!unsent && deadlines.hasLingered(nowMs, this.finSent)) this.destroy('drain')
    } else {
      const reason = deadlines.toFinish(nowMs, this.input.reading)
      const busy = this.inFlight > 0 || unsent
      if (reason !== undefined && !(reason === 'idle' && busy)) this.finish(reason)
    }
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.ending) {
      if (!this.input.discard(chunk.length)) this.destroy('peer')
      return
    }
    this.input.push(chunk)
    this.readQueries()
    this.context.batch.flush()
    this.noteUnfinishedMessage()
    this.settle()
  }

  private readQueries(): void {
    this.context.handler.beginBatch()
    while (this.hasRoom()) {
      const message = this.input.next()
      if (message === undefined) return
      this.deadlines.messageDone()
      if (message.length < headerBytes) {
        this.finish('bad-length')
        return
      }
      if (!this.handle(message)) {
        // The client would wait for an answer that never comes, so close.
        this.finish('dropped-query')
        return
      }
      if (this.malformed >= this.context.settings.malformedMax) {
        this.finish('malformed')
        return
      }
    }
    if (!this.gone) this.input.stop()
  }

  /** @returns whether an answer was given or will be */
  private handle(message: Buffer): boolean {
    const { context } = this
    const holdsBefore = this.holds
    this.hasAsked = true
    this.deadlines.active(context.nowMs())
    context.counts.received += 1
    let replyBytes: number
    try {
      replyBytes = context.handler.handle(message, message.length, context.out, this)
    } catch (error) {
      // It must not reach uncaughtException: one message would end the service.
      context.counts.handlerDefects += 1
      context.onDefect(error)
      return false
    }
    this.malformed = replyBytes > 0 && isComplaint(context.out) ? this.malformed + 1 : 0
    if (replyBytes === 0) return this.holds > holdsBefore
    context.counts.sent += 1
    context.batch.append(this, context.out, replyBytes)
    return true
  }

  private hasRoom(): boolean {
    const { batch, settings } = this.context
    if (this.gone || this.inFlight >= settings.pipelineMax) return false
    if (this.unsent.hasRoom(this.unsentBytes())) return true
    batch.flush()
    return this.unsent.hasRoom(this.socket.writableLength)
  }

  private unsentBytes(): number {
    return this.socket.writableLength + this.context.batch.bytesFor(this)
  }

  private noteUnfinishedMessage(): void {
    if (this.gone || this.ending) return
    if (this.input.midMessage) this.deadlines.messageUnfinished(this.context.nowMs())
    if (!this.input.keepUnfinished()) this.finish('memory')
  }

  /** Acts on the present state: becomes idle, resumes reading, sends our FIN. Safe to call after any change. */
  private settle(): void {
    if (this.gone) return
    const { connections } = this.context
    if (this.inFlight > 0) connections.markBusy(this)
    else connections.markIdle(this)
    if (this.ending || this.inputEnded) this.sendFinWhenDone()
    if (this.input.reading) return
    if (this.ending ? this.finSent : this.hasRoom()) this.input.resume()
  }

  private sendFinWhenDone(): void {
    if (this.finSent || this.inFlight > 0 || this.context.batch.bytesFor(this) > 0) return
    this.ending = true
    this.finSent = true
    this.input.close()
    this.deadlines.ending(this.context.nowMs())
    this.socket.end()
  }

  private readonly onEnd = (): void => {
    this.closeReason ??= 'peer'
    this.inputEnded = true
    this.deadlines.messageDone()
    this.settle()
  }

  private readonly onDrain = (): void => {
    this.deadlines.writeDone()
    this.unsent.note(this.socket.writableLength)
    this.settle()
  }

  private readonly onError = (): void => {
    this.closeReason ??= 'error'
  }

  private readonly onClose = (): void => {
    this.leave()
  }

  private leave(): void {
    if (this.gone) return
    this.gone = true
    this.input.close()
    this.unsent.note(0)
    this.context.connections.leave(this)
    this.context.counts.closed[this.closeReason ?? 'peer'] += 1
    this.context.onGone(this)
  }
}
