/**
 * The UDP endpoint that works everywhere, on Node's dgram. Owner of dgram-as-promised. Reads datagrams, hands
 * them to the handler and sends what it wrote; knows nothing about DNS.
 *
 * dgram-as-promised 6.0.0 carries the socket's life: it creates the socket with its receiver, binds it, sizes its buffer,
 * closes it and lets it go. What it does not carry goes through its `.socket`, for these reasons, all measured:
 * - `recv()` and the iterator make a promise and add three listeners for each datagram (250 to 330 ns, the callback of
 *   `createSocket` 11), keep no queue (2 of 64 arrive when the loop awaits a timer or a reply), and end at a socket error.
 * - `send()` makes a promise for each datagram (52 ns, a callback 6), and does not send the one that follows a socket error:
 *   it rejects with that error instead.
 * - It has neither the 'error' event, nor the length of the send queue, nor a way to pause.
 * - `getSendBufferSize()` calls itself until the stack is full. `setTimeout()` makes it emit 'error' on the socket.
 *
 * dgram says neither which address was asked nor lets one choose the source (IP_PKTINFO), and the kernel's choice is another address
 * of the machine as soon as it has two; clients drop such replies. So a wildcard address is refused (docs/decisions/0043).
 *
 * dgram's own: `send` throws for port 0; without a callback its errors vanish (the callback costs 0.5 us of
 * about 9 us per datagram); on EAGAIN it queues without bound and keeps the caller's buffer; and without
 * `lookup` it defers every send, of an IP literal too, by a tick.
 */
import type { RemoteInfo, Socket } from 'node:dgram'
import { DgramAsPromised, type SocketAsPromised } from 'dgram-as-promised'
import { type Peer, type QueryHandler, type ReplyTo, Transport } from '../core/ports.ts'
import { BindError, countCode, errorCode, type ListenAddress } from '../system/bind.ts'
import { messageBytesMax } from '../wire/constants.ts'
import { UdpCounts } from './udp-counts.ts'
import type { UdpEndpoint, UdpEndpointOptions, UdpStats } from './udp-endpoint.ts'

export class PortableUdpEndpoint implements UdpEndpoint {
  readonly stats: UdpStats
  private readonly options: UdpEndpointOptions
  private readonly counts = new UdpCounts()
  private readonly peer: SenderView
  private boundAddress: ListenAddress
  private handler: QueryHandler | undefined
  /** From its creation to its end. */
  private opened: SocketAsPromised | undefined
  private receiving = false
  /** What the handler writes to. */
  private out = new Scratch()
  /** For replies that come later: one may be sent while a handler is writing to `out`. */
  private later = new Scratch()
  /** Length of dgram's send queue when we last looked. It only grows by our own sends. */
  private queued = 0

  constructor(options: UdpEndpointOptions) {
    this.options = options
    this.boundAddress = options.address
    this.stats = this.counts
    this.peer = new SenderView(this, options)
  }

  get address(): ListenAddress {
    return this.boundAddress
  }

  async start(handler: QueryHandler): Promise<void> {
    const { address, settings, isShared = false } = this.options
    if (isWildcard(address.address)) throw new BindError('udp', address, sourceUnknown)
    const type = address.family === 6 ? 'udp6' : 'udp4'
    // ipv6Only, so that [::] and 0.0.0.0 are two sockets, each with senders of its own family.
    const ipv6Only = address.family === 6
    const options = { type, ipv6Only, reusePort: isShared, lookup: literalLookup } as const
    const opened = DgramAsPromised.createSocket(options, this.onMessage)
    opened.socket.on('error', this.onError)
    this.handler = handler
    this.opened = opened
    try {
      const { fd } = this.options
      const bound = await opened.bind(
        fd === undefined ? { address: address.address, port: address.port } : { fd },
      )
      this.boundAddress = { ...address, port: bound.port }
    } catch (error) {
      await this.stop()
      throw new BindError('udp', address, error)
    }
    this.counts.receiveBufferBytes = growReceiveBuffer(opened, settings.receiveBufferBytes)
    this.receiving = true
  }

  stopReceiving(): void {
    this.receiving = false
  }

  pauseReceiving(): void {
    receiver(this.opened?.socket)?.recvStop()
  }

  resumeReceiving(): void {
    receiver(this.opened?.socket)?.recvStart()
  }

  async stop(): Promise<void> {
    const opened = this.opened
    this.opened = undefined
    this.receiving = false
    if (opened === undefined) return
    await opened.close()
    opened.destroy()
  }

  /** Sends a reply that was not ready at once. The bytes are free again on return. */
  sendLater(reply: Uint8Array, port: number, address: string): void {
    this.later.bytes.set(reply)
    if (this.sendFrom(this.later, reply.length, port, address)) this.later = new Scratch()
  }

  private readonly onMessage = (query: Buffer, sender: RemoteInfo): void => {
    const { handler, peer, counts } = this
    if (!this.receiving || handler === undefined) {
      counts.ignored += 1
      return
    }
    counts.received += 1
    peer.port = sender.port
    peer.addressText = sender.address
    try {
      handler.beginBatch()
      const replyBytes = handler.handle(query, query.length, this.out.bytes, peer)
      if (replyBytes === 0) return
      if (this.sendFrom(this.out, replyBytes, sender.port, sender.address)) this.out = new Scratch()
    } catch (error) {
      // An exception here would reach uncaughtException: one datagram would end the service.
      counts.handlerDefects += 1
      this.options.onDefect?.(error)
    }
  }

