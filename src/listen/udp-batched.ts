/**
 * The UDP endpoint that reads and writes up to 64 datagrams in one system call, on Linux. It has its own socket, which libuv's
 * loop watches; replies are written straight into the slots they are sent from. Knows nothing about DNS.
 *
 * One batch: `recvmmsg` -> handler for each slot -> `sendmmsg`. After a few batches the loop gets its turn; unread datagrams make
 * the descriptor readable again at once. Later replies (misses) are collected until this turn's sockets have been read.
 *
 * CPU per cache hit at saturation, beside udp-portable.ts in the same run: docs/performance.md.
 */
import { getSystemErrorName } from 'node:util'
import { type Peer, type QueryHandler, type ReplyTo, Transport } from '../core/ports.ts'
import { countCode, type ListenAddress } from '../system/bind.ts'
import { Linux } from '../system/linux.ts'
import { batchSlots, MessageBatch, type SavedPeer } from '../system/message-batch.ts'
import { boundPort, openUdpSocket } from '../system/open-socket.ts'
import { addressOf, nameBytesOf, portOf } from '../system/socket-name.ts'
import type { SystemCalls, Watch } from '../system/system-calls.ts'
import { UdpCounts } from './udp-counts.ts'
import type { UdpEndpoint, UdpEndpointOptions, UdpStats } from './udp-endpoint.ts'
import { SendQueue } from './udp-send-queue.ts'

/** Batches read before the loop gets its turn: 256 queries, 1.5 ms at full speed. */
const batchesPerTurn = 4

export class BatchedUdpEndpoint implements UdpEndpoint {
  readonly stats: UdpStats
  private readonly options: UdpEndpointOptions
  private readonly calls: SystemCalls
  private readonly counts = new UdpCounts()
  private readonly peer: SlotView
  private boundAddress: ListenAddress
  private handler: QueryHandler | undefined
  private open: OpenSocket | undefined
  private receiving = false

  /** @param calls from `loadSystemCalls` */
  constructor(options: UdpEndpointOptions, calls: SystemCalls) {
    this.options = options
    this.calls = calls
    this.boundAddress = options.address
    this.stats = this.counts
    this.peer = new SlotView(this, options)
  }

  get address(): ListenAddress {
    return this.boundAddress
  }

  async start(handler: QueryHandler): Promise<void> {
    const { address, settings, isShared } = this.options
    const { calls, counts } = this
    const fd = this.options.fd ?? openUdpSocket(calls, address, isShared)
    this.boundAddress = { ...address, port: boundPort(calls, fd, address.family) }
    counts.receiveBufferBytes = growBuffers(calls, fd, settings.receiveBufferBytes)
    const batches = new Batches(calls, address)
    const watch = calls.watch(fd, (isWritable) => this.onEvent(isWritable))
    const { outgoing } = batches
    const max = settings.sendQueueMax
    const queue = new SendQueue({ calls, fd, watch, counts, max, retry: outgoing })
    this.open = { fd, watch, queue, ...batches }
    this.peer.batch = batches.incoming
    this.handler = handler
    this.receiving = true
  }

  stopReceiving(): void {
    this.receiving = false
  }

  pauseReceiving(): void {
    this.open?.watch.setReadable(false)
  }

  resumeReceiving(): void {
    this.open?.watch.setReadable(true)
  }

  async stop(): Promise<void> {
    const { open } = this
    if (open === undefined) return
    this.flushLater(open)
    this.open = undefined
    this.receiving = false
    await open.watch.close()
    this.calls.closeDescriptor(open.fd)
  }

  /** Sends a reply that was not ready at once. The caller may reuse the bytes on return. */
  sendLater(reply: Uint8Array, peer: SavedPeer): void {
    const { open } = this
    if (open === undefined) {
      this.counts.unsendable += 1
      return
    }
    if (open.laterCount === batchSlots) this.flushLater(open)
    const slot = open.laterCount++
    ;(open.later.slots[slot] as Buffer).set(reply)
    open.later.setLength(slot, reply.length)
    open.later.restorePeer(slot, peer)
    if (portOf(open.later.memory, open.later.nameAt(slot)) === 0) {
      open.laterCount -= 1
      this.counts.unsendable += 1
    } else if (slot === 0) setImmediate(this.onTurnEnd)
  }

  private readonly onTurnEnd = (): void => {
    if (this.open !== undefined) this.flushLater(this.open)
  }

  private flushLater(open: OpenSocket): void {
    const count = open.laterCount
    open.laterCount = 0
    if (count > 0) open.queue.send(open.later, count)
  }

  /** Called by libuv through FFI: an exception must not leave it. */
  private onEvent(isWritable: boolean): void {
    const { open } = this
    if (open === undefined) return
    try {
      if (isWritable) open.queue.onWritable()
      for (let batch = 0; batch < batchesPerTurn; batch++) {
        if (!this.readBatch(open)) break
      }
    } catch (error) {
      this.onDefect(error)
    }
  }

