/**
 * Hears what the cluster's DNS says: what it teaches about names, what it proves or disproves, and what of older knowledge has to
 * go. Pure.
 */
import { u16 } from '../wire/bytes.ts'
import { Rcode, RrType } from '../wire/constants.ts'
import type { Cache } from './cache.ts'
import type { Ticket } from './in-flight.ts'
import type { OwnQuestions } from './own-questions.ts'
import type { SearchChecks } from './search-checks.ts'
import { cutSecondsMax } from './search-cuts.ts'
import { judgedTypes, type SearchKnowledge } from './search-knowledge.ts'
import { type Observed, SearchLessons } from './search-lessons.ts'

export interface SearchHearingParts {
  readonly known: SearchKnowledge
  readonly cache: Cache
  readonly own: OwnQuestions
  readonly checks: SearchChecks
}

export class SearchHearing {
  private readonly parts: SearchHearingParts
  private readonly lessons: SearchLessons

  constructor(parts: SearchHearingParts) {
    this.parts = parts
    this.lessons = new SearchLessons(parts.known)
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
    this.parts.checks.finish(ticket, { name, rcode }, lesson, nowMs)
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
}

/** What an answer of the cluster's DNS is worth to those who ask later. */
export interface Worth {
  /** It denies all address types of its name. */
  readonly deniesFamily: boolean
  /** It denies a name that was told to exist a moment ago, and is not to be kept. */
  readonly isContradiction: boolean
}
