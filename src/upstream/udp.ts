/**
 * Questions over UDP: one connected socket per question, from a port that the kernel draws at random, closed with the question
 * (RFC 5452 9.2, 10). Sockets are shared: one client or one domain cannot take those that others need, and who finds none waits
 * in turn. The kernel then filters by peer, and an ICMP "port unreachable" arrives as an error. It costs 28 us more
 * than a socket kept open (measured: 55 against 27 us per round trip), and there is no pool whose ports could be learned. Only
 * the valid reply ends the wait; judges no rcode.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { Chained } from '../core/sharing/chain.ts'
import { FairLine } from '../core/sharing/fair-line.ts'
import { Members } from '../core/sharing/members.ts'
import { Shares } from '../core/sharing/shares.ts'
import { withZoneName } from '../platform/zone-name.ts'
import { u16 } from '../wire/bytes.ts'
import { headerBytes } from '../wire/constants.ts'
import {
  type Attempt,
  type Carrier,
  type ExchangeContext,
  examineReply,
  writeFrame,
} from './attempt.ts'
import type { AttemptFailure } from './counters.ts'
import type { UpstreamAddress, UpstreamUdpSettings } from './settings.ts'
import { failureOf } from './socket-failure.ts'
import { mayWait } from './waiting.ts'

/** Draws of a port before a recently used one is accepted. */
const portDrawsMax = 4

export class UdpTransport implements Carrier {
  readonly context: ExchangeContext
  readonly target: UpstreamAddress
  /** The target in the form in which the kernel writes a packet's source. */
  peerAddress = ''
  private readonly open = new Members<UdpQuestion>()
  private readonly line = new FairLine<Attempt>()
  private readonly places: Shares
  private current: UpstreamUdpSettings
  private isServing = false

  constructor(target: UpstreamAddress, settings: UpstreamUdpSettings, context: ExchangeContext) {
    this.target = target
    this.current = settings
    this.places = new Shares(settings.socketsMax)
    this.context = context
  }

  set settings(settings: UpstreamUdpSettings) {
    this.current = settings
    this.places.setMax(settings.socketsMax)
    this.serveLine()
  }

  get load(): number {
    return this.open.size + this.line.length
  }

  /** @returns why it could not be sent now; undefined when it was */
  send(attempt: Attempt): AttemptFailure | undefined {
    return this.places.refusal(attempt.claim) === undefined ? this.sendNow(attempt) : 'overloaded'
  }

  /** @returns why it can neither be sent nor wait; undefined when it was sent, or waits for a socket */
  submit(attempt: Attempt): AttemptFailure | undefined {
    const refusal = this.places.refusal(attempt.claim)
    if (refusal === undefined) {
      const failure = this.sendNow(attempt)
      // The process has no descriptor left: it will, when one of these sockets is closed.
      if (failure !== 'overloaded' || this.open.size === 0) return failure
    }
    if (!mayWait(attempt) || this.line.length >= this.current.queueMax) return 'overloaded'
    attempt.upstream.counters.waits[refusal ?? 'all']++
    attempt.carrier = this
    attempt.isHeld = true
    this.line.add(attempt)
    return undefined
  }

  forget(attempt: Attempt): void {
    this.line.remove(attempt)
  }

  stop(): void {
    for (const attempt of this.line.clear()) attempt.fail('closed')
    for (const question of this.open.all()) question.abandon()
  }

  /** @returns false when it was closed before */
  release(question: UdpQuestion): boolean {
    if (!this.open.delete(question)) return false
    this.places.giveBack(question.attempt.claim)
    return true
  }

  /** Not reentrant: a question that fails here is often asked again here. */
  serveLine(): void {
    if (this.isServing) return
    this.isServing = true
    for (let next = this.line.next(this.places); next; next = this.line.next(this.places)) {
      if (this.sendWaiting(next)) continue
      this.line.add(next)
      break
    }
    this.isServing = false
  }

  /** @returns false when there is no descriptor for it: it has to wait on */
  private sendWaiting(attempt: Attempt): boolean {
    const failure = this.sendNow(attempt)
    if (failure === 'overloaded' && this.open.size > 0) return false
    const { upstream, owner } = attempt
    attempt.isHeld = false
    if (failure === undefined) {
      upstream.counters.sent++
      owner.onSent(attempt)
      return true
    }
    upstream.noteFailure(failure, this.context.wheel.nowMs())
    attempt.fail(failure)
    return true
  }

  private sendNow(attempt: Attempt): AttemptFailure | undefined {
    let socket: Socket
    try {
      socket = this.openSocket()
    } catch (error) {
      return failureOf(error as NodeJS.ErrnoException)
    }
    this.places.take(attempt.claim)
    const question = new UdpQuestion(this, socket, attempt)
    this.open.add(question)
    attempt.carrier = question
    attempt.id = this.context.random.id()
    attempt.sentMs = this.context.wheel.nowMs()
    question.send()
    return undefined
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
class UdpQuestion extends Chained<UdpQuestion> implements Carrier {
  private readonly transport: UdpTransport
  private readonly socket: Socket
  readonly attempt: Attempt

  constructor(transport: UdpTransport, socket: Socket, attempt: Attempt) {
    super()
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
    this.transport.serveLine()
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
    transport.serveLine()
  }

  private onError(error: NodeJS.ErrnoException): void {
    if (this.attempt.isDone) return
    this.close()
    const why = failureOf(error)
    this.attempt.upstream.noteFailure(why, this.transport.context.wheel.nowMs(), this.attempt)
    this.attempt.fail(why)
    this.transport.serveLine()
  }

  private close(): void {
    if (this.transport.release(this)) this.socket.close()
  }
}
