/**
 * The search path as a stage of the resolver: turns what `search-path.ts` knows into replies, lets A speak for AAAA, and
 * opens the questions that keep that knowledge fresh and checked. Pure.
 */
import { putU32 } from '../wire/bytes.ts'
import { Rcode, RrType } from '../wire/constants.ts'
import type { Question } from '../wire/question.ts'
import { negativeImage } from '../wire/reply.ts'
import type { Cache } from './cache.ts'
import { ReplySource } from './facts.ts'
import type { InFlight, Ticket } from './in-flight.ts'
import type { OwnQuestions } from './own-questions.ts'
import type { Decision } from './resolver.ts'
import type { Router } from './router.ts'
import { absoluteName } from './search-absolute.ts'
import type { SearchKnowledge } from './search-knowledge.ts'
import { type Observed, SearchLessons } from './search-lessons.ts'
import { type Denial, SearchPath } from './search-path.ts'

export interface SearchStageParts {
  readonly known: SearchKnowledge
  readonly cache: Cache
  readonly inFlight: InFlight
  readonly router: Router
  readonly own: OwnQuestions
  /** Ask for the absolute name ahead of the client. */
  readonly prefetches: boolean
  /** A synthesised denial was wrong. @param name folded wire form, one character an octet */
  readonly onMismatch: (name: string, kind: string) => void
}

/** Where the stage in force stands; a changed configuration puts another one there. */
export interface SearchSlot {
  stage: SearchStage | undefined
}

export class SearchStage {
  readonly path: SearchPath
  readonly known: SearchKnowledge
  /** AAAA and its like that A's denial answered. */
  shared = 0
  private readonly parts: SearchStageParts
  private readonly lessons: SearchLessons

  constructor(parts: SearchStageParts) {
    this.parts = parts
    this.known = parts.known
    this.path = new SearchPath(parts.known)
    this.lessons = new SearchLessons(parts.known)
  }

  /** Numbers for whoever watches. */
  view(nowMs: number) {
    const { stats, audit, cuts, trust } = this.known
    return {
      ...stats,
      shared: this.shared,
      mismatches: audit.mismatches,
      audits: audit.audits,
      cuts: cuts.size,
      breakersOpen: audit.openKinds(nowMs).length,
      level: trust.level,
      fingerprint: trust.fingerprint,
    }
  }

  /**
   * After the cache was looked up for the question, and had nothing fresh.
   * @returns `decision`, or undefined when the search path has nothing to say
   */
  begin(
    query: Uint8Array,
    question: Question,
    nowMs: number,
    decision: Decision,
  ): Decision | undefined {
    const { path } = this
    const { keys } = this.parts.cache
    if (!path.isJudged(question)) return undefined
    const denial = path.judge(keys.name, keys.nameBytes, nowMs)
    if (denial !== undefined) return this.deny(denial, query, question, { nowMs, decision })
    const follower = this.fromLapsedCut(nowMs, decision)
    if (follower !== undefined || question.qtype === RrType.a) return follower
    return this.fromExistence(question, nowMs, decision)
  }

  /** Whether the question that was just looked up would be denied without asking, so that a cached denial need not be kept alive. */
  spares(question: Question, nowMs: number): boolean {
    const { keys } = this.parts.cache
    return (
      this.path.isJudged(question) &&
      this.path.judge(keys.name, keys.nameBytes, nowMs) !== undefined
    )
  }

  /**
   * What an answer from the cluster's DNS teaches. To be called for each, audits included.
   * @returns whether it denies all address types of its name
   */
  observe(ticket: Ticket, observed: Observed, nowMs: number): boolean {
    const { known, parts } = this
    const name = ticket.frame.subarray(12, ticket.questionEnd - 4)
    const { rcode } = observed.scan
    if (ticket.audited !== undefined && rcode === Rcode.noerror) {
      known.audit.mismatch(ticket.audited, nowMs)
      parts.onMismatch(name.toString('latin1'), ticket.audited)
    }
    const lesson = this.lessons.observe(name, name.length, observed, nowMs)
    for (const wanted of lesson.probes) parts.own.ask(wanted, RrType.a)
    return lesson.deniesFamily
  }

