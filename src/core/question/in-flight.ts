/**
 * Questions that wait for an upstream, each asked once however many clients want it (CVE-2020-25686: parallel equal questions are
 * what a birthday attack needs). Bounded in questions, in waiting queries, and in queries for one question; of each, one client
 * can take a share only, and of the questions so can one domain, one group of upstreams, and we ourselves. Asks nothing itself.
 */

import type { AliasHead } from '../alias-head.ts'
import type { CacheEntry } from '../cache/entry.ts'
import type { QuestionKey } from '../cache/key.ts'
import type { Ask } from '../ports.ts'
import type { Route } from '../router.ts'
import { groupHolder, holderFor, ourselves } from '../sharing/claim.ts'
import { type Claim, type Holder, noRefusals, type ShareOwner, Shares } from '../sharing/shares.ts'
import type { Waiter } from './arrival.ts'
import { type Keyed, KeyTable } from './key-table.ts'
import { append } from './short-list.ts'

export interface InFlightSettings {
  readonly questionsMax: number
  /** Unanswered queries of all clients. */
  readonly waitersMax: number
  readonly waitersPerQuestionMax: number
  /** Unanswered queries of one client address. */
  readonly waitersPerClientMax: number
}

/** One question on its way upstream. */
export interface Ticket extends Ask, Keyed<Ticket> {
  /** Of the name. */
  readonly hash: number
  readonly route: Route
  /** Generation of the routes that `route` was looked up in. */
  readonly routeGeneration: number
  /** Flushes of the cache before it was opened. */
  readonly asOf: number
  readonly dnssecOk: boolean
  /** The cache's entry when the question was asked: expired, or about to expire. */
  readonly entry: CacheEntry | undefined
  /** The synthesised denial that this question checks, when it is an audit. */
  readonly audited: string | undefined
  /** Whose share of sockets it takes. A question of ours becomes that of the first client that waits for it. */
  claim: Claim
  /** Only the table changes it. */
  waiters: Waiter[]
  /** The first part of the answer, made by a stage: nobody is asked for it. Set before the ticket is asked. */
  head: AliasHead | undefined
}

/** Shared list of questions without waiters. */
export const nobody: Waiter[] = []

export class InFlight {
  readonly stats = { questions: 0, waiters: 0, joined: 0, refused: 0, returned: 0 }
  /** Questions that were not opened, and queries that may not wait, by whose share was used up. */
  readonly refusals = { questions: noRefusals(), waiters: noRefusals() }
  private settings: InFlightSettings
  private readonly tickets = new KeyTable<Ticket>()
  private readonly places: Shares
  private readonly seats: Shares
  /** Questions that nobody joins any more. */
  private readonly abandoned = new WeakSet<Ticket>()

  constructor(settings: InFlightSettings) {
    this.settings = settings
    this.places = new Shares(settings.questionsMax)
    this.seats = new Shares(settings.waitersMax)
  }

  reconfigure(settings: InFlightSettings): void {
    this.settings = settings
    this.places.setMax(settings.questionsMax)
    this.seats.setMax(settings.waitersMax)
  }

  /** @param hash of the whole key */
  get(key: string, hash: number): Ticket | undefined {
    return this.tickets.get(key, hash)
  }

  hasRoom(): boolean {
    return this.room > 0
  }

  /** Whether we may ask something that no client waits for. */
  hasRoomForOurselves(): boolean {
    return this.room > 0 && this.places.hasShare(ourselves)
  }

  /** How many more questions may be in flight, of whomever. */
  get room(): number {
    return this.places.free
  }

  open(ticket: Ticket): void {
    this.tickets.add(ticket)
    this.places.take(ticket.claim, 1, groupHolder(ticket.group))
    this.stats.questions = this.tickets.size
  }

  /** Opens a client's question. @returns false, and counts it, when no place is left for it */
  tryOpen(ticket: Ticket): boolean {
    const refusal = this.places.refusal(ticket.claim, groupHolder(ticket.group))
    if (refusal === undefined) {
      this.open(ticket)
      return true
    }
    this.stats.refused += 1
    this.refusals.questions[refusal] += 1
    return false
  }

  /** Whether a question of this client waits. */
  hasWaiting(client: string): boolean {
    return this.seats.of(holderFor(client)) > 0
  }

