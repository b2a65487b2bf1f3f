/**
 * Carries out the resolver's decision: returns the reply, or lets the query wait, asks upstream and bounds every wait. The same
 * for a query that has just arrived and for one that waited for another question and was decided anew. Writes no reply itself.
 */
import type { Decision } from '../core/decision.ts'
import { ReplySource } from '../core/facts.ts'
import { Transport } from '../core/ports.ts'
import type { Waitable } from '../core/question/arrival.ts'
import type { InFlight, Ticket } from '../core/question/in-flight.ts'
import type { MissBudget } from '../core/question/miss-budget.ts'
import type { Reply } from '../core/reply.ts'
import type { Settler } from '../core/settlement.ts'
import { Ede, Rcode } from '../wire/constants.ts'
import { truncatedImage } from '../wire/reply.ts'

export interface CarryOutParts {
  readonly inFlight: InFlight
  readonly settler: Settler
  readonly budget: MissBudget
  /** Asks a new ticket's question upstream. */
  readonly ask: (ticket: Ticket) => void
  /** Arranges that the ticket's waiters get an expired answer at `dueMs`, unless that is arranged already. */
  readonly armStale: (ticket: Ticket, dueMs: number) => void
}

const refused: Reply = {
  image: undefined,
  rcode: Rcode.refused,
  source: ReplySource.overloaded,
  ede: Ede.prohibited,
}

export class CarryOut {
  private readonly parts: CarryOutParts

  constructor(parts: CarryOutParts) {
    this.parts = parts
  }

  /** @returns what the client gets now; undefined when it waits */
  carryOut(decision: Decision, arrival: Waitable, nowMs: number): Reply | undefined {
    const { ticket } = decision
    if (decision.isReply || ticket === undefined) return decision
    return decision.starts && !this.parts.budget.take(arrival.clientAddress(), nowMs)
      ? this.overBudget(ticket, arrival, nowMs)
      : this.wait(ticket, decision, arrival, nowMs)
  }

  private wait(
    ticket: Ticket,
    decision: Decision,
    arrival: Waitable,
    nowMs: number,
  ): Reply | undefined {
    const { inFlight, settler, ask, armStale } = this.parts
    const { starts, hasStale } = decision
    const { entry } = ticket
    const waiter = arrival.toWaiter()
    waiter.follows = decision.follows
    waiter.revision = decision.revision
    if (!inFlight.wait(ticket, waiter)) {
      if (starts) inFlight.close(ticket)
      return settler.overloaded(entry, nowMs)
    }
    // Counted from the arrival: a client's patience does not depend on what its query waited for.
    if (hasStale && entry !== undefined)
      armStale(ticket, arrival.arrivedMs + settler.holdBackMs(entry))
    if (starts) ask(ticket)
    return undefined
  }

  /**
   * TCP proves the source address and slows the sender down; a client that already uses TCP is refused (RFC 8906, RFC 5358 4).
   */
  private overBudget(
    ticket: Ticket,
    { transport, query, question }: Waitable,
    nowMs: number,
  ): Reply {
    const { entry } = ticket
    this.parts.inFlight.close(ticket)
    // A stale answer costs no upstream query.
    if (entry?.isUsableStale(nowMs) === true) return this.parts.settler.stale(entry)
    if (transport === Transport.tcp) return refused
    return { ...refused, rcode: Rcode.noerror, image: truncatedImage(query, question) }
  }
}
