/**
 * Takes in each answer of the cluster's DNS: what it teaches about names, which denials it confirms or disproves, and which older
 * cache entries it ends. Pure.
 */
import { u16 } from '../../wire/bytes.ts'
import { headerBytes, nameBytesMax, Rcode, RrType } from '../../wire/constants.ts'
import type { Cache } from '../cache/cache.ts'
import { isPlain, nameIn } from '../cache/key.ts'
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
   * Learns from an answer of the cluster's DNS. Call for each answer, audits included.
   * @returns what the cache may do with the answer
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

  private read({ key, frame, questionEnd }: Ticket): AnsweredName {
    const { answered } = this
    answered.nameBytes = frame.copy(answered.octets, 0, headerBytes, questionEnd - 4)
    answered.text = nameIn(key)
    return answered
  }

  /**
   * Whether a denial contradicts a cached answer of the name. Either the denial was overtaken on its way, comes from a replica
   * that lags behind, or reports that the name was just deleted. It is passed on and not kept, so that all types of a name end
   * with its A.
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
    // A's denial holds for AAAA, too; a separate one for AAAA would outlive it.
    if (qtype === RrType.aaaa && isPlain(ticket.key)) return this.learning.isByPlugin(observed)
    const isA = qtype === RrType.a
    const other = isA ? RrType.aaaa : RrType.a
    const seen = this.parts.cache.peekLike(ticket.key, name, ticket.hash, other)
    if (seen === undefined || !seen.isFresh(nowMs) || seen.rcode !== Rcode.noerror) return false
    // Others than the plugin deny single types, and do so permanently (RFC 4074).
    if (!this.learning.isByPlugin(observed)) return false
    return !isA || nowMs < seen.storedMs + cutSecondsMax * 1000
  }

  /** A name that exists for one type exists for all: drops older denials for the other types. */
  private forgetDenials(ticket: Ticket, name: string, nowMs: number): void {
    const { cache } = this.parts
    const hash = name === this.answered.text ? ticket.hash : hashOf(name)
    if (!cache.mayDeny(hash, nowMs)) return
    for (const qtype of judgedTypes) {
      const entry = cache.peekLike(ticket.key, name, hash, qtype)
      if (entry?.rcode === Rcode.nxdomain) cache.drop(entry.key, entry.hash)
    }
  }
}

/** What the cache may do with an answer of the cluster's DNS. */
export interface Observation {
  /** It denies all address types of its name. */
  readonly deniesFamily: boolean
  /** It denies a name that was seen to exist a moment ago, and must not be kept. */
  readonly isContradiction: boolean
}
