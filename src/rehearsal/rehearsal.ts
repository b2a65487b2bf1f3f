/**
 * A rehearsal: captured packets in, a report out. Pairs queries with replies, replays the queries through an instance a few seconds later,
 * when all that the server said to them is there, and judges each answer. The clock is the capture's, so the same packets give the
 * same report. Pure.
 */
import type { ReplyFacts } from '../core/facts.ts'
import { type Peer, type QueryHandler, type ReplyTo, Transport } from '../core/ports.ts'
import type { Arrival } from '../core/question/arrival.ts'
import { messageBytesMax } from '../wire/constants.ts'
import { Copies } from './copies.ts'
import { judge } from './difference.ts'
import { type CapturedPacket, type Datagram, type ReadPacket, readPacket } from './packet.ts'
import { Pairing } from './pairing.ts'
import type { PodQuery } from './pod-query.ts'
import type { Presumption } from './presumption.ts'
import type { Report } from './report.ts'
import type { Said } from './said.ts'
import type { Tally } from './tally.ts'
import type { Timetable } from './timetable.ts'
import type { CapturedUpstream } from './upstream.ts'

/** How far the replay is behind: a client waits for a reply for 5 s (resolv.conf(5)). */
const behindMs = 5000
/** An answer that the instance owes for longer is as good as none. */
const patienceMs = 10_000
const forgetEveryMs = 1000
const dnsPort = 53

export interface RehearsalParts {
  /** Addresses that the pods ask. */
  readonly servers: ReadonlySet<string>
  readonly handler: QueryHandler
  readonly timetable: Timetable
  readonly said: Said
  readonly presumption: Presumption
  readonly upstream: CapturedUpstream
  readonly tally: Tally
}

export class Rehearsal {
  private readonly parts: RehearsalParts
  private readonly copies = new Copies()
  private readonly pairing = new Pairing()
  private readonly out = Buffer.allocUnsafeSlow(messageBytesMax)
  private firstMs: number | undefined
  private lastMs = 0
  private forgotMs = 0
  /** Of the reply that the instance has just made at once. */
  private source = -1

  constructor(parts: RehearsalParts) {
    this.parts = parts
    parts.upstream.onUnfed = ({ waiters }) => {
      for (const { replyTo, follows } of waiters)
        if (replyTo instanceof WayBack && follows === undefined) replyTo.query.isUnfed = true
    }
  }

  /** @param packet read during the call */
  take({ atMs: seenMs, place, bytes, wholeBytes }: CapturedPacket): void {
    const { copies, pairing } = this
    // Processors put packets into the queue side by side.
    const atMs = Math.max(seenMs, this.lastMs)
    this.firstMs ??= atMs
    this.lastMs = atMs
    this.parts.timetable.runTo(atMs - behindMs)
    if (atMs - this.forgotMs >= forgetEveryMs) {
      this.forgotMs = atMs
      pairing.forget(atMs - behindMs)
    }
    const packet = readPacket(bytes, wholeBytes)
    if (packet === undefined) return
    if (copies.isNew(identityOf(packet, bytes), place, atMs)) this.takeNew(packet, atMs)
  }

  /** Replays what is left. @param rest what the capture itself knows */
  end(rest: Pick<Report, 'servers' | 'isCache' | 'kernel'>): Report {
    const { timetable, tally, upstream } = this.parts
    timetable.runTo(this.lastMs + patienceMs)
    tally.asked(upstream.asked)
    return tally.report({
      ...rest,
      seconds: (this.lastMs - (this.firstMs ?? this.lastMs)) / 1000,
      copies: this.copies.copies,
      presumed: upstream.presumed,
      ownUnanswered: upstream.unanswered,
    })
  }

  /** Call with each reply that the instance makes: before it is returned, or after it was sent. */
  readonly noteReply = (arrival: Arrival, { source }: ReplyFacts): void => {
    this.source = source
    const wayBack = 'replyTo' in arrival ? arrival.replyTo : undefined
    if (!(wayBack instanceof WayBack)) return
    const { query } = wayBack
    if (query.given === undefined) return
    query.given.source = source
    this.judge(query)
  }

