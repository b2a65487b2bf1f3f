/**
 * Questions that no client asked: refreshes, probes, audits, names that are about to be needed. Opens their tickets and keeps
 * them until the pipeline fetches them to be asked; nobody waits for them, and when there is no room they are not asked.
 */

import { plainQuery } from '../../wire/query.ts'
import { Question, readQuestion } from '../../wire/question.ts'
import type { Cache } from '../cache/cache.ts'
import type { CacheEntry } from '../cache/entry.ts'
import type { FailureCache } from '../cache/failure-cache.ts'
import { CacheKeys } from '../cache/key.ts'
import type { Router } from '../router.ts'
import type { InFlight, Ticket } from './in-flight.ts'
import { openTicket } from './ticket.ts'

export interface OwnQuestionsParts {
  readonly cache: Cache
  readonly failures: FailureCache
  readonly inFlight: InFlight
  readonly router: Router
  readonly loopMarker: Uint8Array
}

export class OwnQuestions {
  private readonly parts: OwnQuestionsParts
  private readonly keys = new CacheKeys()
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

  /** Takes a ticket that somebody else has opened. */
  add(ticket: Ticket): void {
    this.waiting.push(ticket)
  }

  /**
   * Asks whatever the cache says.
   * @param name folded wire form, one character an octet
   * @param audited what is being checked, when it is an audit
   * @returns false when it is being asked already, or there is no room
   */
  ask(name: string, qtype: number, audited?: string): boolean {
    const { inFlight } = this.parts
    const query = this.read(name, qtype)
    const key = this.keys.exact(query, this.question)
    if (!inFlight.hasRoom() || inFlight.get(key) !== undefined) return false
    this.waiting.push(this.open(query, key, audited))
    return true
  }

  /**
   * The question as one that a client can wait for.
   * @param mayOpen when it is not under way yet; the new ticket is the caller's to ask
   * @returns undefined when it is not under way and there is no room, or it may not be
   */
  join(
    name: string,
    qtype: number,
    mayOpen: boolean,
  ): { ticket: Ticket; isNew: boolean } | undefined {
    const { inFlight } = this.parts
    const query = this.read(name, qtype)
    const key = this.keys.exact(query, this.question)
    const asked = inFlight.get(key)
    if (asked !== undefined) return { ticket: asked, isNew: false }
    if (!mayOpen || !inFlight.hasRoom()) return undefined
    return { ticket: this.open(query, key, undefined), isNew: true }
  }

  /** Asks unless a fresh answer is there, or asking has just failed (RFC 9520). */
  askIfUnknown(name: string, qtype: number, nowMs: number): void {
    if (this.find(name, qtype, nowMs) === undefined && !this.hasFailed(name, qtype, nowMs))
      this.ask(name, qtype)
  }

  /** @returns what would answer the question now, from memory */
  find(name: string, qtype: number, nowMs: number): CacheEntry | undefined {
    const { cache, router } = this.parts
    const { keys, question } = this
    const query = this.read(name, qtype)
    const own = cache.find(keys.exact(query, question), keys.nameHash)
    const entry = own?.isFresh(nowMs) === true ? own : this.findDenial(nowMs)
    if (entry === undefined) return undefined
    // A changed configuration may have given the name to others.
    return router.route(keys.name, keys.nameBytes) === entry.route ? entry : undefined
  }

  /** Of the whole name that was read last. */
  private findDenial(nowMs: number): CacheEntry | undefined {
    const denial = this.parts.cache.find(this.keys.wholeName(this.question), this.keys.nameHash)
    return denial?.isFresh(nowMs) === true ? denial : undefined
  }

  /** Whether the question could not be answered a moment ago. */
  hasFailed(name: string, qtype: number, nowMs: number): boolean {
    const query = this.read(name, qtype)
    const key = this.keys.exact(query, this.question)
    return this.parts.failures.lookup(key, this.keys.nameHash, nowMs) !== undefined
  }

  private open(query: Buffer, key: string, audited: string | undefined): Ticket {
    const { inFlight, router, loopMarker } = this.parts
    const route = router.route(this.keys.name, this.keys.nameBytes)
    const ticket = openTicket(query, this.question, {
      key,
      hash: this.keys.nameHash,
      route,
      routeGeneration: router.generation,
      entry: undefined,
      loopMarker,
      audited,
    })
    inFlight.open(ticket)
    return ticket
  }

  private read(name: string, qtype: number): Buffer {
    const query = plainQuery(name, qtype)
    readQuestion(query, query.length, this.question)
    return query
  }
}
