/**
 * Queries that wait for an upstream: asks each question once, answers all its waiters when the outcome is there, and gives
 * expired answers to clients that would have to wait too long (RFC 8767 5). Decides nothing: the core does.
 */
import type { AliasCrossings } from '../core/alias-crossing.ts'
import type { AliasHead } from '../core/alias-head.ts'
import type { Decision, Settlement } from '../core/decision.ts'
import { ReplySource } from '../core/facts.ts'
import type { Joiner } from '../core/joining.ts'
import type { Exchange, Outcome, OutcomeSink } from '../core/ports.ts'
import type { Arrival, Waitable, Waiter } from '../core/question/arrival.ts'
import type { InFlight, Ticket } from '../core/question/in-flight.ts'
import type { MissBudget } from '../core/question/miss-budget.ts'
import type { OwnQuestions } from '../core/question/own-questions.ts'
import { inTurn, type Reply, type Revision } from '../core/reply.ts'
import type { Resolver } from '../core/resolver.ts'
import type { Settler } from '../core/settlement.ts'
import { type TimerWheel, WheelTimer } from '../platform/timer-wheel.ts'
import { messageBytesMax } from '../wire/constants.ts'
import { CarryOut } from './carry-out.ts'
import type { Replies } from './replies.ts'

/** Keeps slow and failed queries, for who comes after the incident. */
export interface FlightLog {
  /** Queries that took longer are slow, milliseconds. */
  readonly slowMs: number
  /** @param ticket that it waited for; undefined when there was no room to wait */
  note(arrival: Arrival, reply: Reply, ticket: Ticket | undefined, tookMs: number): void
}

/** Where timers are set; a rehearsal has its own, which go by its clock. */
export type Timers = Pick<TimerWheel, 'arm' | 'disarm'>

export interface WaitingRoomParts {
  readonly resolver: Resolver
  readonly settler: Settler
  readonly crossings: AliasCrossings
  readonly joiner: Joiner
  readonly inFlight: InFlight
  readonly own: OwnQuestions
  readonly budget: MissBudget
  readonly exchange: Exchange<Ticket>
  readonly replies: Replies
  readonly wheel: Timers
  readonly nowMs: () => number
  /** Absent: none is kept. */
  readonly flights?: FlightLog
}

export class WaitingRoom implements OutcomeSink<Ticket> {
  private readonly parts: WaitingRoomParts
  private readonly out = Buffer.allocUnsafeSlow(messageBytesMax)
  private readonly carrier: CarryOut
  private readonly staleTimers = new Map<Ticket, WheelTimer>()

  constructor(parts: WaitingRoomParts) {
    this.parts = parts
    const ask = (ticket: Ticket) => this.ask(ticket)
    const armStale = (ticket: Ticket, dueMs: number) => this.armStale(ticket, dueMs)
    this.carrier = new CarryOut({ ...parts, ask, armStale })
  }

  /** As `CarryOut.carryOut`. */
  carryOut(decision: Decision, arrival: Waitable, nowMs: number): Reply | undefined {
    const reply = this.carrier.carryOut(decision, arrival, nowMs)
    if (reply?.source === ReplySource.overloaded)
      this.parts.flights?.note(arrival, reply, undefined, nowMs - arrival.arrivedMs)
    return reply
  }

  /**
   * What a client gets whose question is another one than was asked.
   * @returns undefined when it waits for a second question
   */
  revised(arrival: Waitable, reply: Reply, revision: Revision): Reply | undefined {
    const another = revision.another?.(reply)
    if (another === undefined) return revision.revise(reply)
    const nowMs = this.parts.nowMs()
    const decision = this.parts.resolver.begin(another.query, another.question, nowMs, arrival)
    const last = inTurn(decision.revision, another.revision)
    decision.revision = last
    const next = this.carryOut(decision, arrival, nowMs)
    // The decision is everybody's, and without rules nobody clears it.
    decision.revision = undefined
    return next && last.revise(next)
  }

  /** Asks the queued questions that no client waits for. */
  askOwn(): void {
    const { own } = this.parts
    if (own.isEmpty) return
    for (const ticket of own.take()) this.ask(ticket)
  }

  private ask(ticket: Ticket): void {
    // The first part is known, and only the rest is asked.
    if (ticket.head !== undefined) return this.cross(ticket, ticket.head)
    this.parts.exchange.start(ticket, this)
  }

  private armStale(ticket: Ticket, dueMs: number): void {
    if (this.staleTimers.has(ticket)) return
    const timer = new WheelTimer({ onTimer: () => this.onClientTimeout(ticket) })
    this.staleTimers.set(ticket, timer)
    this.parts.wheel.arm(timer, dueMs)
  }

  onOutcome(ticket: Ticket, outcome: Outcome): void {
    const { inFlight, settler, nowMs } = this.parts
    // What is learned from an answer may open the same question anew.
    inFlight.detach(ticket)
    const settlement = settler.settle(ticket, outcome, nowMs())
    if (settlement.head !== undefined) this.cross(ticket, settlement.head)
    else this.finish(ticket, settlement)
    this.askOwn()
  }

