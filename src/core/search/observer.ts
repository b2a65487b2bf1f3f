/**
 * Hears what the cluster's DNS says: what it teaches about names, what it proves or disproves, and what of older knowledge has to
 * go. Pure.
 */
import { u16 } from '../../wire/bytes.ts'
import { headerBytes, nameBytesMax, Rcode, RrType } from '../../wire/constants.ts'
import type { Cache } from '../cache/cache.ts'
import { isPlain } from '../cache/key.ts'
import { hashOf } from '../cache/key-bytes.ts'
import type { Ticket } from '../question/in-flight.ts'
import type { OwnQuestions } from '../question/own-questions.ts'
import type { AuditRun } from './audit-run.ts'
import { cutSecondsMax } from './cuts.ts'
import { judgedTypes, type SearchKnowledge } from './knowledge.ts'
import { type AnsweredName, type Observed, SearchLearning } from './learning.ts'

export interface SearchObserverParts {
  readonly known: SearchKnowledge
  readonly cache: Cache
  readonly own: OwnQuestions
  readonly auditRun: AuditRun
}

export class SearchObserver {
  private readonly parts: SearchObserverParts
  private readonly learning: SearchLearning
  private readonly answered = {
    octets: Buffer.allocUnsafeSlow(nameBytesMax),
    nameBytes: 0,
    text: '',
  }

  constructor(parts: SearchObserverParts) {
    this.parts = parts
    this.learning = new SearchLearning(parts.known)
  }

  /**
   * What an answer from the cluster's DNS teaches. To be called for each, audits included.
   * @returns what it is worth to the cache
   */
  observe(ticket: Ticket, observed: Observed, nowMs: number): Observation {
    const answered = this.read(ticket)
    const name = answered.text
    const { rcode } = observed.scan
    const isContradiction = this.isContradiction(ticket, name, observed, nowMs)
    const learned = isContradiction ? undefined : this.learning.observe(answered, observed, nowMs)
    this.parts.auditRun.finish(ticket, { name, rcode }, learned, nowMs)
    if (learned === undefined) return { deniesFamily: false, isContradiction }
    for (const wanted of learned.probes) this.parts.own.ask(wanted, RrType.a)
    for (const revived of learned.revived) this.forgetDenials(ticket, revived, nowMs)
    return { deniesFamily: learned.deniesFamily, isContradiction }
  }

  private read({ frame, questionEnd }: Ticket): AnsweredName {
    const { answered } = this
    answered.nameBytes = frame.copy(answered.octets, 0, headerBytes, questionEnd - 4)
    answered.text = answered.octets.toString('latin1', 0, answered.nameBytes)
    return answered
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
    if (qtype === RrType.aaaa && isPlain(ticket.key)) return this.learning.isByPlugin(observed)
    const isA = qtype === RrType.a
    const seen = this.parts.cache.peekLike(ticket.key, name, isA ? RrType.aaaa : RrType.a)
    if (seen === undefined || !seen.isFresh(nowMs) || seen.rcode !== Rcode.noerror) return false
    if (isA) return nowMs < seen.storedMs + cutSecondsMax * 1000
    // Others deny AAAA where there is an A, and for good (RFC 4074).
    return this.learning.isByPlugin(observed)
  }

  /** What exists for one type exists for all: an older denial for another type must not outlive the news. */
  private forgetDenials({ key }: Ticket, name: string, nowMs: number): void {
    const { cache } = this.parts
    const hash = hashOf(name)
    for (const qtype of judgedTypes) {
      if (!cache.mayDeny(hash, qtype, nowMs)) continue
      const entry = cache.peekLike(key, name, qtype)
      if (entry?.rcode === Rcode.nxdomain) cache.drop(entry.key, entry.hash)
    }
  }
}

/** What an answer of the cluster's DNS is worth to those who ask later. */
export interface Observation {
  /** It denies all address types of its name. */
  readonly deniesFamily: boolean
  /** It denies a name that was told to exist a moment ago, and is not to be kept. */
  readonly isContradiction: boolean
}
