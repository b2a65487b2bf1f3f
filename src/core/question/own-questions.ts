/**
 * Opens the tickets of questions that go upstream: those of clients, and those that no client asked (refreshes, probes, audits, names that
 * are about to be needed). The latter are kept here until the pipeline fetches them to be asked; nobody waits for them, and when there is no
 * room they are not asked.
 */
import { plainQuery } from '../../wire/query.ts'
import { Question, readQuestion } from '../../wire/question.ts'
import type { Cache } from '../cache/cache.ts'
import type { CacheEntry } from '../cache/entry.ts'
import type { FailureCache } from '../cache/failure-cache.ts'
import { QuestionKey } from '../cache/key.ts'
import type { Inquiry } from '../inquiry.ts'
import type { Route, Router } from '../router.ts'
import type { InFlight, Ticket } from './in-flight.ts'
import { openTicket } from './ticket.ts'

export interface OwnQuestionsParts {
  readonly cache: Cache
  readonly failures: FailureCache
  readonly inFlight: InFlight
  readonly router: Router
  readonly loopMarker: Uint8Array
}

/** A question that a client may wait for, as it stands: under way, or to be opened by `join`. */
export interface JoinPlan {
  readonly key: string
  readonly query: Buffer
  readonly route: Route
  /** Undefined while it is not under way. */
  readonly ticket: Ticket | undefined
}

const none: ReadonlySet<string> = new Set()

interface Opening {
  readonly route: Route
  readonly entry: CacheEntry | undefined
  readonly audited?: string | undefined
}

export class OwnQuestions {
  private readonly parts: OwnQuestionsParts
  // Both hold what one method reads, and nothing from one call to the next.
  private readonly key = new QuestionKey()
  private readonly question = new Question()
  private waiting: Ticket[] = []

  constructor(parts: OwnQuestionsParts) {
    this.parts = parts
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  /** @returns the tickets to be asked now; they are the caller's */
  take(): Ticket[] {
    const tickets = this.waiting
    this.waiting = []
    return tickets
  }

  /** Opens a client's question. There must be room. @returns a ticket that is the caller's to ask */
  open({ key, query, question, entry }: Inquiry, route: Route): Ticket {
    return this.openFor(key, query, question, { route, entry })
  }

  /** Has an answer in the cache asked for anew. @returns false when it is being asked already, or there is no room */
  refresh({ key, query, question }: Inquiry, entry: CacheEntry): boolean {
    const { inFlight } = this.parts
    if (!inFlight.hasRoom() || inFlight.get(key.text()) !== undefined) return false
    this.waiting.push(this.openFor(key, query, question, { route: entry.route, entry }))
    return true
  }

  /**
   * Asks whatever the cache says.
   * @param name folded wire form, one character a byte
   * @param audited what is being checked, when it is an audit
   * @returns false when it is being asked already, or there is no room
   */
  ask(name: string, qtype: number, audited?: string): boolean {
    const { inFlight } = this.parts
    const query = this.read(name, qtype)
    if (!inFlight.hasRoom() || inFlight.get(this.key.text()) !== undefined) return false
    const what = { route: this.route(), entry: this.kept(), audited }
    this.waiting.push(this.openFor(this.key, query, this.question, what))
    return true
  }

  /**
   * Finds out whether a client can wait for a question. Changes nothing.
   * @param name folded wire form, one character a byte
   * @param mayOpen when it is not under way yet
   * @param assumed keys of questions to be taken for open
   * @returns undefined when it is not under way and there is no room, or it may not be opened
   */
  planJoin(
    name: string,
    qtype: number,
    mayOpen: boolean,
    assumed: ReadonlySet<string> = none,
  ): JoinPlan | undefined {
    const { inFlight } = this.parts
    const query = this.read(name, qtype)
    const key = this.key.text()
    const ticket = inFlight.get(key)
    if (ticket !== undefined) return { key, query, route: ticket.route, ticket }
    if (!assumed.has(key) && (!mayOpen || !inFlight.hasRoom())) return undefined
    return { key, query, route: this.route(), ticket }
  }

  /** @returns the ticket to wait for; when the plan has none, it is new, and the caller's to ask */
  join({ query, route, ticket }: JoinPlan): Ticket {
    if (ticket !== undefined) return ticket
    this.readQuery(query)
    return this.openFor(this.key, query, this.question, { route, entry: this.kept() })
  }

  /** Asks unless a fresh answer is there, or asking has just failed (RFC 9520). */
  askIfUnknown(name: string, qtype: number, nowMs: number): void {
    if (this.peek(name, qtype, nowMs) === undefined && !this.hasFailed(name, qtype, nowMs))
      this.ask(name, qtype)
  }

  /** @returns what would answer the question now, from memory */
  peek(name: string, qtype: number, nowMs: number): CacheEntry | undefined {
    this.read(name, qtype)
    const entry = this.parts.cache.peek(this.key, nowMs)
    if (entry?.isFresh(nowMs) !== true) return undefined
    // A changed configuration may have given the name to others.
    return this.route() === entry.route ? entry : undefined
  }

  /** Whether the question could not be answered a moment ago. */
  hasFailed(name: string, qtype: number, nowMs: number): boolean {
    this.read(name, qtype)
    return this.parts.failures.lookup(this.key.text(), this.key.nameHash, nowMs) !== undefined
  }

  /** Of the question that the method has just read. */
  private route(): Route {
    return this.parts.router.route(this.key.name, this.key.nameBytes)
  }

  /** What clients that join the question can be given when it takes long, or fails. Of the question that the method has just read. */
  private kept(): CacheEntry | undefined {
    return this.parts.cache.peek(this.key, Number.POSITIVE_INFINITY)
  }

  private openFor(key: QuestionKey, query: Uint8Array, question: Question, what: Opening): Ticket {
    const { inFlight, router, loopMarker } = this.parts
    const ticket = openTicket(query, question, {
      key: key.text(),
      hash: key.nameHash,
      route: what.route,
      routeGeneration: router.generation,
      entry: what.entry,
      loopMarker,
      audited: what.audited,
    })
    inFlight.open(ticket)
    return ticket
  }

  private read(name: string, qtype: number): Buffer {
    const query = plainQuery(name, qtype)
    this.readQuery(query)
    return query
  }

  private readQuery(query: Buffer): void {
    readQuestion(query, query.length, this.question)
    this.key.read(query, this.question)
  }
}
