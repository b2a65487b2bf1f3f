/**
 * The whole daemon but for its sockets, fed with wrong packets from both sides: mutated queries from a client, mutated
 * responses from an upstream. Two of them run side by side on the same packets in front of different octets (poisoned.ts);
 * their replies must be the same, and each must be a sound reply to its query. Every violation throws.
 */

import { type OutcomeSink, Transport } from '../../src/core/ports.ts'
import type { Ticket } from '../../src/core/question/in-flight.ts'
import { Question, readQuestion, Verdict } from '../../src/wire/question.ts'
import { matchesQuestion } from '../../src/wire/response-match.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { name } from '../fixtures/packets/octets.ts'
import { Bench, messageBytesMax, udpReplyBytesMax } from './bench.ts'
import { Mutator } from './mutator.ts'
import { PoisonedPair } from './poisoned.ts'
import type { Random } from './random.ts'
import { must } from './wire-target.ts'

export class PipelineTarget {
  /** What happened, so that a test can see that it was not all refusals. */
  readonly seen = { replies: 0, drops: 0, answered: 0, failed: 0 }
  private readonly random: Random
  private readonly benches = [new Bench(0xc0), new Bench(0x01)] as const
  private readonly responses: Mutator
  private readonly queryPair = new PoisonedPair(messageBytesMax)
  private readonly responsePair = new PoisonedPair(messageBytesMax)
  private readonly scratch = Buffer.alloc(messageBytesMax)
  private readonly question = new Question()
  private readonly scan = new ResponseScan()
  /** An upstream had only half an answer, after all that the exchange tries. */
  private wasCut = false

  /** @param responses octets that upstreams send, before they are mutated */
  constructor(random: Random, responses: readonly Buffer[]) {
    this.random = random
    this.responses = new Mutator(random, responses, 2)
  }

  check(packet: Buffer, packetBytes: number): void {
    const { queryPair, benches, random } = this
    const transport = random.below(4) === 0 ? Transport.tcp : Transport.udp
    const laterMs = random.below(1500)
    this.wasCut = false
    // Another first octet of the name, mostly: without it nearly every query would be answered from memory.
    if (packetBytes > 14 && random.below(4) > 0) packet[13] = random.below(256)
    queryPair.set(packet, packetBytes)
    for (const [index, bench] of benches.entries()) {
      bench.nowMs += laterMs
      bench.peer.transport = transport
      bench.handle(index === 0 ? queryPair.first : queryPair.second, packetBytes)
    }
    this.answerAll()
    this.checkReplies(queryPair.first, packetBytes, transport)
  }

  /** An answer may make the cluster be asked for what an alias leads to. */
  private answerAll(): void {
    while (this.benches.some(({ asked }) => asked.length > 0)) this.answerOnce()
  }

  /** Both benches have asked the same; both get the same answers. */
  private answerOnce(): void {
    const [first, second] = this.benches
    must(first.asked.length === second.asked.length, 'whether to ask depends on other octets')
    const twins = second.asked.splice(0)
    for (const [index, { ticket, sink }] of first.asked.splice(0).entries()) {
      const twin = twins[index]
      must(
        twin?.ticket.frame.equals(ticket.frame) === true,
        'the upstream query depends on octets behind the packet',
      )
      const replyBytes = this.makeResponse(ticket)
      this.responsePair.set(this.scratch, replyBytes)
      this.deliver(ticket, sink, this.responsePair.first.subarray(0, replyBytes))
      if (twin !== undefined) {
        this.deliver(twin.ticket, twin.sink, this.responsePair.second.subarray(0, replyBytes))
      }
    }
  }

  /** A mutated response behind the question of this ticket: what gets past the check of question and ID. */
  private makeResponse(ticket: Ticket): number {
    const { responses, scratch } = this
    responses.next()
    const { packet, packetBytes } = responses
    // All response fixtures ask for www.corp.example.
    const recordsAt = Math.min(packetBytes, 12 + name('www.corp.example').length + 4)
    ticket.frame.copy(scratch, 0, 0, ticket.questionEnd)
    packet.copy(scratch, 2, 2, 12)
    scratch[2] = 0x80 | ((scratch[2] ?? 0) & 0x07)
    scratch.writeUInt16BE(1, 4)
    const room = messageBytesMax - ticket.questionEnd
    const end = Math.min(packetBytes, recordsAt + room)
    return ticket.questionEnd + packet.copy(scratch, ticket.questionEnd, recordsAt, end)
  }

  /** What the exchange lets through, reaches the core; everything else is a time-out. */
  private deliver(ticket: Ticket, sink: OutcomeSink<Ticket>, reply: Buffer): void {
    const { scan, seen } = this
    const isAnswer =
      scanResponse(reply, reply.length, scan) &&
      matchesQuestion(reply, reply.length, ticket.frame, ticket.questionEnd)
    if (isAnswer) {
      seen.answered++
      this.wasCut ||= scan.tc
      sink.onOutcome(ticket, { kind: 'answer', reply, scan, upstream: '127.0.0.1:53' })
    } else {
      seen.failed++
      sink.onOutcome(ticket, { kind: 'failed', why: 'timeout' })
    }
  }

  private checkReplies(query: Buffer, queryBytes: number, transport: Transport): void {
    const [{ replies }, { replies: others }] = this.benches
    const { question, seen } = this
    const verdict = readQuestion(query, queryBytes, question)
    const isDropped = verdict === Verdict.dropShort || verdict === Verdict.dropResponse
    must(replies.length === others.length, 'the number of replies depends on other octets')
    must(replies.length === (isDropped ? 0 : 1), `${replies.length} replies`)
    const [reply] = replies
    if (reply === undefined) {
      seen.drops++
      return
    }
    seen.replies++
    must(others[0]?.equals(reply) === true, 'the reply holds octets from behind a packet')
    this.checkHeader(reply, query)
    const isTruncated = (reply.readUInt16BE(2) & 0x0200) !== 0
    must(transport === Transport.udp || !isTruncated || this.wasCut, 'TC over TCP')
    const udpBytesMax = Math.min(question.udpBytes, udpReplyBytesMax)
    must(
      transport === Transport.tcp || reply.length <= udpBytesMax,
      'longer than the client can take',
    )
    if (question.questionEnd > 0) this.checkBody(reply, query)
  }

  private checkHeader(reply: Buffer, query: Buffer): void {
    must(reply.length >= 12, 'a reply without a header')
    must(reply.readUInt16BE(0) === query.readUInt16BE(0), 'the ID is another one')
    const flags = reply.readUInt16BE(2)
    must((flags & 0x8000) !== 0, 'the reply is a query')
    must((flags & 0x7900) === (query.readUInt16BE(2) & 0x7900), 'opcode or RD are others')
    must((flags & 0x0040) === 0, 'the reserved bit is set')
  }

  private checkBody(reply: Buffer, query: Buffer): void {
    const { question, scan } = this
    must(scanResponse(reply, reply.length, scan), 'the reply is malformed')
    must(scan.end === reply.length, 'octets behind the reply')
    const end = question.questionEnd
    must(reply.compare(query, 12, end, 12, end) === 0, 'the question is another one')
    must(scan.optIndex >= 0 === question.hasEdns, 'OPT where the client had none, or the reverse')
  }
}
