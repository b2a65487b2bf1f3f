/** Asks names over UDP from this process: at a steady rate, or so many at once all the time. Tells how long each took, and judges nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { UdpClient } from '../../test/support/client/dns-client.ts'
import { writeQuery } from '../../test/support/client/dns-message.ts'
import { median, percentile } from './statistics.ts'

/** An answer that takes longer is lost: the stub resolvers of C libraries give up then. */
const patienceMs = 5000

/** Whom to ask from where. */
export interface Way {
  /** Of the server, on 127.0.0.1. */
  readonly port: number
  /** Source address. */
  readonly client: string
}

export interface Asked {
  readonly asked: number
  /** With NOERROR. */
  readonly answered: number
  /** Of those answered, in milliseconds; NaN without any. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Median of the p99 of each second: what held up the whole machine for a moment does not count. */
  readonly secondP99Ms: number
  readonly maxMs: number
}

/** Sends at a steady rate until it is stopped. */
export class Sender {
  private isOver = false
  private readonly done: Promise<void>

  constructor(perSecond: number, send: (i: number) => void) {
    this.done = this.run(perSecond, send)
  }

  async stop(): Promise<void> {
    this.isOver = true
    await this.done
  }

  private async run(perSecond: number, send: (i: number) => void): Promise<void> {
    const startMs = performance.now()
    for (let sent = 0; !this.isOver; await sleep(2)) {
      for (const due = ((performance.now() - startMs) * perSecond) / 1000; sent < due; sent++)
        send(sent)
    }
  }
}

/** Questions of one client that are matched to their replies by ID. */
class Exchange {
  asked = 0
  private readonly answers: { readonly sentMs: number; readonly tookMs: number }[] = []
  private readonly client: UdpClient
  private readonly open = new Map<number, { readonly sentMs: number; readonly done: () => void }>()

  constructor(client: UdpClient) {
    this.client = client
    client.socket.on('message', (reply: Buffer) => this.onReply(reply))
  }

  static async on({ port, client }: Way): Promise<Exchange> {
    return new Exchange(await UdpClient.open({ host: '127.0.0.1', port }, client))
  }

  /** @param done called when it was answered or lost */
  ask(name: string, done: () => void = () => undefined): void {
    const id = this.asked & 0xffff
    this.asked += 1
    this.open.set(id, { sentMs: performance.now(), done })
    this.client.send(writeQuery(name, 'A', { id }))
  }

  dropLate(): void {
    const fromMs = performance.now() - patienceMs
    for (const [id, { sentMs, done }] of this.open) {
      if (sentMs > fromMs) return
      this.open.delete(id)
      done()
    }
  }

  /** Waits for what is open, and tells. */
  async end(): Promise<Asked> {
    for (; this.open.size > 0; await sleep(10)) this.dropLate()
    await this.client.close()
    const { answers } = this
    const at = (share: number, of = answers) =>
      percentile(
        of.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b),
        share,
      )
    const seconds = Map.groupBy(answers, ({ sentMs }) => Math.floor(sentMs / 1000))
    const secondP99Ms = median([...seconds.values()].map((of) => at(0.99, of)))
    const times = { p50Ms: at(0.5), p99Ms: at(0.99), secondP99Ms, maxMs: at(1) }
    return { asked: this.asked, answered: answers.length, ...times }
  }

  private onReply(reply: Buffer): void {
    const id = reply.readUInt16BE(0)
    const question = this.open.get(id)
    if (question === undefined) return
    this.open.delete(id)
    const { sentMs } = question
    const isAnswer = (reply.readUInt8(3) & 0x0f) === 0
    if (isAnswer) this.answers.push({ sentMs, tookMs: performance.now() - sentMs })
    question.done()
  }
}

export async function askSteadily(
  way: Way,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  nameOf: (i: number) => string,
): Promise<Asked> {
  const exchange = await Exchange.on(way)
  const sender = new Sender(perSecond, (i) => exchange.ask(nameOf(i)))
  await sleep(seconds * 1000)
  await sender.stop()
  return await exchange.end()
}

/** Keeps so many questions open, a new one for each that is answered or lost, until it is stopped. */
export class OpenQuestions {
  private readonly exchange: Exchange
  private readonly nameOf: (i: number) => string
  private isOver = false

  private constructor(exchange: Exchange, nameOf: (i: number) => string) {
    this.exchange = exchange
    this.nameOf = nameOf
  }

  /** @param pace the first ones are asked one after another within that time */
  static async start(
    way: Way,
    { count, forMs }: { readonly count: number; readonly forMs: number },
    nameOf: (i: number) => string,
  ): Promise<OpenQuestions> {
    const open = new OpenQuestions(await Exchange.on(way), nameOf)
    for (let i = 0; i < count; i++) {
      open.askNext()
      await sleep(forMs / count)
    }
    return open
  }

  async stop(): Promise<Asked> {
    this.isOver = true
    return await this.exchange.end()
  }

  private askNext(): void {
    if (!this.isOver) this.exchange.ask(this.nameOf(this.exchange.asked), () => this.askNext())
  }
}
