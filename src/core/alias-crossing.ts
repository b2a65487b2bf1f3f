/**
 * An alias from outside that leads into the cluster domain: the outside answer is cut at the alias, and the cluster is asked for
 * the rest. One crossing and no more, because the cluster's own answers are taken whole and never followed. The joined answer is
 * not cached: its parts have two owners, and the cluster's part is in the cache anyway.
 */
import { Ede, Rcode } from '../wire/constants.ts'
import { splice } from '../wire/splice.ts'
import type { Settlement } from './decision.ts'
import { ReplySource } from './facts.ts'
import type { Ticket } from './question/in-flight.ts'
import type { OwnQuestions } from './question/own-questions.ts'

export interface Crossing {
  readonly ticket: Ticket
  /** The outside part; a copy. */
  readonly head: Buffer
}

/** `settled`: the outcome is known. Otherwise the crossing waits for `target`, which has to be asked when it is new. */
export type Step =
  | { readonly settled: Settlement }
  | { readonly settled: undefined; readonly target: Ticket; readonly isNew: boolean }

const overloaded: Settlement = {
  image: undefined,
  rcode: Rcode.servfail,
  source: ReplySource.overloaded,
  ede: Ede.other,
}

const none: readonly [] = []

export class AliasCrossings {
  private readonly own: OwnQuestions
  private readonly waiting = new Map<Ticket, Crossing[]>()

  constructor(own: OwnQuestions) {
    this.own = own
  }

  /** @param name the alias's target, folded wire form, one character a byte */
  begin(ticket: Ticket, head: Buffer, name: string, nowMs: number): Step {
    const qtype = ticket.frame.readUInt16BE(ticket.questionEnd - 4)
    const known = this.own.peek(name, qtype, nowMs)
    if (known !== undefined) return { settled: whole(head, known.aged(nowMs)) }
    const plan = this.own.planJoin(name, qtype, true)
    if (plan === undefined) return { settled: overloaded }
    const target = this.own.join(plan)
    const crossings = this.waiting.get(target) ?? []
    crossings.push({ ticket, head: Buffer.from(head) })
    this.waiting.set(target, crossings)
    return { settled: undefined, target, isNew: plan.ticket === undefined }
  }

  /** Outcomes of the crossings that waited for `target`. */
  finish(target: Ticket, settlement: Settlement): readonly (readonly [Ticket, Settlement])[] {
    const crossings = this.waiting.get(target)
    if (crossings === undefined) return none
    this.waiting.delete(target)
    const { image } = settlement
    return crossings.map(({ ticket, head }) => [
      ticket,
      image === undefined ? settlement : whole(head, image),
    ])
  }
}

function whole(head: Buffer, tail: Buffer): Settlement {
  const image = splice(head, tail)
  if (image === undefined) return overloaded
  const rcode = image.readUInt8(3) & 0x0f
  return { image, rcode, source: ReplySource.upstream, ede: -1 }
}
