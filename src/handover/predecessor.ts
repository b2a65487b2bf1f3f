/**
 * The serving side: waits for a successor and hands everything over, in an order in which nothing can be lost.
 *
 *   successor                        we
 *   want sockets               ->    listening sockets, the kernel's queues in them; beside whose program its own may hang (both could read now)
 *   want cache                 ->    answers with their ages
 *   starting                   ->    wait on: its workers start, which can take longer than we bear silence
 *   serving                    ->    stop reading datagrams; new ones stay in the kernel, for the successor
 *   done (its self-query was answered, so by itself)
 *                              ->    stop accepting; client connections follow one by one; drain; end
 *
 * A successor that goes away before "done" has changed nothing: we read on. Both processes have the very same sockets, so neither
 * can lose the datagrams and connections that wait in them.
 */
import { randomUUID } from 'node:crypto'
import type { Server, Socket } from 'node:net'
import { sendDescriptors } from '../system/descriptor-mail.ts'
import type { SystemCalls } from '../system/system-calls.ts'
import type { HeldSocket } from './held-sockets.ts'
import { Link, type Message, writeAll } from './link.ts'
import { connectTo, descriptorOf, listenAt, strangerAt } from './meeting-point.ts'

/** Version of the messages below; other versions are refused. */
export const protocolVersion = 1

/** Messages `starting` within our time-out: a busy machine may hold up one of them. */
const startingPerTimeout = 4
/** For how many time-outs a successor may be starting: 30 s by default; a group of workers may take 20 s. */
const startTimeoutsMax = 6

/** Sends one client connection. @returns whether the successor has it now; otherwise it may be tried again later */
export type GiveConnection = (server: string, client: Socket) => boolean

/** What the serving process does for its successor. */
export interface Service {
  /** Stops reading datagrams; the promise, if any, resolves when no more are read. */
  pauseReceiving(): Promise<void> | void
  resumeReceiving(): void
  /**
   * The successor has everything. Resolves when nothing is left to do here.
   * @param give for the connections of clients; undefined when the successor takes none
   */
  retire(give: GiveConnection | undefined): Promise<void>
  /** No other process serves now, so serve again; only called after `retire`. */
  resume(): void
}

export interface PredecessorOptions {
  /** Path or `@name`. */
  readonly at: string
  /** A successor that is silent for this long is given up. */
  readonly timeoutMs: number
  /** Stay, ready to serve again, until `stop`. */
  readonly waits: boolean
  readonly calls: SystemCalls
  readonly service: Service
  readonly sockets: () => readonly HeldSocket[]
  readonly cacheDump: () => AsyncIterable<Buffer>
  /** Number of the program in the kernel that answers for us; undefined without one. */
  readonly kernelProgram: () => number | undefined
  /** Reports events, for the log. */
  onEvent(event: PredecessorEvent, detail: string): void
}

export type PredecessorEvent = 'stranger' | 'started' | 'given-up' | 'handed-over' | 'failed'

/** The successor that is being served. */
interface Client {
  readonly link: Link
  readonly ticket: string
  readonly cameMs: number
  descriptors: Socket | undefined
  isServing: boolean
}

export class Predecessor {
  private readonly options: PredecessorOptions
  private server: Server | undefined
  private successor: Client | undefined
  private timer: NodeJS.Timeout | undefined
  private readonly open = new Set<Socket>()
  private onIdle: () => void = ignore
  private isStopped = false

  constructor(options: PredecessorOptions) {
    this.options = options
  }

  /** Starts to wait for a successor. Rejects when the meeting point is not available. */
  async start(): Promise<void> {
    this.server = await listenAt(this.options.at, (socket) => this.onConnection(socket))
  }

