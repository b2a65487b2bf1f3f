/**
 * Opens the tickets of questions that go upstream: those of clients, and those that no client asked (refreshes, probes, audits,
 * names that will be needed soon). The latter are queued here until the pipeline takes them to ask them; no client waits for
 * them, and they are dropped when there is no room.
 */
import { plainQuery } from '../../wire/query.ts'
import { Question, readQuestion } from '../../wire/question.ts'
import type { Cache } from '../cache/cache.ts'
import type { CacheEntry } from '../cache/entry.ts'
import type { Failure, FailureCache } from '../cache/failure-cache.ts'
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
  /** Whether a stage may answer questions about a name otherwise than an upstream would. @param name folded wire form */
  readonly isAltered?: (name: Uint8Array, nameBytes: number) => boolean
}

/** A question that a client may wait for: in flight, or to be opened by `join`. */
export interface JoinPlan {
  readonly key: string
  readonly query: Buffer
  readonly route: Route
  /** Undefined while the question is not in flight. */
  readonly ticket: Ticket | undefined
}

/** What is known about a question, fresh or not. */
export interface Known {
  readonly entry: CacheEntry | undefined
  /** Asking has just failed. */
  readonly failure: Failure | undefined
}

const none: ReadonlySet<string> = new Set()
/** Of no `Router`: an answer with it is looked at again before a client gets it. */
const unrouted = -1

interface Opening {
  readonly route: Route
  readonly entry: CacheEntry | undefined
  readonly audited?: string | undefined
  /** Address of the client that asks. */
  readonly client?: string
  /** Of the routes; for a question that no stage has seen it is found out. */
  readonly generation?: number
}

export class OwnQuestions {
  private readonly parts: OwnQuestionsParts
  // Scratch space of one method; nothing is kept in them between calls.
  private readonly key = new QuestionKey()
  private readonly question = new Question()
  private waiting: Ticket[] = []

