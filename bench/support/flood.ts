/**
 * A closed-loop client that never asks the same name twice: a bounded number of queries is out, each answer makes room for
 * the next. For loads that must go as fast as the server can and no faster; says nothing about latency, because a
 * slow server slows it down (the open-loop generators do that).
 */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'

export interface FloodSpec {
  readonly port: number
  /** Queries that are out at any time, over all sockets. */
  readonly inFlight: number
  /** Each socket has an address of its own (127.1.0.x), as if it were a pod. */
  readonly sockets: number
  /** Queries after which the flood ends; infinite for none. */
  readonly total: number
}

export interface FloodCounts {
  sent: number
  /** The answer that the name asks for; truncated ones count as such when they say TC. */
  right: number
  wrong: number
  servfail: number
  /** Not answered within five seconds, as long as a stub resolver waits. */
  lost: number
}

const lostAfterMs = 5000
const headerBytes = 12
const zones = ['bench.cluster.local', 'flood.test'].map((zone) =>
  Buffer.concat([...zone.split('.').map(label), Buffer.of(0)]),
)

export class Flood {
  readonly counts: FloodCounts = { sent: 0, right: 0, wrong: 0, servfail: 0, lost: 0 }
  /** Settles when the last query has its fate. */
  readonly ended: Promise<void>
  private readonly spec: FloodSpec
  private readonly names = new NameSource()
  private lanes: FloodLane[] = []
  private sweeper: NodeJS.Timeout | undefined
  private isStopping = false
  private onEnded: () => void = () => {}

  constructor(spec: FloodSpec) {
    this.spec = spec
    this.ended = new Promise((resolve) => {
      this.onEnded = resolve
    })
  }

  async start(): Promise<void> {
    const perLane = Math.ceil(this.spec.inFlight / this.spec.sockets)
    const opening = Array.from({ length: this.spec.sockets }, (_, n) =>
      FloodLane.open(this.spec.port, `127.1.0.${n + 1}`, this),
    )
    this.lanes = await Promise.all(opening)
    for (const lane of this.lanes) for (let i = 0; i < perLane; i++) lane.next()
    this.sweeper = setInterval(() => this.sweep(), 250)
  }

  /** Sends no more; `ended` settles once what is out was answered or lost. */
  stop(): void {
    this.isStopping = true
  }

  /** @returns the next query, or undefined when there is to be none */
  take(): Buffer | undefined {
    if (this.isStopping || this.counts.sent >= this.spec.total) return undefined
    this.counts.sent += 1
    return this.names.next()
  }

  private sweep(): void {
    for (const lane of this.lanes) lane.giveUpBefore(performance.now() - lostAfterMs)
    const isOver = this.isStopping || this.counts.sent >= this.spec.total
    if (!isOver || this.lanes.some((lane) => !lane.isIdle)) return
    clearInterval(this.sweeper)
    for (const lane of this.lanes) lane.close()
    this.onEnded()
  }
}

interface Out {
  readonly query: Buffer
  readonly sentMs: number
}

class FloodLane {
  private readonly socket: Socket
  private readonly flood: Flood
  private readonly out = new Map<number, Out>()
  private id = 0

  private constructor(socket: Socket, flood: Flood) {
    this.socket = socket
    this.flood = flood
    socket.on('message', (reply) => this.receive(reply))
    // A server that is gone refuses: what is out will count as lost.
    socket.on('error', () => undefined)
  }

  static async open(port: number, address: string, flood: Flood): Promise<FloodLane> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 })
    await new Promise<void>((resolve) => socket.bind(0, address, resolve))
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
    return new FloodLane(socket, flood)
  }

  get isIdle(): boolean {
    return this.out.size === 0
  }

  next(): void {
    const query = this.flood.take()
    if (query === undefined) return
    do this.id = (this.id + 1) & 0xffff
    while (this.out.has(this.id))
    query.writeUInt16BE(this.id, 0)
    this.out.set(this.id, { query, sentMs: performance.now() })
    this.socket.send(query)
  }

  giveUpBefore(sentBeforeMs: number): void {
    for (const [id, { sentMs }] of this.out) {
      if (sentMs > sentBeforeMs) return
      this.out.delete(id)
      this.flood.counts.lost += 1
      this.next()
    }
  }

  close(): void {
    this.socket.close()
  }

  private receive(reply: Buffer): void {
    const id = reply.readUInt16BE(0)
    const out = this.out.get(id)
    if (out === undefined) return
    this.out.delete(id)
    this.flood.counts[judge(out.query, reply)] += 1
    this.next()
  }
}

function judge(query: Buffer, reply: Buffer): 'right' | 'wrong' | 'servfail' {
  const rcode = reply.readUInt8(3) & 0x0f
  if (rcode === 2) return 'servfail'
  const isDenied = query.readUInt8(headerBytes + 1) === nonexistent
  const isTruncated = (reply.readUInt8(2) & 0x02) !== 0
  if (rcode !== (isDenied ? 3 : 0)) return 'wrong'
  return isDenied || isTruncated || reply.readUInt16BE(6) > 0 ? 'right' : 'wrong'
}

const nonexistent = 'n'.charCodeAt(0)

/** Queries for names that are new each time: a counter makes them so, random letters make them unlike. */
export class NameSource {
  private count = 0
  private random = randomBytes(65_536)
  private at = 0

  next(): Buffer {
    this.count += 1
    const kind = kindOf(this.draw())
    const padding = letters.slice(0, this.draw() % letters.length)
    const first = label(`${kind}-${this.count.toString(36)}-${this.draw()}${padding}`)
    const zone = zones[this.count & 1] ?? Buffer.of(0)
    const query = Buffer.alloc(headerBytes + first.length + zone.length + 4 + optRecord.length)
    query.writeUInt16BE(0x0100, 2)
    query.writeUInt16BE(1, 4)
    query.writeUInt16BE(1, 10)
    let at = headerBytes
    at += first.copy(query, at)
    at += zone.copy(query, at)
    at = query.writeUInt32BE(0x0001_0001, at)
    optRecord.copy(query, at)
    return query
  }

  private draw(): number {
    if (this.at >= this.random.length) {
      this.random = randomBytes(65_536)
      this.at = 0
    }
    return this.random.readUInt8(this.at++)
  }
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** OPT with a payload size of 4,096. */
const optRecord = Buffer.from([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0])

/** A third denied, half with a few addresses, the rest up to 250 addresses (4 KiB). */
function kindOf(draw: number): string {
  if (draw < 85) return 'n'
  if (draw < 215) return `a${1 + (draw & 3)}`
  if (draw < 245) return `a${8 + (draw & 31)}`
  return `a${60 + (draw - 245) * 19}`
}

function label(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1')])
}
