/**
 * An open-loop client: sends at a rate whatever comes back, and takes the time of each answer. What is not answered within a second
 * counts as lost. A slow process of ours would look like a slow server: `lagMaxMs` says how far behind its schedule it was.
 */
import { createSocket, type Socket } from 'node:dgram'

export interface SteadyCounts {
  sent: number
  answered: number
  servfail: number
  lost: number
  lagMaxMs: number
}

const lostAfterMs = 1000

export class SteadyClient {
  readonly counts: SteadyCounts = { sent: 0, answered: 0, servfail: 0, lost: 0, lagMaxMs: 0 }
  readonly latenciesMs: number[] = []
  private readonly socket: Socket
  private readonly next: () => Buffer
  private readonly out = new Map<number, number>()
  private id = 0
  private timer: NodeJS.Timeout | undefined

  private constructor(socket: Socket, next: () => Buffer) {
    this.socket = socket
    this.next = next
    socket.on('message', (reply) => this.receive(reply))
    socket.on('error', () => undefined)
  }

  /** @param next the next query; its ID is written over */
  static async open(address: string, port: number, next: () => Buffer): Promise<SteadyClient> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 })
    await new Promise<void>((resolve) => socket.bind(0, address, resolve))
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
    return new SteadyClient(socket, next)
  }

  /** Sends for a time, and waits for what is still out. */
  async run(perSecond: number, forMs: number): Promise<void> {
    const startMs = performance.now()
    let due = 0
    await new Promise<void>((resolve) => {
      this.timer = setInterval(() => {
        const elapsedMs = performance.now() - startMs
        const wanted = (Math.min(elapsedMs, forMs) * perSecond) / 1000
        this.counts.lagMaxMs = Math.max(this.counts.lagMaxMs, ((wanted - due) * 1000) / perSecond)
        for (; due < wanted; due++) this.send()
        this.giveUp()
        if (elapsedMs > forMs && this.out.size === 0) resolve()
      }, 1)
    })
    clearInterval(this.timer)
  }

  close(): void {
    this.socket.close()
  }

  private send(): void {
    const query = this.next()
    this.id = (this.id + 1) & 0xffff
    query.writeUInt16BE(this.id, 0)
    this.out.set(this.id, performance.now())
    this.counts.sent += 1
    this.socket.send(query)
  }

  private receive(reply: Buffer): void {
    const id = reply.readUInt16BE(0)
    const sentMs = this.out.get(id)
    if (sentMs === undefined) return
    this.out.delete(id)
    this.counts.answered += 1
    if ((reply.readUInt8(3) & 0x0f) === 2) this.counts.servfail += 1
    this.latenciesMs.push(performance.now() - sentMs)
  }

  private giveUp(): void {
    const beforeMs = performance.now() - lostAfterMs
    for (const [id, sentMs] of this.out) {
      if (sentMs > beforeMs) return
      this.out.delete(id)
      this.counts.lost += 1
    }
  }
}
