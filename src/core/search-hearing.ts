/**
 * Hears what the cluster's DNS says: what it teaches about names, what it proves or disproves, and what of older knowledge has to
 * go. Pure.
 */
import { u16 } from '../wire/bytes.ts'
import { headerBytes, nameBytesMax, Rcode, RrType } from '../wire/constants.ts'
import type { Cache } from './cache.ts'
import { isPlain } from './cache-key.ts'
import type { Ticket } from './in-flight.ts'
import { hashOf } from './key-octets.ts'
import type { OwnQuestions } from './own-questions.ts'
import type { SearchChecks } from './search-checks.ts'
import { cutSecondsMax } from './search-cuts.ts'
import { judgedTypes, type SearchKnowledge } from './search-knowledge.ts'
import { type HeardName, type Observed, SearchLessons } from './search-lessons.ts'

export interface SearchHearingParts {
  readonly known: SearchKnowledge
  readonly cache: Cache
  readonly own: OwnQuestions
  readonly checks: SearchChecks
}

export class SearchHearing {
  private readonly parts: SearchHearingParts
  private readonly lessons: SearchLessons
  private readonly heard = {
    octets: Buffer.allocUnsafeSlow(nameBytesMax),
    nameBytes: 0,
    text: '',
  }

  constructor(parts: SearchHearingParts) {
    this.parts = parts
    this.lessons = new SearchLessons(parts.known)
  }

  /**
   * What an answer from the cluster's DNS teaches. To be called for each, audits included.
   * @returns what it is worth to the cache
   */
  observe(ticket: Ticket, observed: Observed, nowMs: number): Worth {
    const heard = this.read(ticket)
    const name = heard.text
    const { rcode } = observed.scan
    const isContradiction = this.isContradiction(ticket, name, observed, nowMs)
    const lesson = isContradiction ? undefined : this.lessons.observe(heard, observed, nowMs)
    this.parts.checks.finish(ticket, { name, rcode }, lesson, nowMs)
    if (lesson === undefined) return { deniesFamily: false, isContradiction }
    for (const wanted of lesson.probes) this.parts.own.ask(wanted, RrType.a)
    for (const revived of lesson.revived) this.forgetDenials(ticket, revived, nowMs)
    return { deniesFamily: lesson.deniesFamily, isContradiction }
  }

  private read({ frame, questionEnd }: Ticket): HeardName {
    const { heard } = this
    heard.nameBytes = frame.copy(heard.octets, 0, headerBytes, questionEnd - 4)
    heard.text = heard.octets.toString('latin1', 0, heard.nameBytes)
    return heard
  }

  /**
   * Whether a denial contradicts what is remembered of the name. It was overtaken on its way, is of a replica that lags behind, or
   * is news of the end, or is of AAAA alone: what it says is passed on, and not kept, so that all types of a name go on to live by its A.
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
    // A's denial is AAAA's, too; one of its own would outlive it.
    if (qtype === RrType.aaaa && isPlain(ticket.key)) return this.lessons.isByPlugin(observed)
    const isA = qtype === RrType.a
    const seen = this.parts.cache.entryLike(ticket.key, name, isA ? RrType.aaaa : RrType.a)
    if (seen === undefined || !seen.isFresh(nowMs) || seen.rcode !== Rcode.noerror) return false
    if (isA) return nowMs < seen.storedMs + cutSecondsMax * 1000
    // Others deny AAAA where there is an A, and for good (RFC 4074).
    return this.lessons.isByPlugin(observed)
  }

  /** What exists for one type exists for all: an older denial for another type must not outlive the news. */
  private forgetDenials({ key }: Ticket, name: string, nowMs: number): void {
    const { cache } = this.parts
    const hash = hashOf(name)
    for (const qtype of judgedTypes) {
      if (!cache.mayDeny(hash, qtype, nowMs)) continue
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
