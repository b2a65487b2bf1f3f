/**
 * The order of stages: what a question gets at once, and what it waits for. Pure: octets, question and time come in, a
 * decision goes out, and whoever called does the sending. The second half of a miss is in settlement.ts.
 */
import { Ede, Rcode } from '../wire/constants.ts'
import type { Question } from '../wire/question.ts'
import type { Cache } from './cache/cache.ts'
import type { CacheEntry } from './cache/entry.ts'
import type { FailureCache } from './cache/failure-cache.ts'
import { type Asker, Decision, type Settlement } from './decision.ts'
import { ReplySource } from './facts.ts'
import type { InFlight, Ticket } from './question/in-flight.ts'
import type { OwnQuestions } from './question/own-questions.ts'
import { openTicket } from './question/ticket.ts'
import type { Route, Router } from './router.ts'
import { pairMs } from './search/pairs.ts'
import type { SearchSlot } from './search/stage.ts'
import type { Settler } from './settlement.ts'

export interface ResolverParts {
  readonly cache: Cache
  readonly failures: FailureCache
  readonly inFlight: InFlight
  readonly router: Router
  readonly settler: Settler
  readonly own: OwnQuestions
  /** Empty without a cluster zone, or when switched off. */
  readonly search: SearchSlot
  /** Data of the EDNS option by which we know our own queries again; empty to send none. */
  readonly loopMarker: Uint8Array
}

const refused: Settlement = {
  image: undefined,
  rcode: Rcode.refused,
  source: ReplySource.local,
  ede: -1,
}

export class Resolver {
  private readonly parts: ResolverParts
  private readonly decision = new Decision()

  constructor(parts: ResolverParts) {
    this.parts = parts
  }

  /**
   * @param asker who asks, and how often the question has waited for others
   * @returns an object that the next call overwrites
   */
  begin(
    query: Uint8Array,
    question: Question,
    nowMs: number,
    asker: Asker & { readonly turns: number },
  ): Decision {
    const { decision } = this
    decision.turns = asker.turns
    const entry = this.present(this.parts.cache.lookup(query, question, nowMs))
    if (entry?.isFresh(nowMs) === true && !this.isOvertaken(entry, question, asker, nowMs)) {
      const answer = entry.deniesFamily
        ? this.fromAnswers(entry, question, asker, nowMs)
        : undefined
      if (answer !== undefined) return answer
      return this.fromCache(entry, query, question, nowMs)
    }
    // Nothing is asked on behalf of a client that does not want recursion.
    if (!question.recursionDesired) return this.decision.reply(refused, -1)
    return (
      this.parts.search.stage?.begin(query, question, { nowMs, decision, asker }) ??
      this.fromStale(entry, nowMs) ??
      this.fromFailures(nowMs) ??
      this.fromInFlight(nowMs) ??
      this.askUpstream(entry, query, question, nowMs)
    )
  }

  /** What answer mode has to say comes before a denial in the cache; otherwise that is about to be given. */
  private fromAnswers(
    entry: CacheEntry,
    question: Question,
    asker: Asker,
    nowMs: number,
  ): Decision | undefined {
    const { stage } = this.parts.search
    if (stage === undefined) return undefined
    const { decision } = this
    const answer =
      stage.answerMode === undefined
        ? undefined
        : stage.answer(question, { nowMs, decision, asker })
    if (answer === undefined) stage.family.noteDenial(entry, question, asker, nowMs)
    return answer
  }

  /** Whether the answer came between the halves of a pair, of which the first was denied: no hit but a very early one is. */
  private isOvertaken(entry: CacheEntry, question: Question, asker: Asker, nowMs: number): boolean {
    if (nowMs >= entry.storedMs + pairMs || !entry.route.isCluster) return false
    if (entry.rcode !== Rcode.noerror) return false
    return this.parts.search.stage?.isPaired(question, asker, nowMs) === true
  }

  /** Forgets an entry whose name has got another route since the entry was checked last. */
  private present(entry: CacheEntry | undefined): CacheEntry | undefined {
    const { cache, router } = this.parts
    if (entry === undefined || entry.routeGeneration === router.generation) return entry
    if (this.route() !== entry.route) {
      cache.drop(entry.key, entry.hash)
      return undefined
    }
    entry.routeGeneration = router.generation
    return entry
  }

  private fromCache(
    entry: CacheEntry,
    query: Uint8Array,
    question: Question,
    nowMs: number,
  ): Decision {
    const decision = this.decision.replyFrom(entry, nowMs)
    if (this.parts.cache.takeRefreshDue(entry, nowMs)) {
      const isSpared = entry.isDenial && this.parts.search.stage?.spares(question, nowMs) === true
      if (!isSpared) this.refresh(entry, query, question)
    }
    return decision
  }

  private refresh(entry: CacheEntry, query: Uint8Array, question: Question): void {
    const { cache, inFlight } = this.parts
    if (!inFlight.hasRoom() || inFlight.get(cache.key) !== undefined) return
    cache.stats.prefetches += 1
    this.parts.own.add(this.openTicket(entry, entry.route, query, question))
  }

  /** Soon after a failure nobody is asked again: the stale answer is given at once (RFC 8767 5). */
  private fromStale(entry: CacheEntry | undefined, nowMs: number): Decision | undefined {
    if (entry === undefined || nowMs >= entry.recheckAtMs) return undefined
    if (!entry.isUsableStale(nowMs)) return undefined
    return this.decision.reply(this.parts.settler.stale(entry), entry.route.zoneIndex)
  }

  private fromFailures(nowMs: number): Decision | undefined {
    const { cache, failures } = this.parts
    const failure = failures.lookup(cache.key, cache.keys.nameHash, nowMs)
    if (failure === undefined) return undefined
    const { rcode, route } = failure
    const settlement = {
      image: undefined,
      rcode,
      source: ReplySource.failureCache,
      ede: Ede.cachedError,
    }
    return this.decision.reply(settlement, route.zoneIndex)
  }

  private fromInFlight(nowMs: number): Decision | undefined {
    const { cache, inFlight } = this.parts
    const ticket = inFlight.get(cache.key)
    if (ticket === undefined) return undefined
    return this.decision.wait(ticket, false, ticket.entry?.isUsableStale(nowMs) === true)
  }

  private askUpstream(
    entry: CacheEntry | undefined,
    query: Uint8Array,
    question: Question,
    nowMs: number,
  ): Decision {
    const { inFlight, settler } = this.parts
    const route = this.route()
    if (!inFlight.hasRoom()) {
      inFlight.stats.refused += 1
      return this.decision.reply(settler.overloaded(entry, nowMs), route.zoneIndex)
    }
    const ticket = this.openTicket(entry, route, query, question)
    return this.decision.wait(ticket, true, entry?.isUsableStale(nowMs) === true)
  }

  private openTicket(
    entry: CacheEntry | undefined,
    route: Route,
    query: Uint8Array,
    question: Question,
  ): Ticket {
    const { cache, inFlight, router, loopMarker } = this.parts
    const ticket = openTicket(query, question, {
      key: cache.key,
      hash: cache.keys.nameHash,
      route,
      routeGeneration: router.generation,
      entry,
      loopMarker,
      audited: undefined,
    })
    inFlight.open(ticket)
    return ticket
  }

  /** Route of the name that was looked up last. */
  private route(): Route {
    const { keys } = this.parts.cache
    return this.parts.router.route(keys.name, keys.nameBytes)
  }
}
