/** A query as received: the facts that a reply to it needs. Values only. */
import type { Question } from '../../wire/question.ts'
import type { ReplyTo, Transport } from '../ports.ts'
import type { Revision } from '../reply.ts'

export interface Arrival {
  readonly question: Question
  /** Holds at least header and question. */
  readonly query: Buffer
  /** Length of the received packet. */
  readonly queryBytes: number
  readonly serverIndex: number
  readonly transport: Transport
  readonly family: 4 | 6
  readonly clientPort: number
  /** Monotonic. */
  readonly arrivedMs: number
  /** Client's address in text; may build a string. */
  clientAddress(): string
}

/** An arrival that may have to wait. */
export interface Waitable extends Arrival {
  /** How often it has waited for another question's answer. */
  readonly turns: number
  /** A copy of everything that the end of the present call invalidates. */
  toWaiter(): Waiter
}

/**
 * Why a question waits for another question's answer: because that tells whether its name exists (`existence`), or because answer
 * mode needs it (`answerMode`). A failure of the former is passed on to the waiting question, one of the latter is not.
 */
export type Follows = 'existence' | 'answerMode'

/**
 * How often a question may wait for another one before it is asked itself. For existence these are the cut above it and the A of
 * its name: with answers of TTL 0 and enough clients its turn would otherwise never come. Answer mode has asked for everything
 * before it waits, the slowest first, so that it needs few of these turns.
 */
export const turnsMax: Readonly<Record<Follows, number>> = { existence: 2, answerMode: 6 }

/** A query without a reply yet. Owns copies, because the packet is long gone when the answer arrives. */
export class Waiter implements Waitable {
  readonly question: Question
  readonly query: Buffer
  readonly queryBytes: number
  readonly serverIndex: number
  readonly transport: Transport
  readonly family: 4 | 6
  readonly clientPort: number
  readonly arrivedMs: number
  readonly client: string
  readonly replyTo: ReplyTo
  /** Set while it waits for another question; afterwards this one is decided anew. */
  follows: Follows | undefined
  /** What is done to its reply, when its question was rewritten. */
  revision: Revision | undefined
  /** How often it has waited for another question than its own. */
  turns = 0

  /** From now on it waits only for its own answer. */
  stopFollowing(): void {
    this.turns = Number.POSITIVE_INFINITY
  }

  constructor(arrival: Arrival, replyTo: ReplyTo) {
    this.question = arrival.question.clone()
    const { questionEnd } = arrival.question
    this.query = Buffer.allocUnsafe(questionEnd)
    arrival.query.copy(this.query, 0, 0, questionEnd)
    this.queryBytes = arrival.queryBytes
    this.serverIndex = arrival.serverIndex
    this.transport = arrival.transport
    this.family = arrival.family
    this.clientPort = arrival.clientPort
    this.arrivedMs = arrival.arrivedMs
    this.client = arrival.clientAddress()
    this.replyTo = replyTo
  }

  clientAddress(): string {
    return this.client
  }

  toWaiter(): this {
    return this
  }
}
