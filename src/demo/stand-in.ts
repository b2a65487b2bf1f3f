/**
 * A DNS server for the demo: gives the answers of a pure function over UDP and TCP on 127.0.0.1, through the daemon's own
 * listeners, and records the questions. Can be stopped and started again on the same port.
 */
import { type Peer, type QueryHandler, type ReplyTo, Transport } from '../core/ports.ts'
import { type BoundPair, bindBoth } from '../listen/bind-pair.ts'
import { TcpConnections } from '../listen/tcp-connections.ts'
import { TcpListener } from '../listen/tcp-listener.ts'
import type { TcpSettings } from '../listen/tcp-settings.ts'
import type { UdpSettings } from '../listen/udp-endpoint.ts'
import { PortableUdpEndpoint } from '../listen/udp-portable.ts'
import type { ListenAddress } from '../system/bind.ts'
import { Flag2, headerBytes, messageBytesMax, Rcode } from '../wire/constants.ts'
import { presentName } from '../wire/name.ts'
import { Question, readQuestion, Verdict } from '../wire/question.ts'
import { ReplyShape, writeReply, writeShortReply } from '../wire/reply.ts'
import { answerImage, type DemoAnswer } from './records.ts'

export interface StandInPart {
  /** @param qname lower case, no trailing dot */
  answer(qname: string, qtype: number): DemoAnswer & { readonly delayMs?: number }
  /** Whether its replies offer recursion. */
  readonly isRecursive: boolean
}

export interface ListenerSettings {
  readonly udp: UdpSettings
  readonly tcp: TcpSettings
}

export interface Received {
  readonly qname: string
  readonly qtype: number
  readonly transport: Transport
}

/** How many questions are recorded; a demo that is left running must not grow. */
const receivedMax = 10_000

const rcodeOf: Readonly<Partial<Record<Verdict, number>>> = {
  [Verdict.formerr]: Rcode.formerr,
  [Verdict.notimp]: Rcode.notimp,
  [Verdict.refused]: Rcode.refused,
  [Verdict.badvers]: Rcode.badvers,
}

export class StandIn implements QueryHandler {
  private readonly part: StandInPart
  private readonly settings: ListenerSettings
  private readonly question = new Question()
  private readonly pending = new Set<NodeJS.Timeout>()
  private at: ListenAddress = { address: '127.0.0.1', port: 0, family: 4 }
  private bound: BoundPair | undefined
  private log: Received[] = []

  constructor(part: StandInPart, settings: ListenerSettings) {
    this.part = part
    this.settings = settings
  }

  get port(): number {
    return this.at.port
  }

  /** Every question received, oldest first. */
  get received(): readonly Received[] {
    return this.log
  }

  /** Listens on a free port; after a `stop`, on the same one again. */
  async start(): Promise<void> {
    const { tcp, udp } = this.settings
    const connections = new TcpConnections(tcp)
    this.bound = await bindBoth(this, this.at, {
      tcp: (address) => new TcpListener({ address, serverIndex: 0, settings: tcp, connections }),
      udp: (address) => new PortableUdpEndpoint({ address, serverIndex: 0, settings: udp }),
    })
    this.at = this.bound.tcp.address
  }

  /** Closes everything at once, like a killed server: open connections are cut, delayed answers are never sent. */
  async stop(): Promise<void> {
    for (const timer of this.pending) clearTimeout(timer)
    this.pending.clear()
    const { bound } = this
    this.bound = undefined
    await Promise.all([bound?.tcp.stop(0), bound?.udp.stop()])
  }

  /** Times are not taken here. */
  beginBatch(): void {}

  handle(query: Buffer, queryBytes: number, out: Buffer, peer: Peer): number {
    const { question } = this
    const verdict = readQuestion(query, queryBytes, question)
    if (verdict === Verdict.dropShort || verdict === Verdict.dropResponse) return 0
    const shape = new ReplyShape()
    shape.bytesMax = peer.transport === Transport.udp ? question.udpBytes : messageBytesMax
    const rcode = rcodeOf[verdict]
    if (rcode !== undefined) return writeShortReply(out, query, question, rcode, shape)

    const qname = presentName(query, headerBytes, queryBytes).slice(0, -1)
    const { qtype } = question
    if (this.log.length < receivedMax) this.log.push({ qname, qtype, transport: peer.transport })
    const answer = this.part.answer(qname, qtype)
    const image = answerImage(query, question, answer, this.part.isRecursive ? Flag2.ra : 0)
    const length = writeReply(out, image, query, question, shape)
    const delayMs = answer.delayMs ?? 0
    if (delayMs === 0) return length
    this.sendLater(Buffer.from(out.subarray(0, length)), peer.hold(), delayMs)
    return 0
  }

  private sendLater(reply: Buffer, to: ReplyTo, delayMs: number): void {
    const timer = setTimeout(() => {
      this.pending.delete(timer)
      to.send(reply)
    }, delayMs)
    this.pending.add(timer)
  }
}
