/**
 * Does not ask a question twice at the same time: later clients wait for the answer to the question in flight. One that is that
 * very question, sent back by an upstream, would wait for itself: it gets SERVFAIL.
 */
import { Ede, Rcode } from '../../wire/constants.ts'
import type { Settlement } from '../decision.ts'
import { ReplySource } from '../facts.ts'
import type { Inquiry } from '../inquiry.ts'
import type { InFlight, Ticket } from '../question/in-flight.ts'
import { isReturned } from '../question/returned.ts'
import type { ForetoldWait, Stage } from './stage.ts'

const loop: Settlement = {
  image: undefined,
  rcode: Rcode.servfail,
  source: ReplySource.local,
  ede: Ede.other,
}

export class InFlightStage implements Stage<Ticket> {
  readonly name = 'in flight'
  private readonly inFlight: InFlight

  constructor(inFlight: InFlight) {
    this.inFlight = inFlight
  }

  judge({ key }: Inquiry): Ticket | undefined {
    return this.inFlight.get(key.text(), key.hash)
  }

  commit({ decision, nowMs, query }: Inquiry, ticket: Ticket): true {
    if (isReturned(query, ticket)) {
      ticket.hasReturned = true
      this.inFlight.stats.returned += 1
      decision.reply(loop, ticket.route.zoneIndex)
    } else {
      decision.wait(ticket, false, ticket.entry?.isUsableStale(nowMs) === true)
    }
    return true
  }

  foretell({ nowMs }: Inquiry, { key, group, entry }: Ticket): ForetoldWait {
    const hasStale = entry?.isUsableStale(nowMs) === true
    const why = `joins the question in flight to ${group}`
    return { kind: 'wait', why, key, group, starts: false, follows: undefined, hasStale }
  }
}
