/**
 * Questions over UDP: one connected socket per question, from a port that the kernel draws at random, closed with the question
 * (RFC 5452 9.2, 10). The kernel then filters by peer, and an ICMP "port unreachable" arrives as an error. It costs 28 us more
 * than a socket kept open (measured: 55 against 27 us per round trip), and there is no pool whose ports could be learned. Only
 * the valid reply ends the wait; judges no rcode.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { withZoneName } from '../platform/zone-name.ts'
import { u16 } from '../wire/bytes.ts'
import { headerBytes } from '../wire/constants.ts'
import {
  type Attempt,
  type Carrier,
  type ExchangeContext,
  examineReply,
  failureOf,
  writeFrame,
} from './attempt.ts'
import type { AttemptFailure } from './counters.ts'
import type { UpstreamAddress, UpstreamUdpSettings } from './settings.ts'

/** Draws of a port before a recently used one is accepted. */
const portDrawsMax = 4

export class UdpTransport {
  readonly context: ExchangeContext
  readonly target: UpstreamAddress
  settings: UpstreamUdpSettings
  /** The target in the form in which the kernel writes a packet's source. */
  peerAddress = ''
  readonly open = new Set<UdpQuestion>()

  constructor(target: UpstreamAddress, settings: UpstreamUdpSettings, context: ExchangeContext) {
    this.target = target
    this.settings = settings
    this.context = context
  }

  get load(): number {
    return this.open.size
  }

  /** @returns why it could not be sent; undefined when it was */
  send(attempt: Attempt): AttemptFailure | undefined {
    if (this.open.size >= this.settings.socketsMax) return 'overloaded'
    let socket: Socket
    try {
      socket = this.openSocket()
    } catch (error) {
      return failureOf(error as NodeJS.ErrnoException)
    }
    const question = new UdpQuestion(this, socket, attempt)
    this.open.add(question)
    attempt.carrier = question
    attempt.id = this.context.random.id()
    attempt.sentMs = this.context.wheel.nowMs()
    question.send()
    return undefined
  }

  stop(): void {
    for (const question of this.open) question.abandon()
  }

  /** @throws Error of the failing system call */
  private openSocket(): Socket {
    for (let draws = 1; ; draws++) {
      const socket = createSocket(this.target.family === 6 ? 'udp6' : 'udp4')
      try {
        const { port } = socket.bindSync()
        if (!this.context.recentPorts.note(port) && draws < portDrawsMax) {
          socket.close()
          continue
        }
        socket.connectSync(this.target.port, withZoneName(this.target.address))
        if (this.peerAddress === '') this.peerAddress = socket.remoteAddress().address
        return socket
      } catch (error) {
        socket.close()
        throw error
      }
    }
  }
}

/** One question's socket. */
class UdpQuestion implements Carrier {
  private readonly transport: UdpTransport
  private readonly socket: Socket
  private readonly attempt: Attempt

  constructor(transport: UdpTransport, socket: Socket, attempt: Attempt) {
    this.transport = transport
    this.socket = socket
    this.attempt = attempt
    socket.on('message', (reply, from) => this.onMessage(reply, from))
    // Without a listener the first ECONNREFUSED would end the process.
    socket.on('error', (error) => this.onError(error))
  }

  send(): void {
    const packet = Buffer.allocUnsafe(this.attempt.frame.length)
    writeFrame(this.attempt, packet, 0)
    // Without a callback EPERM and similar errors would be lost.
    this.socket.send(packet, (error) => {
      if (error !== null) this.onError(error)
    })
  }

  forget(): void {
    this.close()
  }

  abandon(): void {
    this.close()
    this.attempt.fail('closed')
  }

  private onMessage(reply: Buffer, from: RemoteInfo): void {
    const { attempt, transport } = this
    if (attempt.isDone) return
    if (reply.length < headerBytes) return attempt.mismatched('short')
    // Between bind and connect the kernel accepts packets from any source.
    if (from.port !== transport.target.port || from.address !== transport.peerAddress) {
      return attempt.mismatched('source')
    }
    if (u16(reply, 0) !== attempt.id) return attempt.mismatched('id')
    const message = examineReply(reply, attempt, transport.context)
    if (typeof message === 'string') return attempt.mismatched(message)
    this.close()
    attempt.isDone = true
    attempt.owner.onReply(attempt, message, transport.context.scan)
  }

  private onError(error: NodeJS.ErrnoException): void {
    if (this.attempt.isDone) return
    this.close()
    const why = failureOf(error)
    this.attempt.upstream.noteFailure(why, this.transport.context.wheel.nowMs())
    this.attempt.fail(why)
  }

  private close(): void {
    if (this.transport.open.delete(this)) this.socket.close()
  }
}
