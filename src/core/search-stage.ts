/**
 * The search path as a stage of the resolver: turns what `search-path.ts` knows into replies, lets A speak for AAAA, and
 * opens the questions that keep that knowledge fresh and checked. Pure.
 */
import { putU32, u16 } from '../wire/bytes.ts'
import { Rcode, RrType } from '../wire/constants.ts'
import type { Question } from '../wire/question.ts'
import { negativeImage } from '../wire/reply.ts'
import type { Cache, CacheEntry } from './cache.ts'
import { ReplySource } from './facts.ts'
import type { InFlight, Ticket } from './in-flight.ts'
import type { OwnQuestions } from './own-questions.ts'
import type { Decision } from './resolver.ts'
import type { Router } from './router.ts'
import { absoluteName } from './search-absolute.ts'
import { SearchChecks, type SearchReports } from './search-checks.ts'
import { cutSecondsMax } from './search-cuts.ts'
import { judgedTypes, octetsFrom, type SearchKnowledge } from './search-knowledge.ts'
import { type Observed, SearchLessons } from './search-lessons.ts'
import { pairMs, SearchPairs } from './search-pairs.ts'
import { type Denial, SearchPath } from './search-path.ts'

export interface SearchStageParts {
  readonly known: SearchKnowledge
  readonly cache: Cache
  readonly inFlight: InFlight
  readonly router: Router
  readonly own: OwnQuestions
  /** Ask for the absolute name ahead of the client. */
  readonly prefetches: boolean
  readonly reports: SearchReports
}

/** Whoever asks. */
export interface Asker {
  clientAddress(): string
}

interface Moment {
  readonly nowMs: number
  readonly decision: Decision
  readonly asker: Asker
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
  private readonly checks: SearchChecks
  private readonly pairs = new SearchPairs()

  constructor(parts: SearchStageParts) {
    this.parts = parts
    this.known = parts.known
    this.path = new SearchPath(parts.known)
    this.lessons = new SearchLessons(parts.known)
    this.checks = new SearchChecks({ ...parts, audit: parts.known.audit })
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
    { nowMs, decision, asker }: Moment,
  ): Decision | undefined {
    const { path } = this
    const { keys } = this.parts.cache
    if (!path.isJudged(question)) return undefined
    const denial = path.judge(keys.name, keys.nameBytes, nowMs)
    if (denial !== undefined && !this.known.audit.isFirst(denial.subject, nowMs))
      return this.deny(denial, query, question, { nowMs, decision, asker })
    if (!path.isInZone) return undefined
    if (this.isPaired(question, asker, nowMs)) return this.synthesise(query, question, 0, decision)
    const follower = this.fromLapsedCut(nowMs, decision)
    if (follower !== undefined || question.qtype === RrType.a) return follower
    return this.fromExistence(question, { nowMs, decision, asker })
  }

  /**
   * Whether the other half of a pair was denied a moment ago, so that this half has to be, too, whatever has become known since.
   * For the question that was just looked up.
   */
  isPaired(question: Question, asker: Asker, nowMs: number): boolean {
    if (this.pairs.isQuiet(nowMs) || !this.path.isJudged(question)) return false
    const { keys } = this.parts.cache
    const name = octetsFrom(keys.name, 0, keys.nameBytes)
    return this.pairs.holds(name, asker.clientAddress(), nowMs)
  }

