/**
 * Those who wait for an upstream: asks once for each question, answers everybody when the outcome is there, and hands out
 * expired answers to those who would have to wait too long (RFC 8767 5).
 */
import { type Arrival, Waiter } from '../core/arrival.ts'
import { ReplySource } from '../core/facts.ts'
import type { InFlight, Ticket } from '../core/in-flight.ts'
import type { Exchange, Outcome, OutcomeSink, Peer } from '../core/ports.ts'
import type { Settlement, Settler } from '../core/settlement.ts'
import { type TimerWheel, WheelTimer } from '../platform/timer-wheel.ts'
import { messageBytesMax } from '../wire/constants.ts'
import type { Replies } from './replies.ts'

export interface WaitingRoomParts {
  readonly settler: Settler
  readonly inFlight: InFlight
  readonly exchange: Exchange<Ticket>
  readonly replies: Replies
  readonly wheel: TimerWheel
  readonly nowMs: () => number
}

export class WaitingRoom implements OutcomeSink<Ticket> {
  private readonly parts: WaitingRoomParts
  private readonly out = Buffer.allocUnsafeSlow(messageBytesMax)
  private readonly staleTimers = new Map<Ticket, WheelTimer>()

  constructor(parts: WaitingRoomParts) {
    this.parts = parts
  }

  /** Asks a new ticket's question upstream. */
  ask(ticket: Ticket): void {
    this.parts.exchange.start(ticket, this)
  }

  /** @returns false when there is no room: the query is to be answered at once with what there is */
  admit(ticket: Ticket, arrival: Arrival, peer: Peer): boolean {
    return this.parts.inFlight.wait(ticket, new Waiter(arrival, peer.hold()))
  }

  /** Gives up a ticket that nobody waits for and that was not asked yet. */
  giveUp(ticket: Ticket): void {
    this.parts.inFlight.close(ticket)
  }

  /** Arms the client timeout of a ticket whose expired answer can be given meanwhile. */
  armStale(ticket: Ticket, dueMs: number): void {
    if (this.staleTimers.has(ticket)) return
    const timer = new WheelTimer({ onTimer: () => this.onClientTimeout(ticket) })
    this.staleTimers.set(ticket, timer)
    this.parts.wheel.arm(timer, dueMs)
  }

  onOutcome(ticket: Ticket, outcome: Outcome): void {
    const timer = this.staleTimers.get(ticket)
    if (timer !== undefined) this.parts.wheel.disarm(timer)
    this.staleTimers.delete(ticket)
    const waiters = this.parts.inFlight.close(ticket)
    this.answer(ticket, waiters, this.parts.settler.settle(ticket, outcome, this.parts.nowMs()))
  }

  /** Who asks after this moment and has to wait arms a timer of its own. */
  private onClientTimeout(ticket: Ticket): void {
    this.staleTimers.delete(ticket)
    const settlement = this.parts.settler.clientTimeout(ticket, this.parts.nowMs())
    if (settlement === undefined) return
    this.answer(ticket, this.parts.inFlight.release(ticket), settlement)
  }

  private answer(ticket: Ticket, waiters: readonly Waiter[], settlement: Settlement): void {
    const { replies } = this.parts
    const isShared = settlement.source === ReplySource.upstream
    const joined = isShared ? { ...settlement, source: ReplySource.joined } : settlement
    for (const [index, waiter] of waiters.entries()) {
      const replyBytes = replies.write(waiter, settlement, this.out)
      waiter.replyTo.send(this.out.subarray(0, replyBytes))
      replies.record(waiter, index === 0 ? settlement : joined, ticket.route.zoneIndex, replyBytes)
    }
  }
}
