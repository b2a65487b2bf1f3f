/** Does not ask a question twice at the same time: later clients wait for the answer to the question in flight. */
import type { Inquiry } from '../inquiry.ts'
import type { InFlight, Ticket } from '../question/in-flight.ts'
import type { ForetoldWait, Stage } from './stage.ts'

export class InFlightStage implements Stage<Ticket> {
  readonly name = 'in flight'
  private readonly inFlight: InFlight

  constructor(inFlight: InFlight) {
    this.inFlight = inFlight
  }

  judge({ key }: Inquiry): Ticket | undefined {
    return this.inFlight.get(key.text())
  }

  commit({ decision, nowMs }: Inquiry, ticket: Ticket): true {
    decision.wait(ticket, false, ticket.entry?.isUsableStale(nowMs) === true)
    return true
  }

  foretell({ nowMs }: Inquiry, { key, group, entry }: Ticket): ForetoldWait {
    const hasStale = entry?.isUsableStale(nowMs) === true
    const why = `joins the question in flight to ${group}`
    return { kind: 'wait', why, key, group, starts: false, follows: undefined, hasStale }
  }
}