  /** @returns whether dgram kept the scratch buffer, which must then never be written to again */
  private sendFrom(from: Scratch, bytes: number, port: number, address: string): boolean {
    const socket = this.opened?.socket
    if (socket === undefined || port === 0) {
      this.counts.unsendable += 1
      return false
    }
    if (this.queued > 0) this.queued = socket.getSendQueueCount()
    if (this.queued > 0) {
      this.enqueue(socket, from.view(bytes), port, address)
      return false
    }
    socket.send(from.view(bytes), port, address, this.onSent)
    this.queued = socket.getSendQueueCount()
    return this.queued > 0
  }

  /** The kernel's buffer is full: whatever is sent now waits, so it gets a copy of its own, or is dropped. */
  private enqueue(socket: Socket, reply: Buffer, port: number, address: string): void {
    if (this.queued >= this.options.settings.sendQueueMax) {
      this.counts.queueDrops += 1
      return
    }
    const copy = Buffer.allocUnsafeSlow(reply.length)
    reply.copy(copy)
    socket.send(copy, port, address, this.onSent)
    this.queued += 1
  }

  private readonly onSent = (error: Error | null): void => {
    if (error === null) this.counts.sent += 1
    else countCode(this.counts.sendErrors, errorCode(error))
  }

  private readonly onError = (error: Error): void => {
    countCode(this.counts.socketErrors, errorCode(error))
  }
}

const sourceUnknown = Object.assign(
  new Error(
    'portable sockets cannot answer from the address that was asked; list the addresses in place of the wildcard, or use --io batched',
  ),
  { code: 'EOPNOTSUPP' },
)

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

/** The one Peer of an endpoint: it shows the sender of the datagram being handled. */
class SenderView implements Peer {
  readonly transport = Transport.udp
  readonly family: 4 | 6
  readonly serverIndex: number
  port = 0
  addressText = ''
  private readonly endpoint: PortableUdpEndpoint

  constructor(endpoint: PortableUdpEndpoint, options: UdpEndpointOptions) {
    this.endpoint = endpoint
    this.family = options.address.family
    this.serverIndex = options.serverIndex
  }

  address(): string {
    return this.addressText
  }

  hold(): ReplyTo {
    return new HeldSender(this.endpoint, this.port, this.addressText)
  }
}

class HeldSender implements ReplyTo {
  private readonly endpoint: PortableUdpEndpoint
  private readonly port: number
  private readonly address: string

  constructor(endpoint: PortableUdpEndpoint, port: number, address: string) {
    this.endpoint = endpoint
    this.port = port
    this.address = address
  }

  send(reply: Uint8Array): void {
    this.endpoint.sendLater(reply, this.port, this.address)
  }
}

interface Receiver {
  recvStart(): void
  recvStop(): void
}

/** dgram reads for as long as its socket is open. What stops and starts that is behind a symbol of its own (Node 20 to 26). */
function receiver(socket: Socket | undefined): Receiver | undefined {
  if (socket === undefined) return undefined
  const symbol = Object.getOwnPropertySymbols(socket).find(isStateSymbol)
  const state: unknown = symbol && Reflect.get(socket, symbol)
  const handle: unknown = isObject(state) ? Reflect.get(state, 'handle') : undefined
  if (isObject(handle) && 'recvStart' in handle && 'recvStop' in handle) return handle as Receiver
  throw new Error('this version of Node has dgram sockets that cannot be paused')
}

function isStateSymbol({ description }: symbol): boolean {
  return description === 'state symbol'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Longest reply whose view is kept; above it a view is made per reply. */
const keptViewBytesMax = 4096

/** A buffer to send from, with its views by length kept: a fresh Buffer per reply costs 0.4 us. */
class Scratch {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(messageBytesMax)
  // Made at full length: a write far behind the end would turn the array into a hash table.
  private readonly views = new Array<Buffer | undefined>(keptViewBytesMax + 1).fill(undefined)

  view(length: number): Buffer {
    if (length > keptViewBytesMax) return this.bytes.subarray(0, length)
    const kept = this.views[length]
    if (kept !== undefined) return kept
    const view = this.bytes.subarray(0, length)
    this.views[length] = view
    return view
  }
}

type LookupDone = (error: null, address: string, family: number) => void

/** dgram asks this for each send. Only IP literals come here, so the answer is there at once. */
function literalLookup(address: string, family: unknown, done: LookupDone): void {
  done(null, address, family === 6 ? 6 : 4)
}

/** @returns what was granted; Linux reports twice that, its own bookkeeping included (socket(7), SO_RCVBUF) */
function growReceiveBuffer(opened: SocketAsPromised, bytes: number): number {
  const reported = opened.setRecvBufferSize(bytes).getRecvBufferSize()
  return process.platform === 'linux' ? reported / 2 : reported
}
