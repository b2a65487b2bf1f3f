/**
 * Makes the reply to one client and records it: the stored image or the bare rcode, shaped to the client's question and size
 * limit. Every reply is made here, so each is counted exactly once. Sends nothing.
 */

import { type DropReason, newReplyFacts, type ReplyFacts } from '../core/facts.ts'
import { Transport } from '../core/ports.ts'
import type { Arrival } from '../core/question/arrival.ts'
import type { Reply } from '../core/reply.ts'
import { messageBytesMax } from '../wire/constants.ts'
import type { Question } from '../wire/question.ts'
import { ReplyShape, writeReply, writeShortReply, writeStored } from '../wire/reply.ts'

/** Receives facts about queries. */
export interface QueryRecorder {
  replied(facts: ReplyFacts): void
  dropped(serverIndex: number, why: DropReason): void
}

/** Shows single queries to people who want to see them. */
export interface QuerySampler {
  /** @param arrival, reply, facts read only during the call */
  record(arrival: Arrival, reply: Reply, facts: ReplyFacts): void
}

/** Sees all queries while somebody looks. */
export interface QueryWatcher {
  seen(arrival: Arrival, reply: Reply, facts: ReplyFacts): void
}

export interface ReplySettings {
  /** Maximum bytes of a UDP reply, whatever the client claims to take. */
  readonly udpReplyBytesMax: number
  /** Idle timeout of TCP connections that clients are told on request (RFC 7828). */
  readonly tcpIdleMs: number
  /** Whether replies take turns in the order of their addresses. */
  readonly rotate: boolean
}

/** Everything that a changed configuration replaces in one step. */
export interface ReplyContext {
  readonly settings: ReplySettings
  readonly recorder: QueryRecorder
  /** Monotonic clock. */
  readonly nowMs: () => number
  /** Absent while the query log is off. */
  readonly sampler: QuerySampler | undefined
}

/**
 * The golden ratio: however regular the replies between two of a name are, its addresses take turns (a Beatty sequence modulo their number is
 * spread evenly). A step of one would give A and AAAA that come in pairs the same order each time.
 */
const turnStep = (1 + Math.sqrt(5)) / 2
const turnMax = 2 ** 30

export class Replies {
  private context: ReplyContext
  private watcher: QueryWatcher | undefined
  private turn = 0
  private readonly shape = new ReplyShape()
  /** Where the last reply was written, for who is called with `record`. */
  written: Buffer = Buffer.alloc(0)
  /** Of the last reply. A number that `record` returned would be made on the heap for each hit. */
  readonly facts = newReplyFacts()

  constructor(context: ReplyContext) {
    this.context = context
  }

  reconfigure(context: ReplyContext): void {
    this.context = context
  }

  /** Whether somebody wants to see all queries. */
  get isWatched(): boolean {
    return this.watcher !== undefined
  }

  /** @param watcher undefined when nobody looks any more */
  watchBy(watcher: QueryWatcher | undefined): void {
    this.watcher = watcher
  }

  /**
   * Writes the reply to `arrival`.
   * @param out takes up to `out.length` bytes; a UDP reply never exceeds what the client can take
   * @returns bytes written
   */
  write(arrival: Arrival, reply: Reply, out: Buffer): number {
    const { question, query, transport } = arrival
    const { stored, image, rcode, ede } = reply
    const { shape } = this
    this.written = out
    this.shapeFor(question, transport, ede)
    if (stored !== undefined) return writeStored(out, stored, query, question, shape)
    shape.edeText = reply.edeText
    this.turn = (this.turn + turnStep) % turnMax
    shape.turns = Math.floor(this.turn)
    return image === undefined
      ? writeShortReply(out, query, question, rcode, shape)
      : writeReply(out, image, query, question, shape)
  }

  /** Records a reply that was passed to its transport. */
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
    context.sampler?.record(arrival, reply, facts)
    this.watcher?.seen(arrival, reply, facts)
  }

  dropped(serverIndex: number, why: DropReason): void {
    this.context.recorder.dropped(serverIndex, why)
  }

  private shapeFor(question: Question, transport: Transport, ede: number): void {
    const { shape } = this
    const { udpReplyBytesMax, tcpIdleMs, rotate } = this.context.settings
    const isUdp = transport === Transport.udp
    shape.bytesMax = isUdp ? Math.min(question.udpBytes, udpReplyBytesMax) : messageBytesMax
    shape.keepalive = !isUdp && question.wantsKeepalive ? Math.floor(tcpIdleMs / 100) : -1
    shape.ede = ede
    shape.rotates = rotate
  }
}