  /** @returns whether there may be more to read */
  private readBatch(open: OpenSocket): boolean {
    const { incoming, outgoing, queue, fd } = open
    incoming.rearm()
    const count = this.calls.receiveMessages(fd, incoming.headers, batchSlots)
    if (count < 0) {
      if (count !== -Linux.eagain && count !== -Linux.eintr) {
        countCode(this.counts.socketErrors, getSystemErrorName(count))
      }
      return false
    }
    if (!this.receiving) {
      this.counts.ignored += count
      return count === batchSlots
    }
    this.counts.received += count
    const replies = this.handleBatch(incoming, outgoing, count)
    if (replies > 0) queue.send(outgoing, replies)
    return count === batchSlots
  }

  /** @returns the number of replies written to `outgoing` */
  private handleBatch(incoming: MessageBatch, outgoing: MessageBatch, count: number): number {
    const { peer } = this
    let replies = 0
    this.handler?.beginBatch()
    for (let slot = 0; slot < count; slot++) {
      peer.slot = slot
      peer.port = portOf(incoming.memory, incoming.nameAt(slot))
      const replyBytes = this.handle(incoming, slot, outgoing.slots[replies] as Buffer)
      if (replyBytes === 0) continue
      if (peer.port === 0) {
        this.counts.unsendable += 1
        continue
      }
      outgoing.setLength(replies, replyBytes)
      outgoing.copyPeer(replies, incoming, slot)
      replies += 1
    }
    return replies
  }

  private handle(incoming: MessageBatch, slot: number, out: Buffer): number {
    try {
      const query = incoming.slots[slot] as Buffer
      return this.handler?.handle(query, incoming.received(slot), out, this.peer) ?? 0
    } catch (error) {
      this.onDefect(error)
      return 0
    }
  }

  private onDefect(error: unknown): void {
    this.counts.handlerDefects += 1
    this.options.onDefect?.(error)
  }
}

class Batches {
  readonly incoming: MessageBatch
  readonly outgoing: MessageBatch
  readonly later: MessageBatch
  laterCount = 0

  constructor(calls: SystemCalls, { address, family }: ListenAddress) {
    const make = () => new MessageBatch(calls, nameBytesOf(family), isWildcard(address))
    this.incoming = make()
    this.outgoing = make()
    this.later = make()
  }
}

interface OpenSocket extends Batches {
  readonly fd: number
  readonly watch: Watch
  readonly queue: SendQueue
}

/** More pods than a node has; 40 KB. */
const textsMax = 512

/** The one Peer of an endpoint: shows the sender of the datagram being handled. */
class SlotView implements Peer {
  readonly transport = Transport.udp
  readonly family: 4 | 6
  readonly serverIndex: number
  port = 0
  slot = 0
  batch: MessageBatch | undefined
  /** Texts of recently used client addresses: few clients ask, and often. */
  private readonly texts = new Map<number, string>()
  private readonly endpoint: BatchedUdpEndpoint

  constructor(endpoint: BatchedUdpEndpoint, options: UdpEndpointOptions) {
    this.endpoint = endpoint
    this.family = options.address.family
    this.serverIndex = options.serverIndex
  }

  address(): string {
    const { batch, slot, family, texts } = this
    if (batch === undefined) return ''
    if (family === 6) return addressOf(batch.memory, batch.nameAt(slot), 6)
    const address = batch.v4AddressOf(slot)
    const known = texts.get(address)
    if (known !== undefined) return known
    if (texts.size >= textsMax) texts.clear()
    const text = addressOf(batch.memory, batch.nameAt(slot), 4)
    texts.set(address, text)
    return text
  }

  hold(): ReplyTo {
    return new HeldSender(this.endpoint, this.batch?.savePeer(this.slot) ?? [])
  }
}

class HeldSender implements ReplyTo {
  private readonly endpoint: BatchedUdpEndpoint
  private readonly peer: SavedPeer

  constructor(endpoint: BatchedUdpEndpoint, peer: SavedPeer) {
    this.endpoint = endpoint
    this.peer = peer
  }

  send(reply: Uint8Array): void {
    this.endpoint.sendLater(reply, this.peer)
  }
}

/** A socket bound to no address answers from the queried address only if told to. */
function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

/**
 * Requests buffers that hold a burst, beyond the system's maximum if we have CAP_NET_ADMIN.
 * @returns the granted receive buffer; Linux reports twice that, its own bookkeeping included (socket(7), SO_RCVBUF)
 */
function growBuffers(calls: SystemCalls, fd: number, bytes: number): number {
  const wanted = new Uint8Array(Int32Array.of(bytes).buffer)
  const grow = (option: number, forced: number) => {
    if (calls.setOption(fd, Linux.solSocket, forced, wanted) < 0) {
      calls.setOption(fd, Linux.solSocket, option, wanted)
    }
  }
  grow(Linux.soRcvBuf, Linux.soRcvBufForce)
  grow(Linux.soSndBuf, Linux.soSndBufForce)
  return calls.getIntOption(fd, Linux.solSocket, Linux.soRcvBuf) / 2
}