  /** A denial of a whole name is being given from memory. */
  notePair({ name, expiresMs }: CacheEntry, asker: Asker, nowMs: number): void {
    // The cache lets go of it that much before the end of the evidence.
    this.pairs.note(name, asker.clientAddress(), expiresMs + pairMs, nowMs)
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
   * @returns what it is worth to the cache
   */
  observe(ticket: Ticket, observed: Observed, nowMs: number): Worth {
    const octets = ticket.frame.subarray(12, ticket.questionEnd - 4)
    const name = octets.toString('latin1')
    const { rcode } = observed.scan
    const isContradiction = this.isContradiction(ticket, name, observed, nowMs)
    const lesson = isContradiction
      ? undefined
      : this.lessons.observe(octets, octets.length, observed, nowMs)
    this.checks.finish(ticket, { name, rcode }, lesson, nowMs)
    if (lesson === undefined) return { deniesFamily: false, isContradiction }
    for (const wanted of lesson.probes) this.parts.own.ask(wanted, RrType.a)
    for (const revived of lesson.revived) this.forgetDenials(ticket, revived)
    return { deniesFamily: lesson.deniesFamily, isContradiction }
  }

  /**
   * Whether a denial contradicts what is remembered of the name. It was overtaken on its way, is of a replica that lags behind, or
   * is news of the end: what it says is passed on, and not kept, so that all types of a name go on to live by its A.
   */
  private isContradiction(
    ticket: Ticket,
    name: string,
    observed: Observed,
    nowMs: number,
  ): boolean {
    if (observed.scan.rcode !== Rcode.nxdomain) return false
    const qtype = u16(ticket.frame, ticket.questionEnd - 4)
    if (!judgedTypes.has(qtype)) return false
    const isA = qtype === RrType.a
    const seen = this.parts.cache.entryLike(ticket.key, name, isA ? RrType.aaaa : RrType.a)
    if (seen === undefined || !seen.isFresh(nowMs) || seen.rcode !== Rcode.noerror) return false
    if (isA) return nowMs < seen.storedMs + cutSecondsMax * 1000
    // Others deny AAAA where there is an A, and for good (RFC 4074).
    return this.lessons.isByPlugin(observed)
  }

  /** What exists for one type exists for all: an older denial for another type must not outlive the news. */
  private forgetDenials({ key }: Ticket, name: string): void {
    const { cache } = this.parts
    for (const qtype of judgedTypes) {
      const entry = cache.entryLike(key, name, qtype)
      if (entry?.rcode === Rcode.nxdomain) cache.drop(entry.key, entry.hash)
    }
  }

  private deny(
    denial: Denial,
    query: Uint8Array,
    question: Question,
    { nowMs, decision, asker }: Moment,
  ): Decision | undefined {
    const { known, parts } = this
    const { keys } = parts.cache
    const { evidence, kind, cut, ttlSeconds } = denial
    known.stats[evidence] += 1
    if (evidence === 'structure') known.audit.noteUse(kind)
    const name = octetsFrom(keys.name, 0, keys.nameBytes)
    if (cut !== undefined) {
      this.pairs.note(name, asker.clientAddress(), cut.expiresMs, nowMs)
      if (known.cuts.takeRefreshDue(cut, nowMs)) parts.own.ask(kind, RrType.a)
    }
    const denied = { name, qtype: question.qtype }
    this.checks.begin(denial, denied, nowMs, () => this.hasOwnDenial(question, nowMs))
    if (parts.prefetches) this.prefetch(name, nowMs)
    return this.synthesise(query, question, ttlSeconds, decision)
  }

  private synthesise(
    query: Uint8Array,
    question: Question,
    ttlSeconds: number,
    decision: Decision,
  ): Decision | undefined {
    const { soa } = this.known
    if (soa === undefined) return undefined
    const { cache, router } = this.parts
    const { keys } = cache
    const image = negativeImage(query, question, Rcode.nxdomain, { ...soa, ttlSeconds })
    // MINIMUM is the last field of the SOA and so of the image (RFC 2308 5: the lower of the two counts).
    putU32(image, image.length - 4, ttlSeconds)
    const { zoneIndex } = router.route(keys.name, keys.nameBytes)
    const source = ReplySource.synthesised
    return decision.reply({ image, rcode: Rcode.nxdomain, source, ede: -1 }, zoneIndex)
  }

  /** CoreDNS has just denied the name itself, when asked for its A: nothing would be proved by asking for another type. */
  private hasOwnDenial(question: Question, nowMs: number): boolean {
    if (question.qtype === RrType.a) return false
    const own = this.parts.cache.lookupType(question, RrType.a)
    return own?.deniesFamily === true && own.isFresh(nowMs)
  }

  /** A cut was not refreshed in time, or not used for a while: all that stand or fall with it wait for one question about it. */
  private fromLapsedCut(nowMs: number, decision: Decision): Decision | undefined {
    if (!decision.mayFollow) return undefined
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
    { nowMs, decision, asker }: Moment,
  ): Decision | undefined {
    const { cache, own, router } = this.parts
    const { keys } = cache
    const known = cache.lookupType(question, RrType.a)
    if (known?.isFresh(nowMs) === true) {
      if (!known.deniesFamily) return undefined
      this.shared += 1
      this.notePair(known, asker, nowMs)
      const { rcode, route } = known
      const image = known.aged(nowMs)
      return decision.reply(
        { image, rcode, source: ReplySource.cacheDenial, ede: -1 },
        route.zoneIndex,
      )
    }
    if (question.qtype !== RrType.aaaa && question.qtype !== RrType.https) return undefined
    // What has stale data to give existed before an outage, and may well have to be answered from that.
    if (known?.isUsableStale(nowMs) === true) return undefined
    if (!decision.mayFollow || !this.path.isDoubtful(keys.name, keys.nameBytes, nowMs))
      return undefined
    if (!router.route(keys.name, keys.nameBytes).isCluster) return undefined
    // Also when nobody has asked for A yet: some clients send AAAA first, and whoever asks for one asks for the other.
    const asked = own.join(octetsFrom(keys.name, 0, keys.nameBytes), RrType.a, true)
    if (asked === undefined) return undefined
    decision.wait(asked.ticket, asked.isNew, false)
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

/** What an answer of the cluster's DNS is worth to those who ask later. */
export interface Worth {
  /** It denies all address types of its name. */
  readonly deniesFamily: boolean
  /** It denies a name that was told to exist a moment ago, and is not to be kept. */
  readonly isContradiction: boolean
}
