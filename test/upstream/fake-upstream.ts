/**
 * A DNS server on loopback that does what a test tells it: UDP and TCP on one port, every query kept, and a function
 * that decides what happens to it. It can answer, delay, stay silent, send junk first, reset, close, die and return.
 * The messages are put together here by hand and not by src/wire, which they are to judge.
 *
 *     const upstream = await FakeUpstream.start((query) => query.answer())
 *     upstream.behave = delayed(300)            // from now on
 *     await upstream.kill(); await upstream.revive()
 *     await upstream.stop()
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { freePort } from '../support/free-port.ts'

export interface AnswerOptions {
  readonly rcode?: number
  readonly tc?: boolean
  /** Of the A record; `null` for an empty answer section. */
  readonly address?: string | null
  readonly ttl?: number
}

export type Behaviour = (query: FakeQuery) => void

export interface FakeUpstreamOptions {
  readonly host?: string
  readonly port?: number
  /** PEM; TCP then speaks TLS. */
  readonly tls?: {
    readonly key: string
    readonly cert: string
    /** Clients are asked for a certificate that these have signed. */
    readonly ca?: string
    readonly requestCert?: boolean
  }
}

/** One query as it arrived. */
export class FakeQuery {
  readonly upstream: FakeUpstream
  readonly transport: 'udp' | 'tcp'
  readonly message: Buffer
  /** Source port: of the datagram, or of its connection. */
  readonly port: number
  readonly atMs = performance.now()
  /** Counts connections from 1; 0 for UDP. */
  readonly connection: number
  private readonly write: (message: Buffer) => void
  private readonly socket: Socket | undefined

  constructor(
    upstream: FakeUpstream,
    message: Buffer,
    origin: {
      port: number
      connection: number
      write: (message: Buffer) => void
      socket?: Socket
    },
  ) {
    this.upstream = upstream
    this.message = Buffer.from(message)
    this.transport = origin.socket === undefined ? 'udp' : 'tcp'
    this.port = origin.port
    this.connection = origin.connection
    this.write = origin.write
    this.socket = origin.socket
  }

  get id(): number {
    return this.message.readUInt16BE(0)
  }

  get questionEnd(): number {
    let at = 12
    while (this.message.readUInt8(at) !== 0) at += this.message.readUInt8(at) + 1
    return at + 5
  }

  /** Without a dot at the end; the root is the empty string. */
  get qname(): string {
    const labels: string[] = []
    for (let at = 12; this.message.readUInt8(at) !== 0; at += this.message.readUInt8(at) + 1) {
      labels.push(this.message.toString('latin1', at + 1, at + 1 + this.message.readUInt8(at)))
    }
    return labels.join('.')
  }

  get hasOpt(): boolean {
    return this.message.readUInt16BE(10) > 0
  }

  /** Sends a proper answer at once. */
  answer(options: AnswerOptions = {}): void {
    this.send(answerTo(this, options))
  }

  /** Sends octets as they are (over TCP behind their length). */
  send(message: Buffer): void {
    this.write(message)
  }

  /** Sends octets without a length; TCP only. */
  sendRaw(octets: Buffer): void {
    this.socket?.write(octets)
  }

  /** Ends the query's connection with RST. */
  reset(): void {
    this.socket?.resetAndDestroy()
  }

  /** Ends the query's connection with FIN, after what was sent. */
  end(): void {
    this.socket?.end()
  }

  /** Runs `what` later, unless the server has stopped by then. */
  after(delayMs: number, what: () => void): void {
    this.upstream.after(delayMs, what)
  }
}

export class FakeUpstream {
  behave: Behaviour
  /** In order of arrival, signs of life (`. NS`) not among them. */
  readonly queries: FakeQuery[] = []
  /** Signs of life that were asked for; answered with REFUSED unless `answersTrials` is off. */
  readonly trials: FakeQuery[] = []
  answersTrials = true
  /** TCP connections accepted so far, and when. */
  readonly acceptedAtMs: number[] = []
  readonly host: string
  port = 0
  private readonly options: FakeUpstreamOptions
  private readonly sockets = new Set<Socket>()
  private readonly timers = new Set<NodeJS.Timeout>()
  private tcp: Server | undefined
  private udp: UdpSocket | undefined

  private constructor(behave: Behaviour, options: FakeUpstreamOptions) {
    this.behave = behave
    this.options = options
    this.host = options.host ?? '127.0.0.1'
    this.port = options.port ?? 0
  }

  static async start(
    behave: Behaviour = (query) => query.answer(),
    options: FakeUpstreamOptions = {},
  ): Promise<FakeUpstream> {
    const upstream = new FakeUpstream(behave, options)
    await upstream.revive()
    return upstream
  }

  get connectionsAccepted(): number {
    return this.acceptedAtMs.length
  }

  get connectionsOpen(): number {
    return this.sockets.size
  }