  private deny(
    denial: Denial,
    query: Uint8Array,
    question: Question,
    { nowMs, decision }: { nowMs: number; decision: Decision },
  ): Decision | undefined {
    const { known, parts } = this
    const { soa } = known
    if (soa === undefined) return undefined
    const { keys } = parts.cache
    const { evidence, kind, cut, ttlSeconds } = denial
    known.stats[evidence] += 1
    const image = negativeImage(query, question, Rcode.nxdomain, { ...soa, ttlSeconds })
    // MINIMUM is the last field of the SOA and so of the image (RFC 2308 5: the lower of the two counts).
    putU32(image, image.length - 4, ttlSeconds)
    const name = Buffer.from(keys.name.buffer, keys.name.byteOffset, keys.nameBytes).toString(
      'latin1',
    )
    if (cut !== undefined && known.cuts.takeRefreshDue(cut, nowMs)) parts.own.ask(kind, RrType.a)
    if (known.audit.isDue(kind, nowMs)) parts.own.ask(name, question.qtype, kind)
    if (parts.prefetches) this.prefetch(name, nowMs)
    const { zoneIndex } = parts.router.route(keys.name, keys.nameBytes)
    const source = ReplySource.synthesised
    return decision.reply({ image, rcode: Rcode.nxdomain, source, ede: -1 }, zoneIndex)
  }

  /** A cut was not refreshed in time, or not used for a while: all that stand or fall with it wait for one question about it. */
  private fromLapsedCut(nowMs: number, decision: Decision): Decision | undefined {
    const { cache, own } = this.parts
    const lapsed = this.path.lapsedCut(cache.keys.name, cache.keys.nameBytes, nowMs)
    if (lapsed === undefined) return undefined
    // Asked for once; if that taught nothing, the names are asked.
    const asked = own.join(lapsed.name, RrType.a, !lapsed.cut.isProbing)
    if (asked === undefined) return undefined
    lapsed.cut.isProbing = true
    decision.wait(asked.ticket, asked.isNew, false)
    decision.follows = true
    return decision
  }

  /**
   * One decision on existence for all types of a name: A's denial is everybody's, and while A is being asked the others wait
   * for it. Otherwise a cut that expires between A and AAAA, or a Service made then, gives a pair that contradicts itself,
   * which musl takes for "no such name" (searchpath 4.2).
   */
  private fromExistence(
    question: Question,
    nowMs: number,
    decision: Decision,
  ): Decision | undefined {
    const { cache, inFlight, router } = this.parts
    const { keys } = cache
    const known = cache.lookupType(question, RrType.a)
    if (known?.isFresh(nowMs) === true) {
      if (!known.deniesFamily) return undefined
      this.shared += 1
      const { rcode, route } = known
      const image = known.aged(nowMs)
      return decision.reply(
        { image, rcode, source: ReplySource.cacheDenial, ede: -1 },
        route.zoneIndex,
      )
    }
    if (question.qtype !== RrType.aaaa && question.qtype !== RrType.https) return undefined
    const asked = inFlight.get(keys.otherType(question, RrType.a))
    if (asked === undefined || !this.path.isDoubtful(keys.name, keys.nameBytes, nowMs))
      return undefined
    if (!router.route(keys.name, keys.nameBytes).isCluster) return undefined
    decision.wait(asked, false, false)
    decision.follows = true
    return decision
  }

  /** The client will walk its whole list; the name at its end is asked meanwhile. */
  private prefetch(name: string, nowMs: number): void {
    const absolute = absoluteName(name, this.known.zone, (expansion) =>
      this.path.isDenied(expansion, nowMs),
    )
    if (absolute === undefined) return
    this.parts.own.askIfUnknown(absolute, RrType.a, nowMs)
    this.parts.own.askIfUnknown(absolute, RrType.aaaa, nowMs)
  }
}