  /** Whether a question from this socket waits for the question about that type of the key's name. */
  isAwaited(like: QuestionKey, qtype: number, client: string, clientPort: number): boolean {
    const hash = like.hashOfType(qtype)
    if (!this.tickets.mayHave(hash)) return false
    const waiters = this.tickets.get(like.ofType(qtype), hash)?.waiters ?? nobody
    return waiters.some((waiter) => waiter.clientPort === clientPort && waiter.client === client)
  }

  /** Whether another of the client's questions may wait. @param ticket undefined when it is yet to be opened */
  mayWait(ticket: Ticket | undefined, client: string): boolean {
    return this.seatRefusal(ticket, holderFor(client)) === undefined
  }

  /** @returns false, and counts it, when the ticket or this client already has too many waiting */
  wait(ticket: Ticket, waiter: Waiter): boolean {
    const client = holderFor(waiter.client)
    const refusal = this.seatRefusal(ticket, client)
    if (refusal !== undefined) {
      this.stats.refused += 1
      this.refusals.waiters[refusal] += 1
      return false
    }
    if (ticket.waiters.length > 0) this.stats.joined += 1
    else if (ticket.claim[0] === ourselves) this.charge(ticket, client)
    ticket.waiters = append(ticket.waiters, waiter)
    this.seats.takeFor(client)
    this.stats.waiters = this.seats.taken
    return true
  }

  /**
   * Takes the waiters off a question that stays open, because they get an expired answer instead.
   * @returns those waiters
   */
  release(ticket: Ticket): readonly Waiter[] {
    const { waiters } = ticket
    ticket.waiters = nobody
    for (const { client } of waiters) this.seats.giveBackFor(holderFor(client))
    this.stats.waiters = this.seats.taken
    return waiters
  }

  /** Removes a question from the table, so that it may be opened anew; its waiters stay with the ticket. */
  detach(ticket: Ticket): void {
    if (!this.tickets.remove(ticket)) return
    this.places.giveBack(ticket.claim, 1, groupHolder(ticket.group))
    this.stats.questions = this.tickets.size
  }

  /** Puts a question back that has to wait once more, unless it has been opened anew. */
  attach(ticket: Ticket): void {
    if (this.find(ticket) === undefined && !this.abandoned.has(ticket)) this.open(ticket)
  }

  /** Removes questions from the table, so that the next query asks anew; their waiters go on waiting. @returns how many */
  abandon(isMeant: (key: string) => boolean): number {
    const meant = this.tickets.all().filter(({ key }) => isMeant(key))
    for (const ticket of meant) {
      this.abandoned.add(ticket)
      this.detach(ticket)
    }
    return meant.length
  }

  /**
   * Removes a finished question from the table.
   * @returns its waiters
   */
  close(ticket: Ticket): readonly Waiter[] {
    this.detach(ticket)
    return this.release(ticket)
  }

  /** Whoever is in flight with the ticket's key. */
  private find({ key, keyHash }: Ticket): Ticket | undefined {
    return this.tickets.get(key, keyHash)
  }

  private charge(ticket: Ticket, client: Holder): void {
    const isOpen = this.find(ticket) === ticket
    if (isOpen) this.places.giveBack(ticket.claim, 1, groupHolder(ticket.group))
    ticket.claim = [client, ...ticket.claim.slice(1)]
    if (isOpen) this.places.take(ticket.claim, 1, groupHolder(ticket.group))
  }

  private seatRefusal(ticket: Ticket | undefined, client: Holder): ShareOwner | undefined {
    const { waitersPerQuestionMax, waitersPerClientMax } = this.settings
    const waiters = ticket?.waiters ?? nobody
    const left = waitersPerQuestionMax - waiters.length
    if (left <= 0) return 'all'
    // Up to half of the seats nobody can have more than are left.
    if (waiters.length >= left && countOf(waiters, client) >= left) return 'client'
    if (this.seats.of(client) >= waitersPerClientMax) return 'client'
    return this.seats.refusalFor(client)
  }
}

function countOf(waiters: readonly Waiter[], { client }: Holder): number {
  let count = 0
  for (const waiter of waiters) if (waiter.client === client) count += 1
  return count
}
