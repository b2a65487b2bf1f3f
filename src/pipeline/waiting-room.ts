/**
 * Queries that wait for an upstream: asks each question once, answers all its waiters when the outcome is there, and gives
 * expired answers to clients that would have to wait too long (RFC 8767 5). Decides nothing: the core does.
 */
import { AliasCrossings } from '../core/alias-crossing.ts'
import type { Decision, Reply, Settlement } from '../core/decision.ts'
import { ReplySource } from '../core/facts.ts'
import type { Exchange, Outcome, OutcomeSink } from '../core/ports.ts'
import type { Waitable, Waiter } from '../core/question/arrival.ts'
import type { InFlight, Ticket } from '../core/question/in-flight.ts'
import type { MissBudget } from '../core/question/miss-budget.ts'
import type { OwnQuestions } from '../core/question/own-questions.ts'
import type { Resolver } from '../core/resolver.ts'
import type { Settler } from '../core/settlement.ts'
import { type TimerWheel, WheelTimer } from '../platform/timer-wheel.ts'
import { messageBytesMax } from '../wire/constants.ts'
import { CarryOut } from './carry-out.ts'
import type { Replies } from './replies.ts'

export interface WaitingRoomParts {
  readonly resolver: Resolver
  readonly settler: Settler
  readonly inFlight: InFlight
  readonly own: OwnQuestions
  readonly budget: MissBudget
  readonly exchange: Exchange<Ticket>
  readonly replies: Replies
  readonly wheel: TimerWheel
  readonly nowMs: () => number
}

export class WaitingRoom implements OutcomeSink<Ticket> {
  private readonly parts: WaitingRoomParts
  private readonly out = Buffer.allocUnsafeSlow(messageBytesMax)
  private readonly crossings: AliasCrossings
  private readonly carrier: CarryOut
  private readonly staleTimers = new Map<Ticket, WheelTimer>()

  constructor(parts: WaitingRoomParts) {
    this.parts = parts
    this.crossings = new AliasCrossings(parts.own)
    const ask = (ticket: Ticket) => this.ask(ticket)
    const armStale = (ticket: Ticket, dueMs: number) => this.armStale(ticket, dueMs)
    this.carrier = new CarryOut({ ...parts, ask, armStale })
  }

  /** As `CarryOut.carryOut`. */
  carryOut(decision: Decision, arrival: Waitable, nowMs: number): Reply | undefined {
    return this.carrier.carryOut(decision, arrival, nowMs)
  }

  /** Asks the queued questions that no client waits for. */
  askOwn(): void {
    const { own } = this.parts
    if (own.isEmpty) return
    for (const ticket of own.take()) this.ask(ticket)
  }

  private ask(ticket: Ticket): void {
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
    // A cluster answer may open the same question anew, so close it first; an outside answer may be only the first half of an
    // alias.
    const waiters = ticket.route.isCluster ? inFlight.close(ticket) : undefined
    const settlement = settler.settle(ticket, outcome, nowMs())
    const { image, leadsTo } = settlement
    if (image !== undefined && leadsTo !== undefined) this.cross(ticket, image, leadsTo)
    else this.finish(ticket, settlement, waiters)
    this.askOwn()
  }

  /** The clients go on waiting while the cluster is asked for the target of an alias from outside. */
  private cross(ticket: Ticket, head: Buffer, name: string): void {
    const step = this.crossings.begin(ticket, head, name, this.parts.nowMs())
    if (step.settled !== undefined) return this.finish(ticket, step.settled)
    if (step.isNew) this.ask(step.target)
  }

  private finish(
    ticket: Ticket,
    settlement: Settlement,
    waiters: readonly Waiter[] = this.parts.inFlight.close(ticket),
  ): void {
    const timer = this.staleTimers.get(ticket)
    if (timer !== undefined) this.parts.wheel.disarm(timer)
    this.staleTimers.delete(ticket)
    // First, because answering may ask anew and rewrite the image.
    const crossed = this.crossings.finish(ticket, settlement)
    this.answer(ticket, waiters, settlement)
    for (const [other, whole] of crossed) this.finish(other, whole)
  }

  /** Clients that ask later and have to wait arm a new timer. */
  private onClientTimeout(ticket: Ticket): void {
    this.staleTimers.delete(ticket)
    const settlement = this.parts.settler.clientTimeout(ticket, this.parts.nowMs())
    if (settlement === undefined) return
    this.answer(ticket, this.parts.inFlight.release(ticket), settlement)
    this.askOwn()
  }

  private answer(ticket: Ticket, waiters: readonly Waiter[], settlement: Settlement): void {
    const { zoneIndex } = ticket.route
    const isShared = waiters.length > 1 && settlement.source === ReplySource.upstream
    const joined = isShared ? { ...settlement, source: ReplySource.joined } : settlement
    let given = settlement
    for (const waiter of waiters) {
      if (waiter.follows === undefined) this.reply(waiter, given, zoneIndex)
      given = joined
    }
    // Last: deciding anew may rewrite the image that the other waiters get.
    for (const waiter of waiters)
      if (waiter.follows !== undefined) this.resume(waiter, settlement, zoneIndex)
  }

  private reply(waiter: Waiter, reply: Reply, zoneIndex: number): void {
    const { replies } = this.parts
    const replyBytes = replies.write(waiter, reply, this.out)
    waiter.replyTo.send(this.out.subarray(0, replyBytes))
    replies.record(waiter, reply, zoneIndex, replyBytes)
  }

  /** Decides the question of a client that waited for another question. */
  private resume(waiter: Waiter, settlement: Settlement, zoneIndex: number): void {
    if (settlement.image === undefined) {
      // The name could not be resolved for that type: asking for this type would only take as long again.
      if (waiter.follows === 'existence') return this.reply(waiter, settlement, zoneIndex)
      waiter.stopFollowing()
    }
    const nowMs = this.parts.nowMs()
    waiter.turns += 1
    const decision = this.parts.resolver.begin(waiter.query, waiter.question, nowMs, waiter)
    const reply = this.carryOut(decision, waiter, nowMs)
    if (reply !== undefined) this.reply(waiter, reply, decision.zoneIndex)
  }
}