  /** Resolves when no hand-over is in progress. The timeout bounds the wait. */
  idle(): Promise<void> {
    if (this.successor === undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.onIdle = resolve
    })
  }

  /** No successor can connect any more. */
  async stop(): Promise<void> {
    this.isStopped = true
    clearTimeout(this.timer)
    for (const socket of this.open) socket.destroy()
    await this.stopListening()
  }

  private stopListening(): Promise<void> {
    // The name is free at once; `close` alone would wait for the connections.
    this.server?.close()
    this.server = undefined
    return new Promise((resolve) => setImmediate(resolve))
  }

  private onConnection(socket: Socket): void {
    const stranger = strangerAt(this.options.calls, socket)
    if (stranger !== undefined) {
      socket.destroy()
      this.options.onEvent('stranger', stranger)
      return
    }
    this.open.add(socket)
    socket.once('close', () => this.open.delete(socket))
    const link = new Link(socket)
    link.listen((message) => this.onFirst(link, message))
  }

  /** The first line of a connection states its purpose. */
  private onFirst(link: Link, { neardns, want, ticket }: Message): void {
    if (neardns !== protocolVersion) {
      link.send({ error: `this is version ${protocolVersion} of the hand-over` })
      link.close()
    } else if (want === 'sockets') this.welcome(link)
    else if (want === 'cache') this.sendCache(link)
    else if (want === 'watch') link.listen(ignore)
    else if (want === 'descriptors') this.sendSockets(link.socket, ticket)
    else link.socket.destroy()
  }

  private welcome(link: Link): void {
    if (this.successor !== undefined) {
      link.send({ error: 'another successor is being served' })
      link.close()
      return
    }
    const successor: Client = {
      link,
      ticket: randomUUID(),
      cameMs: performance.now(),
      descriptors: undefined,
      isServing: false,
    }
    this.successor = successor
    this.options.onEvent('started', '')
    link.listen(
      (message) => this.onMessage(successor, message),
      (why) => this.giveUp(why),
    )
    this.limitTime()
    // Older processes do not understand `starting`, and do not send this number.
    link.send({
      ticket: successor.ticket,
      startingEveryMs: this.options.timeoutMs / startingPerTimeout,
    })
  }

  private limitTime(): void {
    const { timeoutMs } = this.options
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.giveUp(`it said nothing for ${timeoutMs} ms`), timeoutMs)
  }

  private sendSockets(connection: Socket, ticket: unknown): void {
    const { successor, options } = this
    if (successor === undefined || ticket !== successor.ticket) {
      connection.destroy()
      return
    }
    successor.descriptors = connection
    const sockets = options.sockets()
    try {
      const fds = sockets.map(({ fd }) => fd)
      sendDescriptors(options.calls, descriptorOf(connection), fds)
      const names = sockets.map(({ kind, wanted, number }) => ({ kind, wanted, number }))
      successor.link.send({ sockets: names, program: options.kernelProgram() })
    } catch (error) {
      this.giveUp(String(error))
    }
  }

  private sendCache({ socket }: Link): void {
    writeAll(socket, this.options.cacheDump()).catch((error: unknown) => {
      socket.destroy()
      this.options.onEvent('failed', `cache: ${String(error)}`)
    })
  }

  private onMessage(successor: Client, { state, connections }: Message): void {
    if (state === 'starting') {
      this.waitOn(successor)
      return
    }
    this.limitTime()
    if (state === 'serving') {
      successor.isServing = true
      this.pause(successor).catch((error: unknown) => this.giveUp(String(error)))
    } else if (state === 'done' && successor.isServing) {
      this.release(successor, connections !== false).catch((error: unknown) => {
        this.options.onEvent('failed', String(error))
      })
    } else this.giveUp(`it said ${JSON.stringify(state)} out of turn`)
  }

  private waitOn({ cameMs }: Client): void {
    const isInTime = performance.now() - cameMs < (startTimeoutsMax - 1) * this.options.timeoutMs
    if (isInTime) this.limitTime()
  }

  private async pause({ link }: Client): Promise<void> {
    await this.options.service.pauseReceiving()
    link.send({ state: 'paused' })
  }

  private async release(successor: Client, takesConnections: boolean): Promise<void> {
    const { link } = successor
    clearTimeout(this.timer)
    // The point of no return: the successor has the sockets, whatever happens to it.
    link.listen(ignore)
    await this.stopListening()
    link.send({ state: 'released' })
    this.options.onEvent('handed-over', '')
    const give: GiveConnection = (server, client) => this.give(successor, server, client)
    await this.options.service.retire(takesConnections ? give : undefined)
    successor.descriptors?.destroy()
    this.successor = undefined
    this.onIdle()
    if (this.options.waits) {
      link.send({ state: 'waiting' })
      this.watch(link)
    } else {
      link.send({ state: 'gone' })
      link.close()
    }
  }

  /** When the serving process ends, another may have followed it already; if none has, we serve again. */
  private watch(link: Link): void {
    link.listen(ignore, () => {
      if (this.isStopped) return
      this.whoServes().then(
        (next) => {
          if (next === undefined) this.options.service.resume()
          else this.watch(next)
        },
        (error: unknown) => this.options.onEvent('failed', String(error)),
      )
    })
  }

  private async whoServes(): Promise<Link | undefined> {
    const socket = await connectTo(this.options.at)
    if (socket === undefined) return undefined
    this.open.add(socket)
    const link = new Link(socket)
    link.send({ neardns: protocolVersion, want: 'watch' })
    return link
  }

  private give({ link, descriptors }: Client, server: string, client: Socket): boolean {
    if (descriptors === undefined || !link.isOpen) return false
    try {
      sendDescriptors(this.options.calls, descriptorOf(descriptors), [descriptorOf(client)])
    } catch {
      return false
    }
    link.send({ connection: server })
    return true
  }

  /** The successor has failed: everything is as before. */
  private giveUp(why: string): void {
    const { successor } = this
    if (successor === undefined) return
    clearTimeout(this.timer)
    this.successor = undefined
    successor.link.listen(ignore)
    successor.link.socket.destroy()
    successor.descriptors?.destroy()
    if (successor.isServing) this.options.service.resumeReceiving()
    this.options.onEvent('given-up', why)
    this.onIdle()
  }
}

function ignore(): void {}
