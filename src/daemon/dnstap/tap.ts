/** Tells a dnstap reader of each query of a client and its reply. Is not called at all while it is off. */
import { addressBytes } from '../../address/ip-address.ts'
import type { DnstapReader } from '../../config/log-settings.ts'
import type { ReplyFacts } from '../../core/facts.ts'
import { Transport } from '../../core/ports.ts'
import type { Arrival } from '../../core/question/arrival.ts'
import type { Reply } from '../../core/reply.ts'
import type { DnstapStats } from '../../observe/stats.ts'
import type { QuerySampler } from '../../pipeline/replies.ts'
import { queryMessage, replyMessage, type TappedQuery } from './message.ts'
import { DnstapSender } from './sender.ts'

export interface TapContext {
  readonly identity: string
  readonly version: string
  /** Whether queries and replies are sent, and not only that there were some. */
  readonly hasMessages: boolean
  /** The reply that was written last, from its first byte. */
  readonly written: () => Buffer
  /** What is listened on, by `serverIndex`. */
  readonly listen: readonly { readonly address: string; readonly port: number }[]
}

/** Both messages of a query without query and reply in them. */
const messageBytes = 300

export class DnstapTap implements QuerySampler {
  private readonly sender: DnstapSender
  private readonly context: TapContext
  private readonly identity: Buffer
  private readonly version: Buffer
  private readonly servers: readonly { readonly address: Uint8Array; readonly port: number }[]

  constructor(reader: DnstapReader, queueBytesMax: number, context: TapContext) {
    this.sender = new DnstapSender(reader, queueBytesMax)
    this.context = context
    this.identity = Buffer.from(context.identity)
    this.version = Buffer.from(context.version)
    this.servers = context.listen.map(({ address, port }) => ({
      address: addressBytes(address),
      port,
    }))
  }

  get counts(): DnstapStats {
    return this.sender.counts
  }

  record(arrival: Arrival, _reply: Reply, facts: ReplyFacts): void {
    const { sender } = this
    if (!sender.hasRoom(messageBytes + facts.queryBytes * 2 + facts.replyBytes)) {
      sender.drop(2)
      return
    }
    const server = this.servers[facts.serverIndex]
    const replyMs = performance.timeOrigin + performance.now()
    const tapped: TappedQuery = {
      identity: this.identity,
      version: this.version,
      isTcp: facts.transport === Transport.tcp,
      clientAddress: addressBytes(arrival.clientAddress()),
      clientPort: arrival.clientPort,
      serverAddress: server?.address ?? new Uint8Array(4),
      serverPort: server?.port ?? 0,
      queryMs: replyMs - facts.tookMs,
      ...(this.context.hasMessages && { query: questionOf(arrival) }),
    }
    sender.send(queryMessage(tapped))
    const { written, hasMessages } = this.context
    const reply = hasMessages ? { reply: written().subarray(0, facts.replyBytes) } : {}
    sender.send(replyMessage({ ...tapped, replyMs, ...reply }))
  }

  stop(): void {
    this.sender.stop()
  }
}

/** Header and question: of a query that had to wait nothing else is left, so the counts of other sections are 0. */
function questionOf({ query, question }: Arrival): Buffer {
  const message = Buffer.from(query.subarray(0, question.questionEnd))
  message.fill(0, 6, 12)
  return message
}