  private takeNew(packet: Exclude<ReadPacket, undefined>, atMs: number): void {
    const { servers, tally } = this.parts
    const isToServer = servers.has(packet.to)
    const isFromServer = servers.has(packet.from)
    if (packet.kind !== 'udp') {
      const isOurs = isToServer || (isFromServer && packet.kind !== 'tcp')
      if (isOurs) tally.notJudged[packet.kind] += 1
    } else if (isToServer && packet.toPort === dnsPort) this.takeQuery(packet, atMs)
    else if (isFromServer && packet.fromPort === dnsPort) this.takeReply(packet, atMs)
    else if (packet.toPort === dnsPort) tally.sawOther(packet.to)
  }

  private takeQuery(datagram: Datagram, atMs: number): void {
    const { tally, timetable } = this.parts
    tally.sawClient(datagram.from)
    const paired = this.pairing.takeQuery(datagram, atMs)
    if (paired.kind === 'query') timetable.at(atMs, () => this.replay(paired.query))
    else tally.notJudged.odd += 1
  }

  private takeReply(datagram: Datagram, atMs: number): void {
    const { tally, said, presumption } = this.parts
    const paired = this.pairing.takeReply(datagram, atMs)
    if (paired.kind === 'late') tally.notJudged.lateReply += 1
    else if (paired.kind === 'malformed') tally.notJudged.unreadable += 1
    if (paired.kind !== 'reply') return
    said.note(paired.query)
    presumption.note(paired.query)
  }

  private replay(query: PodQuery): void {
    const { handler, timetable, tally } = this.parts
    if (query.reply === undefined) tally.notJudged.noReply += 1
    handler.beginBatch()
    this.source = -1
    const replyBytes = handler.handle(
      query.bytes,
      query.bytes.length,
      this.out,
      new PodPeer(query, timetable),
    )
    if (replyBytes > 0) {
      const reply = Buffer.from(this.out.subarray(0, replyBytes))
      query.given = { reply, source: this.source, atMs: timetable.nowMs() }
      this.judge(query)
    } else timetable.at(timetable.nowMs() + patienceMs, () => this.missReply(query))
  }

  private judge(query: PodQuery): void {
    const { tally, said } = this.parts
    if (query.reply === undefined || query.given === undefined) return
    if (query.isUnfed) tally.notJudged.noCapturedReply += 1
    else tally.judged(query, judge(query, query.given, said))
  }

  private missReply({ reply, given }: PodQuery): void {
    if (reply !== undefined && given === undefined) this.parts.tally.notJudged.notAnswered += 1
  }
}

/** What is the same at all places that a packet passes. */
function identityOf(packet: Exclude<ReadPacket, undefined>, bytes: Buffer): string {
  if (packet.kind !== 'udp') return bytes.toString('latin1')
  const { from, fromPort, to, toPort, payload } = packet
  return `${from} ${fromPort} ${to} ${toPort} ${payload.toString('latin1')}`
}

/** A pod, as the sender of a query. */
class PodPeer implements Peer {
  readonly transport = Transport.udp
  readonly serverIndex = 0
  readonly family: 4 | 6
  readonly port: number
  private readonly query: PodQuery
  private readonly timetable: Timetable

  constructor(query: PodQuery, timetable: Timetable) {
    this.family = query.family
    this.port = query.clientPort
    this.query = query
    this.timetable = timetable
  }

  address(): string {
    return this.query.client
  }

  hold(): ReplyTo {
    return new WayBack(this.query, this.timetable)
  }
}

class WayBack implements ReplyTo {
  readonly query: PodQuery
  private readonly timetable: Timetable

  constructor(query: PodQuery, timetable: Timetable) {
    this.query = query
    this.timetable = timetable
  }

  send(reply: Uint8Array): void {
    this.query.given = { reply: Buffer.from(reply), source: -1, atMs: this.timetable.nowMs() }
  }
}
