/**
 * Holds the parts of the search path and the knowledge they share: judge, family, audits, observer, answer mode. A changed
 * configuration builds a new one. Decides nothing itself: that is in `stage.ts` and `answer-mode/stage.ts`.
 */
import { Rcode } from '../../wire/constants.ts'
import type { Cache } from '../cache/cache.ts'
import type { CacheEntry } from '../cache/entry.ts'
import type { Inquiry } from '../inquiry.ts'
import type { InFlight } from '../question/in-flight.ts'
import type { OwnQuestions } from '../question/own-questions.ts'
import type { Router } from '../router.ts'
import { AnswerMode } from './answer-mode/answer-mode.ts'
import type { SearchLists } from './answer-mode/lists.ts'
import { AuditRun } from './audit-run.ts'
import { SearchJudge } from './denial.ts'
import { NameFamily } from './family.ts'
import type { SearchKnowledge } from './knowledge.ts'
import { SearchObserver } from './observer.ts'
import { pairMs } from './pairs.ts'
import type { SearchReports } from './reports.ts'
import type { SearchCounts } from './totals.ts'

export interface SearchPathParts {
  readonly known: SearchKnowledge
  readonly cache: Cache
  readonly inFlight: InFlight
  readonly router: Router
  readonly own: OwnQuestions
  /** Whether to ask for the absolute name ahead of the client. */
  readonly prefetches: boolean
  readonly reports: SearchReports
  /** Search lists of clients that may be answered at once; undefined without answer mode. */
  readonly lists: SearchLists | undefined
  /** Whether a stage may answer questions about a name otherwise than an upstream would. @param name folded wire form */
  readonly isAltered?: (name: Uint8Array, nameBytes: number) => boolean
}

/** Holds the search path in force; undefined without a cluster zone, or when switched off. */
export interface SearchSlot {
  path: SearchPath | undefined
}

export class SearchPath {
  readonly known: SearchKnowledge
  readonly judge: SearchJudge
  readonly family: NameFamily
  readonly auditRun: AuditRun
  readonly observer: SearchObserver
  /** Undefined without answer mode. */
  readonly answerMode: AnswerMode | undefined
  readonly prefetches: boolean
  readonly own: OwnQuestions

  constructor(parts: SearchPathParts) {
    const { known, lists, own } = parts
    this.known = known
    this.own = own
    this.prefetches = parts.prefetches
    this.judge = new SearchJudge(known)
    const reports = this.stoppingReports(parts.reports)
    this.auditRun = new AuditRun({ ...parts, reports, audit: known.audit })
    const { judge, auditRun } = this
    this.family = new NameFamily({ ...parts, judge })
    const { pairs } = this.family
    this.observer = new SearchObserver({ ...parts, auditRun })
    this.answerMode = lists && new AnswerMode({ ...parts, lists, judge, auditRun, pairs })
  }

  /** What it has counted since it was built. */
  counts(): SearchCounts {
    const { stats, audit } = this.known
    const { structure, cut, probes } = stats
    const { audits, mismatches } = audit
    const { answered = 0, fallbacks = {} } = this.answerMode ?? {}
    const { shared } = this.family
    return { structure, cut, shared, probes, audits, mismatches, answered, fallbacks }
  }

  /** Forgets what was learned of names; what breakers and trust have seen of CoreDNS stays. */
  forget(): void {
    this.known.cuts.clear()
    this.answerMode?.forget()
  }

  /** What it is now. */
  view(nowMs: number) {
    const { audit, cuts, trust } = this.known
    return {
      cuts: cuts.size,
      breakersOpen: audit.openKinds(nowMs).length,
      answerState: this.answerMode?.state,
      level: trust.level,
      fingerprint: trust.fingerprint,
    }
  }

  /**
   * Whether the other question of the pair was denied or answered a moment ago, so that this one must get the same decision,
   * whatever has been learned since.
   */
  isPaired(inquiry: Inquiry): boolean {
    const { nowMs } = inquiry
    if (this.isQuiet(nowMs) || !this.judge.isJudged(inquiry.question)) return false
    const member = inquiry.member()
    return (
      this.family.pairs.holds(member, nowMs) || this.answerMode?.isPinned(member, nowMs) === true
    )
  }

  /**
   * Whether an answer arrived between the questions of a pair whose first question was denied: possible only for a very young
   * entry.
   */
  overtakes({ storedMs, route, rcode }: CacheEntry, inquiry: Inquiry): boolean {
    if (inquiry.nowMs >= storedMs + pairMs || !route.isCluster || rcode !== Rcode.noerror)
      return false
    return this.isPaired(inquiry)
  }

  /** Records that a fresh entry is given from the cache. */
  noteCached(entry: CacheEntry, inquiry: Inquiry): void {
    if (entry.deniesFamily) this.family.noteDenial(entry, inquiry)
    else if (this.isRepeated(inquiry)) this.family.pairs.forget(inquiry.member())
  }

  /** Whether the same question comes again after its denial: that begins another look-up. */
  isRepeated(inquiry: Inquiry): boolean {
    const { pairs } = this.family
    return !pairs.isQuiet(inquiry.nowMs) && pairs.repeats(inquiry.member(), inquiry.nowMs)
  }

  /** Whether the question would be denied without asking, so that a cached denial need not be kept fresh. */
  spares({ question, key, nowMs }: Inquiry): boolean {
    return (
      this.judge.isJudged(question) &&
      this.judge.denialOf(key.name, key.nameBytes, nowMs) !== undefined
    )
  }

  /** Whether no client was denied or answered recently, so that no question can be the second of a pair. */
  private isQuiet(nowMs: number): boolean {
    return this.family.pairs.isQuiet(nowMs) && this.answerMode?.hasPins !== true
  }

  /** A broken rule or cut also stops answer mode, which rests on all of them. */
  private stoppingReports({ onMismatch, onBrokenRule, ...others }: SearchReports): SearchReports {
    return {
      ...others,
      onMismatch: (name, kind) => {
        onMismatch(name, kind)
        this.answerMode?.stop()
      },
      onBrokenRule: (name, rule) => {
        onBrokenRule(name, rule)
        this.answerMode?.stop()
      },
    }
  }
}