  /**
   * Listens on the same port as before, or on a free one the first time. That one is outside the range from which the kernel
   * takes source ports, so that no socket of another process is given it while this server is gone.
   */
  async revive(): Promise<void> {
    const isFirst = this.port === 0
    for (let attempt = 1; ; attempt++) {
      if (isFirst) this.port = await freePort(this.host)
      try {
        await this.listen()
        return
      } catch (error) {
        await this.kill()
        if (this.options.port !== undefined || attempt === 20) throw error
        if (!isFirst) await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }

  /** Gone as after SIGKILL: connections are reset, and both ports refuse. */
  async kill(): Promise<void> {
    this.resetConnections()
    const { tcp, udp } = this
    this.tcp = undefined
    this.udp = undefined
    udp?.close()
    if (tcp?.listening) {
      tcp.close()
      await once(tcp, 'close')
    }
  }

  /** UDP only from now on: nobody listens on the TCP port. */
  async refuseTcp(): Promise<void> {
    this.resetConnections()
    const { tcp } = this
    this.tcp = undefined
    tcp?.close()
    if (tcp !== undefined) await once(tcp, 'close')
  }

  /** TCP only from now on: the UDP port is closed. */
  async refuseUdp(): Promise<void> {
    const { udp } = this
    this.udp = undefined
    if (udp !== undefined) await new Promise<void>((resolve) => udp.close(resolve))
  }

  /** Every open connection is reset (TLS: closed); the server stays. */
  resetConnections(): void {
    for (const socket of this.sockets) {
      if (this.options.tls === undefined) socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  /** Every open connection gets FIN. */
  endConnections(): void {
    for (const socket of this.sockets) socket.end()
  }

  /** A datagram from this server's port, to whatever local port. */
  sendUdp(message: Buffer, port: number): void {
    this.udp?.send(message, port, this.host)
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
    await this.kill()
  }

  after(delayMs: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      what()
    }, delayMs)
    this.timers.add(timer)
  }

  private async listen(): Promise<void> {
    const onConnection = (socket: Socket) => this.onConnection(socket)
    const { tls } = this.options
    this.tcp =
      tls === undefined ? createTcpServer(onConnection) : createTlsServer({ ...tls }, onConnection)
    // A client that gives up a handshake is no concern of ours.
    this.tcp.on('tlsClientError', () => {})
    this.tcp.listen(this.port, this.host)
    await once(this.tcp, 'listening')
    const address = this.tcp.address()
    if (typeof address === 'object' && address !== null) this.port = address.port
    const udp = createSocket(this.host.includes(':') ? 'udp6' : 'udp4')
    this.udp = udp
    udp.on('message', (message, from) => {
      const write = (reply: Buffer) => {
        if (this.udp === udp) udp.send(reply, from.port, from.address)
      }
      this.onQuery(new FakeQuery(this, message, { port: from.port, connection: 0, write }))
    })
    udp.bind(this.port, this.host)
    await once(udp, 'listening')
    // The default holds 256 small queries; a test that asks 1,000 at once is not about that.
    udp.setRecvBufferSize(4 * 1024 * 1024)
    udp.on('error', () => {})
  }

  private onConnection(socket: Socket): void {
    const connection = this.acceptedAtMs.push(performance.now())
    const port = socket.remotePort ?? 0
    this.sockets.add(socket)
    socket.on('close', () => this.sockets.delete(socket))
    socket.on('error', () => {})
    socket.setNoDelay(true)
    const write = (reply: Buffer) => {
      const length = Buffer.from([reply.length >> 8, reply.length & 0xff])
      socket.write(Buffer.concat([length, reply]))
    }
    let held = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const message = held.subarray(2, 2 + held.readUInt16BE(0))
        held = held.subarray(2 + message.length)
        this.onQuery(new FakeQuery(this, message, { port, connection, write, socket }))
      }
    })
  }

  private onQuery(query: FakeQuery): void {
    if (query.qname !== '') {
      this.queries.push(query)
      this.behave(query)
      return
    }
    this.trials.push(query)
    if (this.answersTrials) query.answer({ rcode: 5, address: null })
  }
}

/** Never answers. */
export const silent: Behaviour = () => {}

/** Answers properly after `delayMs`. */
export function delayed(delayMs: number, options: AnswerOptions = {}): Behaviour {
  return (query) => query.after(delayMs, () => query.answer(options))
}

/**
 * CoreDNS's way: the queries of one connection are served one after another, each datagram by itself.
 * @param onDepth told with each query how many its connection has open
 */
export function oneByOne(
  tookMs: (query: FakeQuery) => number,
  onDepth: (depth: number) => void = () => undefined,
): Behaviour {
  const lines = new Map<number, FakeQuery[]>()
  const serve = (line: FakeQuery[]): void => {
    const [query] = line
    query?.after(tookMs(query), () => {
      line.shift()
      query.answer()
      serve(line)
    })
  }
  return (query) => {
    if (query.transport === 'udp') {
      query.after(tookMs(query), () => query.answer())
      return
    }
    const line = lines.get(query.connection) ?? []
    lines.set(query.connection, line)
    onDepth(line.push(query))
    if (line.length === 1) serve(line)
  }
}

/** Answers with a bare rcode: 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
export function failing(rcode: number): Behaviour {
  return (query) => query.answer({ rcode, address: null })
}

/** Sends `junk` at once and a proper answer after `delayMs`. */
export function junkFirst(junk: (query: FakeQuery) => Buffer, delayMs: number): Behaviour {
  return (query) => {
    query.send(junk(query))
    query.after(delayMs, () => query.answer())
  }
}

/** A well-formed answer: the query's header and question, and one A record. */
export function answerTo(query: FakeQuery, options: AnswerOptions = {}): Buffer {
  const reply = Buffer.from(query.message.subarray(0, query.questionEnd))
  const { rcode = 0, tc = false, address = '10.9.8.7', ttl = 60 } = options
  reply[2] = 0x81 | (tc ? 0x02 : 0)
  reply[3] = 0x80 | rcode
  reply.writeUInt16BE(0, 10)
  if (address === null || rcode !== 0) return reply
  reply.writeUInt16BE(1, 6)
  return Buffer.concat([reply, recordA([0xc0, 12], address, ttl)])
}

export function recordA(owner: readonly number[], address: string, ttl: number): Buffer {
  const record = Buffer.from([
    ...owner,
    0,
    1,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    4,
    ...address.split('.').map(Number),
  ])
  record.writeUInt32BE(ttl, owner.length + 4)
  return record
}