  constructor(parts: OwnQuestionsParts) {
    this.parts = parts
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  /** @returns the tickets to ask now; the caller owns them */
  take(): Ticket[] {
    const tickets = this.waiting
    this.waiting = []
    return tickets
  }

  /** Opens a client's question. @returns a ticket that the caller has to ask; undefined when there is no room for it */
  open({ key, query, question, entry, asker }: Inquiry, route: Route): Ticket | undefined {
    const client = asker.clientAddress()
    const { generation } = this.parts.router
    const ticket = this.ticketFor(key, query, question, { route, entry, client, generation })
    return this.parts.inFlight.tryOpen(ticket) ? ticket : undefined
  }

  /** Queues a question that refreshes a cached answer. @returns false when it is in flight already, or there is no room */
  refresh({ key, query, question }: Inquiry, entry: CacheEntry): boolean {
    if (!this.mayOpen(key)) return false
    // The stages passed the question when the entry was kept.
    const { routeGeneration: generation } = entry
    this.waiting.push(this.openFor(key, query, question, { route: entry.route, entry, generation }))
    return true
  }

  /**
   * Asks whatever the cache says.
   * @param name folded wire form, one character a byte
   * @param audited what is being checked, when it is an audit
   * @returns false when it is in flight already, or there is no room
   */
  ask(name: string, qtype: number, audited?: string): boolean {
    const query = this.read(name, qtype)
    if (!this.mayOpen(this.key)) return false
    const what = { route: this.route(), entry: this.kept(), audited }
    this.waiting.push(this.openFor(this.key, query, this.question, what))
    return true
  }

  /**
   * Finds out whether a client can wait for a question. Changes nothing.
   * @param name folded wire form, one character a byte
   * @param mayOpen whether it may be opened when it is not in flight
   * @param assumed keys of questions that count as in flight
   * @returns undefined when it is not in flight and there is no room, or it may not be opened
   */
  planJoin(
    name: string,
    qtype: number,
    mayOpen: boolean,
    assumed: ReadonlySet<string> = none,
  ): JoinPlan | undefined {
    return this.plan(this.read(name, qtype), mayOpen, assumed)
  }

  /** As `planJoin`, for a question in wire form that may be opened. */
  planFollowUp(query: Buffer): JoinPlan | undefined {
    this.readQuery(query)
    return this.plan(query, true, none)
  }

  /**
   * @param client for whom it is asked, unless a client is going to wait for it
   * @returns the ticket to wait for; it is new, and the caller has to ask it, when the plan has none
   */
  join({ query, route, ticket }: JoinPlan, client = ''): Ticket {
    if (ticket !== undefined) return ticket
    this.readQuery(query)
    return this.openFor(this.key, query, this.question, { route, entry: this.kept(), client })
  }

  /** Asks unless there is a fresh answer, asking has just failed (RFC 9520), or a stage may answer. */
  askIfUnknown(name: string, qtype: number, nowMs: number): void {
    this.read(name, qtype)
    if (this.isAltered(this.key)) return
    if (this.peek(name, qtype, nowMs) === undefined && !this.hasFailed(name, qtype, nowMs))
      this.ask(name, qtype)
  }

  /** @returns the fresh entry that would answer the question now */
  peek(name: string, qtype: number, nowMs: number): CacheEntry | undefined {
    this.read(name, qtype)
    const { cache, router } = this.parts
    const entry = cache.peek(this.key)
    if (entry?.isFresh(nowMs) !== true) return undefined
    // A changed configuration may have moved the name to another route.
    return cache.isOf(entry, this.route(), router.generation) ? entry : undefined
  }

  /** What is known about a question in wire form under its present route. Changes nothing. */
  look(query: Buffer, nowMs: number): Known {
    this.readQuery(query)
    const { cache, failures, router } = this.parts
    const entry = cache.peek(this.key)
    const isPresent = entry !== undefined && cache.isOf(entry, this.route(), router.generation)
    return {
      entry: isPresent ? entry : undefined,
      failure: failures.lookup(this.key.text(), this.key.nameHash, nowMs),
    }
  }

  /** Whether asking has just failed. */
  hasFailed(name: string, qtype: number, nowMs: number): boolean {
    this.read(name, qtype)
    return this.parts.failures.lookup(this.key.text(), this.key.nameHash, nowMs) !== undefined
  }

  /** Route of the question that the method has just read. */
  private route(): Route {
    return this.parts.router.route(this.key.name, this.key.nameBytes)
  }

  /** Entry of the question that the method has just read; clients that join get it when the question takes long, or fails. */
  private kept(): CacheEntry | undefined {
    return this.parts.cache.peek(this.key)
  }

  private isAltered({ name, nameBytes }: QuestionKey): boolean {
    return this.parts.isAltered?.(name, nameBytes) === true
  }

  /** Whether a question of ours may be opened: it is not in flight, and there is room. */
  private mayOpen(key: QuestionKey): boolean {
    const { inFlight } = this.parts
    return inFlight.hasRoomForOurselves() && inFlight.get(key.text(), key.hash) === undefined
  }

  private openFor(key: QuestionKey, query: Uint8Array, question: Question, what: Opening): Ticket {
    // No stage was asked: a client's question that finds the answer in the cache asks them first.
    const unasked = this.isAltered(key) ? unrouted : this.parts.router.generation
    const generation = what.generation ?? unasked
    const ticket = this.ticketFor(key, query, question, { ...what, generation })
    this.parts.inFlight.open(ticket)
    return ticket
  }

  private ticketFor(
    key: QuestionKey,
    query: Uint8Array,
    question: Question,
    what: Opening & { readonly generation: number },
  ): Ticket {
    return openTicket(query, question, {
      key: key.text(),
      hash: key.nameHash,
      route: what.route,
      routeGeneration: what.generation,
      asOf: this.parts.cache.flushes.count,
      entry: what.entry,
      audited: what.audited,
      client: what.client ?? '',
    })
  }

  /** Plan of the question that the method has just read. */
  private plan(
    query: Buffer,
    mayOpen: boolean,
    assumed: ReadonlySet<string>,
  ): JoinPlan | undefined {
    const { inFlight } = this.parts
    const key = this.key.text()
    const ticket = inFlight.get(key, this.key.hash)
    if (ticket !== undefined) return { key, query, route: ticket.route, ticket }
    if (!assumed.has(key) && (!mayOpen || !inFlight.hasRoom())) return undefined
    return { key, query, route: this.route(), ticket }
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
