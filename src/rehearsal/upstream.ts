/**
 * The instance's upstreams: answers from what was captured, after the time that the server took. Asks nobody. What no pod asked is presumed
 * where that can be done (presumption.ts), and else stays unanswered. Pure.
 */
import type { Exchange, OutcomeSink } from '../core/ports.ts'
import type { Ticket } from '../core/question/in-flight.ts'
import { ResponseScan, scanResponse } from '../wire/scan.ts'
import { keyText } from './pod-query.ts'
import type { Presumption } from './presumption.ts'
import type { Said, Told } from './said.ts'
import type { Timetable } from './timetable.ts'

export interface UpstreamParts {
  readonly said: Said
  readonly presumption: Presumption
  readonly timetable: Timetable
}

export class CapturedUpstream implements Exchange<Ticket> {
  /** Questions by group. */
  readonly asked = new Map<string, number>()
  /** Those of them that were answered from a presumption. */
  presumed = 0
  /** Those that had no answer, and that no pod's query waited for. */
  unanswered = 0
  /** Called before queries get SERVFAIL for want of a captured reply. */
  onUnfed: (ticket: Ticket) => void = () => undefined
  private readonly parts: UpstreamParts
  private readonly scan = new ResponseScan()

  constructor(parts: UpstreamParts) {
    this.parts = parts
  }

  start(ticket: Ticket, sink: OutcomeSink<Ticket>): void {
    this.asked.set(ticket.group, (this.asked.get(ticket.group) ?? 0) + 1)
    const { timetable } = this.parts
    const told = this.tell(ticket)
    timetable.at(timetable.nowMs() + (told?.tookMs ?? 0), () => this.answer(ticket, told, sink))
  }

  private tell(ticket: Ticket): Told | undefined {
    const { said, presumption, timetable } = this.parts
    const { frame, questionEnd, dnssecOk } = ticket
    const key = keyText(frame, questionEnd, dnssecOk)
    const told = said.tell(key, timetable.nowMs())
    if (told !== undefined) return told
    const reply = presumption.replyTo(frame, questionEnd)
    if (reply === undefined) return undefined
    this.presumed += 1
    return { reply, tookMs: said.usualTime(key) }
  }

  private answer(ticket: Ticket, told: Told | undefined, sink: OutcomeSink<Ticket>): void {
    const { scan } = this
    if (told !== undefined && scanResponse(told.reply, told.reply.length, scan)) {
      sink.onOutcome(ticket, { kind: 'answer', reply: told.reply, scan, upstream: 'capture' })
      return
    }
    if (ticket.waiters.length === 0) this.unanswered += 1
    this.onUnfed(ticket)
    // Not the server's fault: nothing is to be remembered about it.
    sink.onOutcome(ticket, { kind: 'failed', why: 'shutdown' })
  }
}