  /** The clients go on waiting while the owner of an alias's target is asked for the rest. */
  private cross(ticket: Ticket, head: AliasHead): void {
    const { settler, crossings, joiner, inFlight } = this.parts
    const nowMs = this.parts.nowMs()
    inFlight.attach(ticket)
    const { tail, target, isNew } = crossings.begin(ticket, head, nowMs)
    if (tail !== undefined)
      return this.finish(ticket, joiner.join({ ticket, head, owner: undefined }, tail, nowMs))
    // Clients that have no expired answer of their own get the target's, behind the alias.
    const { entry } = target
    if (entry?.isUsableStale(nowMs) === true)
      this.armStale(target, nowMs + settler.holdBackMs(entry))
    if (isNew) this.ask(target)
  }

  private finish(ticket: Ticket, settlement: Settlement): void {
    const timer = this.staleTimers.get(ticket)
    if (timer !== undefined) this.parts.wheel.disarm(timer)
    this.staleTimers.delete(ticket)
    this.deliver(ticket, settlement, this.parts.inFlight.close(ticket))
  }

  /** Answers those who wait for a question, and the questions whose aliases lead to it. */
  private deliver(ticket: Ticket, settlement: Settlement, waiters: readonly Waiter[]): void {
    const { crossings, joiner, nowMs } = this.parts
    const crossed = crossings.take(ticket)
    if (crossed.length === 0) return this.answer(ticket, waiters, settlement)
    // Joining changes the cache, and answering may ask anew: each rewrites images of the other.
    const { image } = settlement
    const given = { ...settlement, image: image && Buffer.from(image) }
    const joined = crossed.map((crossing) => joiner.join(crossing, given, nowMs()))
    this.answer(ticket, waiters, given)
    for (const [i, whole] of joined.entries()) {
      const other = crossed[i]?.ticket
      if (other !== undefined) this.finish(other, whole)
    }
  }

  /** Clients that ask later and have to wait arm a new timer. */
  private onClientTimeout(ticket: Ticket): void {
    this.staleTimers.delete(ticket)
    const settlement = this.parts.settler.clientTimeout(ticket, this.parts.nowMs())
    if (settlement === undefined) return
    this.deliver(ticket, settlement, this.parts.inFlight.release(ticket))
    this.askOwn()
  }

  private answer(ticket: Ticket, waiters: readonly Waiter[], settlement: Settlement): void {
    const { zoneIndex } = ticket.route
    const isShared = waiters.length > 1 && settlement.source === ReplySource.upstream
    const joined = isShared ? { ...settlement, source: ReplySource.joined } : settlement
    let given = settlement
    const asking: [Waiter, Reply][] = []
    for (const waiter of waiters) {
      if (waiter.revision?.another !== undefined && waiter.follows === undefined)
        asking.push([waiter, { ...given, image: given.image && Buffer.from(given.image) }])
      else if (waiter.follows === undefined) this.reply(waiter, given, zoneIndex, ticket)
      given = joined
    }
    for (const [waiter, reply] of asking) this.reply(waiter, reply, zoneIndex, ticket)
    // Last: deciding anew may rewrite the image that the other waiters get.
    for (const waiter of waiters)
      if (waiter.follows !== undefined) this.resume(waiter, settlement, ticket)
  }

  /** @param ticket that the client has waited for last */
  private reply(waiter: Waiter, reply: Reply, zoneIndex: number, ticket: Ticket): void {
    const { replies, flights } = this.parts
    const { revision } = waiter
    const given = revision === undefined ? reply : this.revised(waiter, reply, revision)
    if (given === undefined) return
    const replyBytes = replies.write(waiter, given, this.out)
    waiter.replyTo.send(this.out.subarray(0, replyBytes))
    replies.record(waiter, given, zoneIndex, replyBytes)
    if (flights === undefined) return
    const { tookMs } = replies.facts
    const isBare = reply.image === undefined && reply.stored === undefined
    if (tookMs >= flights.slowMs || isBare) flights.note(waiter, reply, ticket, tookMs)
  }

  /** Decides the question of a client that waited for another question. */
  private resume(waiter: Waiter, settlement: Settlement, ticket: Ticket): void {
    if (settlement.image === undefined) {
      // Asking for this type, too, would only take as long again. A failure that was answered is about the other question alone.
      const isShared = waiter.follows === 'existence' && settlement.isAnswered !== true
      if (isShared) return this.reply(waiter, settlement, ticket.route.zoneIndex, ticket)
      waiter.stopFollowing()
    }
    const nowMs = this.parts.nowMs()
    waiter.turns += 1
    const decision = this.parts.resolver.begin(waiter.query, waiter.question, nowMs, waiter)
    waiter.revision = decision.revision
    const reply = this.carryOut(decision, waiter, nowMs)
    if (reply !== undefined) this.reply(waiter, reply, decision.zoneIndex, ticket)
  }
}
