/**
 * Makes the reply to one client and records it: the stored image or the bare rcode, shaped to what this client asked and
 * can take. Every reply leaves through here, so every one is counted, once.
 */

import type { Reply } from '../core/decision.ts'
import { type DropReason, type ReplyFacts, ReplySource } from '../core/facts.ts'
import { Transport } from '../core/ports.ts'
import type { Arrival } from '../core/question/arrival.ts'
import { messageBytesMax } from '../wire/constants.ts'
import type { Question } from '../wire/question.ts'
import { ReplyShape, writeReply, writeShortReply, writeStored } from '../wire/reply.ts'

/** Where facts about queries go. */
export interface QueryRecorder {
  replied(facts: ReplyFacts): void
  dropped(serverIndex: number, why: DropReason): void
}

/** Shows single queries to whoever wants to see them. */
export interface QuerySampler {
  record(message: Uint8Array, facts: ReplyFacts, client: () => string): void
}

export interface ReplySettings {
  /** Most octets in a UDP reply, whatever the client claims to take. */
  readonly udpReplyBytesMax: number
  /** What clients that ask are told about idle TCP connections (RFC 7828). */
  readonly tcpIdleMs: number
}

/** What a changed configuration replaces in one step. */
export interface ReplyContext {
  readonly settings: ReplySettings
  readonly recorder: QueryRecorder
  /** Monotonic clock. */
  readonly nowMs: () => number
  /** Absent while the query log is off. */
  readonly sampler: QuerySampler | undefined
}

export class Replies {
  private context: ReplyContext
  private readonly shape = new ReplyShape()
  private readonly facts: ReplyFacts = {
    serverIndex: 0,
    zoneIndex: -1,
    transport: Transport.udp,
    family: 4,
    qtype: 0,
    rcode: 0,
    source: ReplySource.local,
    queryBytes: 0,
    replyBytes: 0,
    dnssecOk: false,
    tookMs: 0,
  }

  constructor(context: ReplyContext) {
    this.context = context
  }

  reconfigure(context: ReplyContext): void {
    this.context = context
  }

  /**
   * Writes the reply to `arrival`.
   * @param out takes up to `out.length` octets; a UDP reply never passes what the client can take
   * @returns octets written
   */
  write(arrival: Arrival, reply: Reply, out: Buffer): number {
    const { question, query, transport } = arrival
    const { stored, image, rcode, ede } = reply
    const { shape } = this
    this.shapeFor(question, transport, ede)
    if (stored !== undefined) return writeStored(out, stored, query, question, shape)
    return image === undefined
      ? writeShortReply(out, query, question, rcode, shape)
      : writeReply(out, image, query, question, shape)
  }

  /** Records a reply that has been handed to its transport. */
  record(arrival: Arrival, reply: Reply, zoneIndex: number, replyBytes: number): void {
    const { facts, context } = this
    facts.serverIndex = arrival.serverIndex
    facts.zoneIndex = zoneIndex
    facts.transport = arrival.transport
    facts.family = arrival.family
    facts.qtype = arrival.question.qtype
    facts.rcode = reply.rcode
    facts.source = reply.source
    facts.queryBytes = arrival.queryBytes
    facts.replyBytes = replyBytes
    facts.dnssecOk = arrival.question.dnssecOk
    facts.tookMs = context.nowMs() - arrival.arrivedMs
    context.recorder.replied(facts)
    context.sampler?.record(arrival.query, facts, () => arrival.clientAddress())
  }

  dropped(serverIndex: number, why: DropReason): void {
    this.context.recorder.dropped(serverIndex, why)
  }

  private shapeFor(question: Question, transport: Transport, ede: number): void {
    const { shape } = this
    const { udpReplyBytesMax, tcpIdleMs } = this.context.settings
    const isUdp = transport === Transport.udp
    shape.bytesMax = isUdp ? Math.min(question.udpBytes, udpReplyBytesMax) : messageBytesMax
    shape.keepalive = !isUdp && question.wantsKeepalive ? Math.floor(tcpIdleMs / 100) : -1
    shape.ede = ede
  }
}
