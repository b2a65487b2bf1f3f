/**
 * Questions that wait for an upstream, each asked once however many clients want it (CVE-2020-25686: parallel equal questions are
 * what a birthday attack needs). Bounded three ways: questions, clients per question, questions per client. Asks nothing itself.
 */

import type { CacheEntry } from '../cache/entry.ts'
import type { Ask } from '../ports.ts'
import type { Route } from '../router.ts'
import type { Waiter } from './arrival.ts'
import { append } from './short-list.ts'

export interface InFlightSettings {
  readonly questionsMax: number
  readonly waitersPerQuestionMax: number
  /** Unanswered queries of one client address. */
  readonly waitersPerClientMax: number
}

/** One question on its way upstream. */
export interface Ticket extends Ask {
  readonly key: string
  readonly hash: number
  readonly route: Route
  /** Generation of the routes that `route` was looked up in. */
  readonly routeGeneration: number
  readonly dnssecOk: boolean
  /** The cache's entry when the question was asked: expired, or about to expire. */
  readonly entry: CacheEntry | undefined
  /** The synthesised denial that this question checks, when it is an audit. */
  readonly audited: string | undefined
  /** Only the table changes it. */
  waiters: Waiter[]
}

/** Shared list of questions without waiters. */
export const nobody: Waiter[] = []

export class InFlight {
  readonly stats = { questions: 0, waiters: 0, joined: 0, refused: 0 }
  private settings: InFlightSettings
  private readonly tickets = new Map<string, Ticket>()
  private readonly waitersByClient = new Map<string, number>()

  constructor(settings: InFlightSettings) {
    this.settings = settings
  }

  reconfigure(settings: InFlightSettings): void {
    this.settings = settings
  }

  get(key: string): Ticket | undefined {
    return this.tickets.get(key)
  }

  hasRoom(): boolean {
    return this.room > 0
  }

  /** How many more questions may be in flight. */
  get room(): number {
    return this.settings.questionsMax - this.tickets.size
  }

  open(ticket: Ticket): void {
    this.tickets.set(ticket.key, ticket)
    this.stats.questions = this.tickets.size
  }

  /** Whether a question of this client waits. */
  hasWaiting(client: string): boolean {
    return this.waitersByClient.has(client)
  }

  /** Whether a question from this socket waits for the question with that key. */
  isAwaited(key: string, client: string, clientPort: number): boolean {
    const waiters = this.tickets.get(key)?.waiters ?? nobody
    return waiters.some((waiter) => waiter.clientPort === clientPort && waiter.client === client)
  }

  /** Whether another of the client's questions may wait. @param ticket undefined when it is yet to be opened */
  mayWait(ticket: Ticket | undefined, client: string): boolean {
    const { waitersPerQuestionMax, waitersPerClientMax } = this.settings
    const ofClient = this.waitersByClient.get(client) ?? 0
    const ofTicket = ticket?.waiters.length ?? 0
    return ofTicket < waitersPerQuestionMax && ofClient < waitersPerClientMax
  }

  /** @returns false, and counts it, when the ticket or this client already has too many waiting */
  wait(ticket: Ticket, waiter: Waiter): boolean {
    const ofClient = this.waitersByClient.get(waiter.client) ?? 0
    if (!this.mayWait(ticket, waiter.client)) {
      this.stats.refused += 1
      return false
    }
    if (ticket.waiters.length > 0) this.stats.joined += 1
    ticket.waiters = append(ticket.waiters, waiter)
    this.waitersByClient.set(waiter.client, ofClient + 1)
    this.stats.waiters += 1
    return true
  }

  /**
   * Takes the waiters off a question that stays open, because they get an expired answer instead.
   * @returns those waiters
   */
  release(ticket: Ticket): readonly Waiter[] {
    const { waiters } = ticket
    ticket.waiters = nobody
    this.stats.waiters -= waiters.length
    for (const { client } of waiters) {
      const left = (this.waitersByClient.get(client) ?? 1) - 1
      if (left === 0) this.waitersByClient.delete(client)
      else this.waitersByClient.set(client, left)
    }
    return waiters
  }

  /** Removes a question from the table, so that it may be opened anew; its waiters stay with the ticket. */
  detach(ticket: Ticket): void {
    if (this.tickets.get(ticket.key) === ticket) this.tickets.delete(ticket.key)
    this.stats.questions = this.tickets.size
  }

  /** Puts a question back that has to wait once more, unless it has been opened anew. */
  attach(ticket: Ticket): void {
    if (!this.tickets.has(ticket.key)) this.open(ticket)
  }

  /**
   * Removes a finished question from the table.
   * @returns its waiters
   */
  close(ticket: Ticket): readonly Waiter[] {
    this.detach(ticket)
    return this.release(ticket)
  }
}
