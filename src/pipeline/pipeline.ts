/**
 * The path of one packet: bytes -> question -> decision -> reply; or into the waiting room until an upstream has answered. The
 * only place where core and listeners meet. A cache hit runs through `handle` synchronously, makes no promise and allocates
 * nothing here.
 */

import { type DropReason, ReplySource } from '../core/facts.ts'
import { type Peer, type QueryHandler, type ReplyTo, Transport } from '../core/ports.ts'
import { type Waitable, Waiter } from '../core/question/arrival.ts'
import type { OwnQuestions } from '../core/question/own-questions.ts'
import { answerSelfCheck, isCheckOf, isSelfCheck } from '../core/question/self-check.ts'
import { PortVerdict, type SourceGuard } from '../core/question/source-guard.ts'
import type { Reply } from '../core/reply.ts'
import type { Resolver } from '../core/resolver.ts'
import { Rcode } from '../wire/constants.ts'
import { Question, readQuestion, Verdict } from '../wire/question.ts'
import type { Replies } from './replies.ts'
import type { WaitingRoom } from './waiting-room.ts'

export interface PipelineParts {
  readonly resolver: Resolver
  readonly room: WaitingRoom
  readonly own: OwnQuestions
  readonly replies: Replies
  /** By which we recognise the checks of our own sockets; empty where nothing checks them. */
  readonly identity: Uint8Array
  readonly nowMs: () => number
}

/** The settings that a changed configuration replaces. */
export interface PipelineSettings {
  readonly guard: SourceGuard
}

/** The packet being handled; rewritten for each. */
class CurrentArrival implements Waitable {
  readonly question = new Question()
  query: Buffer = Buffer.alloc(0)
  queryBytes = 0
  serverIndex = 0
  transport: Transport = Transport.udp
  family: 4 | 6 = 4
  clientPort = 0
  arrivedMs = 0
  peer: Peer | undefined
  readonly turns = 0

  clientAddress(): string {
    return this.peer?.address() ?? ''
  }

  toWaiter(): Waiter {
    return new Waiter(this, this.peer?.hold() ?? nowhere)
  }
}

const nowhere: ReplyTo = { send: () => undefined }

const shortReplies: Readonly<Record<number, Reply>> = {
  [Verdict.formerr]: shortReply(Rcode.formerr, -1),
  [Verdict.notimp]: shortReply(Rcode.notimp, -1),
  [Verdict.refused]: shortReply(Rcode.refused, -1),
  [Verdict.badvers]: shortReply(Rcode.badvers, -1),
}

function shortReply(rcode: number, ede: number): Reply {
  return { image: undefined, rcode, source: ReplySource.local, ede }
}

export class Pipeline implements QueryHandler {
  /** Checks of our own sockets that were answered. No client's query: they are counted here and nowhere else. */
  selfChecks = 0
  private readonly parts: PipelineParts
  private settings: PipelineSettings
  private readonly current = new CurrentArrival()
  /** When the present batch was received. */
  private receivedMs = 0

  constructor(parts: PipelineParts, settings: PipelineSettings) {
    this.parts = parts
    this.settings = settings
  }

  reconfigure(settings: PipelineSettings): void {
    this.settings = settings
  }

  beginBatch(): void {
    this.receivedMs = this.parts.nowMs()
  }

  handle(query: Buffer, queryBytes: number, out: Buffer, peer: Peer): number {
    const { current } = this
    const refusal = this.judgeSource(peer)
    if (refusal !== undefined) return this.drop(peer, refusal)
    const verdict = readQuestion(query, queryBytes, current.question)
    if (verdict === Verdict.dropShort) return this.drop(peer, 'short')
    if (verdict === Verdict.dropResponse) return this.drop(peer, 'response-to-server-port')
    current.query = query
    current.queryBytes = queryBytes
    current.serverIndex = peer.serverIndex
    current.transport = peer.transport
    current.family = peer.family
    current.clientPort = peer.port
    current.arrivedMs = this.receivedMs
    current.peer = peer
    const refused = shortReplies[verdict]
    if (refused !== undefined) return this.refuse(refused, out)
    return this.resolve(out)
  }

  private resolve(out: Buffer): number {
    const { resolver, room, own } = this.parts
    const { current } = this
    const { arrivedMs } = current
    const decision = resolver.begin(current.query, current.question, arrivedMs, current)
    const { revision } = decision
    // A reply needs no carrying out, which keeps the path of a hit short.
    const reply = decision.isReply ? decision : room.carryOut(decision, current, arrivedMs)
    const isFinal = revision === undefined || reply === undefined
    const given = isFinal ? reply : room.revised(current, reply, revision)
    const replyBytes = given === undefined ? 0 : this.reply(given, decision.zoneIndex, out)
    if (!own.isEmpty) room.askOwn()
    return replyBytes
  }

  private refuse(refused: Reply, out: Buffer): number {
    const { query, queryBytes, question } = this.current
    const { identity, replies, resolver } = this.parts
    if (!isSelfCheck(query, queryBytes)) {
      return resolver.admits(query, question) ? this.resolve(out) : this.reply(refused, -1, out)
    }
    const replyBytes = answerSelfCheck(query, identity, out)
    if (isCheckOf(query, identity)) this.selfChecks += 1
    // Of a process that shares our sockets during a hand-over, or of somebody who found out: a client like any other.
    else replies.record(this.current, refused, -1, replyBytes)
    return replyBytes
  }

  private reply(reply: Reply, zoneIndex: number, out: Buffer): number {
    const { replies } = this.parts
    const replyBytes = replies.write(this.current, reply, out)
    replies.record(this.current, reply, zoneIndex, replyBytes)
    return replyBytes
  }

  private judgeSource(peer: Peer): DropReason | undefined {
    const { guard } = this.settings
    const verdict = guard.judgePort(peer.port)
    if (verdict === PortVerdict.fine) return undefined
    if (verdict === PortVerdict.refused) return 'forbidden-port'
    return guard.isKnownServer(peer.address(), peer.port) ? 'own-address' : undefined
  }

  private drop(peer: Peer, why: DropReason): number {
    this.parts.replies.dropped(peer.serverIndex, why)
    return 0
  }
}
