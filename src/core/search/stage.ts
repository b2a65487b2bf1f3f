/**
 * The search path as a stage of the resolver: turns what `core/search/denial.ts` knows into replies, lets A speak for AAAA, and
 * opens the questions that keep that knowledge fresh and checked. Pure.
 */
import { putU32 } from '../../wire/bytes.ts'
import { Rcode, RrType } from '../../wire/constants.ts'
import type { Question } from '../../wire/question.ts'
import { negativeImage } from '../../wire/reply.ts'
import type { Cache } from '../cache/cache.ts'
import type { Asker, Decision, Moment } from '../decision.ts'
import { ReplySource } from '../facts.ts'
import { turnsMax } from '../question/arrival.ts'
import type { InFlight } from '../question/in-flight.ts'
import type { OwnQuestions } from '../question/own-questions.ts'
import type { Router } from '../router.ts'
import { AnswerMode } from './answer-mode/answer-mode.ts'
import type { SearchLists } from './answer-mode/lists.ts'
import { AuditRun } from './audit-run.ts'
import { type Denial, SearchJudge } from './denial.ts'
import { NameFamily } from './family.ts'
import { absoluteName } from './first-step.ts'
import type { SearchKnowledge } from './knowledge.ts'
import { SearchObserver } from './observer.ts'
import { pairMs } from './pairs.ts'
import type { SearchReports } from './reports.ts'

export interface SearchStageParts {
  readonly known: SearchKnowledge
  readonly cache: Cache
  readonly inFlight: InFlight
  readonly router: Router
  readonly own: OwnQuestions
  /** Ask for the absolute name ahead of the client. */
  readonly prefetches: boolean
  readonly reports: SearchReports
  /** Search lists of clients that may be answered at once; undefined without answer mode. */
  readonly lists: SearchLists | undefined
}

/** Where the stage in force stands; a changed configuration puts another one there. */
export interface SearchSlot {
  stage: SearchStage | undefined
}

export class SearchStage {
  readonly judge: SearchJudge
  readonly known: SearchKnowledge
  private readonly parts: SearchStageParts
  readonly observer: SearchObserver
  /** Undefined without answer mode. */
  readonly answerMode: AnswerMode | undefined
  private readonly auditRun: AuditRun
  readonly family: NameFamily

  constructor(parts: SearchStageParts) {
    const { known, lists } = parts
    this.parts = parts
    this.known = known
    this.judge = new SearchJudge(known)
    const reports = this.stoppingReports(parts.reports)
    this.auditRun = new AuditRun({ ...parts, reports, audit: known.audit })
    const { judge, auditRun } = this
    this.family = new NameFamily({ ...parts, judge })
    const { pairs } = this.family
    this.observer = new SearchObserver({ ...parts, auditRun })
    this.answerMode = lists && new AnswerMode({ ...parts, lists, judge, auditRun, pairs })
  }

  /** Numbers for whoever watches. */
  view(nowMs: number) {
    const { stats, audit, cuts, trust } = this.known
    return {
      ...stats,
      shared: this.family.shared,
      mismatches: audit.mismatches,
      audits: audit.audits,
      cuts: cuts.size,
      breakersOpen: audit.openKinds(nowMs).length,
      answers: this.answerMode?.view(),
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
    const { judge } = this
    const { keys } = this.parts.cache
    if (!judge.isJudged(question)) return undefined
    const denial = judge.denialOf(keys.name, keys.nameBytes, nowMs)
    if (!judge.isInZone) return undefined
    // A moment of its own: V8 then makes none for all the other names.
    return this.decide(denial, query, question, { nowMs, decision, asker })
  }

  private decide(
    judged: Denial | undefined,
    query: Uint8Array,
    question: Question,
    moment: Moment,
  ): Decision | undefined {
    const { judge, answerMode, family } = this
    const { nowMs, decision, asker } = moment
    const { keys } = this.parts.cache
    let denial = judged
    if (answerMode !== undefined) {
      const answered = this.answer(question, moment)
      if (answered !== undefined) return answered
      // Judging other names has overwritten it.
      denial = judge.denialOf(keys.name, keys.nameBytes, nowMs)
    }
    if (family.isAwaited(question, asker))
      return question.qtype === RrType.a ? undefined : family.followA(decision, false)
    if (denial !== undefined && !this.known.audit.isFirst(denial.subject, nowMs))
      return this.deny(denial, query, question, moment)
    return this.denyPaired(query, question, moment) ?? this.fromKin(question, moment)
  }

  private denyPaired(
    query: Uint8Array,
    question: Question,
    { nowMs, decision, asker }: Moment,
  ): Decision | undefined {
    if (!this.isPaired(question, asker, nowMs)) return undefined
    const { family } = this
    family.pairs.note(family.memberOf(question, asker), nowMs, nowMs)
    return this.synthesise(query, question, 0, decision)
  }

  /** What the question's other types, or what is above its name, tell of it, or will tell. */
  private fromKin(question: Question, moment: Moment): Decision | undefined {
    const { family } = this
    return (
      family.share(question, moment) ??
      this.fromLapsedCut(moment.nowMs, moment.decision) ??
      family.follow(question, moment)
    )
  }

  /**
   * Whether the other half of a pair was decided a moment ago, denied or answered, so that this half has to follow, whatever has
   * become known since. For the question that was just looked up.
   */
  isPaired(question: Question, asker: Asker, nowMs: number): boolean {
    const { answerMode, family } = this
    const { pairs } = family
    const isQuiet = pairs.isQuiet(nowMs) && answerMode?.hasPins !== true
    if (isQuiet || !this.judge.isJudged(question)) return false
    const member = family.memberOf(question, asker)
    return pairs.holds(member, nowMs) || answerMode?.isPinned(member, nowMs) === true
  }

  /**
   * What answer mode has for the question that was just looked up, in place of a denial from wherever.
   * @returns undefined when the client is to be denied the name
   */
  answer(question: Question, moment: Moment): Decision | undefined {
    const { answerMode } = this
    if (answerMode === undefined) return undefined
    const { asker, decision, nowMs } = moment
    const asked = this.family.memberOf(question, asker)
    answerMode.noteStep(asked, nowMs)
    const answer = answerMode.begin(asked, question, moment)
    return answer instanceof Uint8Array ? this.replyWith(answer, Rcode.noerror, decision) : answer
  }

  /** Whether the question that was just looked up would be denied without asking, so that a cached denial need not be kept alive. */
  spares(question: Question, nowMs: number): boolean {
    const { keys } = this.parts.cache
    return (
      this.judge.isJudged(question) &&
      this.judge.denialOf(keys.name, keys.nameBytes, nowMs) !== undefined
    )
  }

  private deny(
    denial: Denial,
    query: Uint8Array,
    question: Question,
    { nowMs, decision, asker }: Moment,
  ): Decision | undefined {
    const { known, parts, family } = this
    const { evidence, kind, cut, ttlSeconds } = denial
    known.stats[evidence] += 1
    if (evidence === 'structure') known.audit.noteUse(kind)
    const member = family.memberOf(question, asker)
    // What rests on a rule alone never ends, but for answer mode, which might come between the halves of a pair.
    if (cut !== undefined || this.answerMode !== undefined)
      family.pairs.note(member, cut?.expiresMs ?? nowMs + pairMs, nowMs)
    if (cut !== undefined && known.cuts.takeRefreshDue(cut, nowMs)) parts.own.ask(kind, RrType.a)
    this.auditRun.begin(denial, member, nowMs, () => family.deniedA(question, nowMs) !== undefined)
    if (parts.prefetches) this.prefetch(member.name, nowMs)
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
    const image = negativeImage(query, question, Rcode.nxdomain, { ...soa, ttlSeconds })
    // MINIMUM is the last field of the SOA and so of the image (RFC 2308 5: the lower of the two counts).
    putU32(image, image.length - 4, ttlSeconds)
    return this.replyWith(image, Rcode.nxdomain, decision)
  }

  /** To the question that was looked up. */
  private replyWith(image: Buffer, rcode: number, decision: Decision): Decision {
    const { cache, router } = this.parts
    const { zoneIndex } = router.route(cache.keys.name, cache.keys.nameBytes)
    return decision.reply({ image, rcode, source: ReplySource.synthesised, ede: -1 }, zoneIndex)
  }

  /** What ends a rule or a cut ends answer mode, which rests on all of them. */
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

  /** A cut was not refreshed in time, or not used for a while: all that stand or fall with it wait for one question about it. */
  private fromLapsedCut(nowMs: number, decision: Decision): Decision | undefined {
    if (decision.turns >= turnsMax.existence) return undefined
    const { cache, own } = this.parts
    const lapsed = this.judge.lapsedCut(cache.keys.name, cache.keys.nameBytes, nowMs)
    if (lapsed === undefined) return undefined
    // Asked for once; if that taught nothing, the names are asked.
    const asked = own.join(lapsed.name, RrType.a, !lapsed.cut.isProbing)
    if (asked === undefined) return undefined
    lapsed.cut.isProbing = true
    decision.wait(asked.ticket, asked.isNew, false)
    decision.follows = 'existence'
    return decision
  }

  /** The client will walk its whole list; the name at its end is asked meanwhile. */
  private prefetch(name: string, nowMs: number): void {
    const absolute = absoluteName(name, this.known.zone, (expansion) =>
      this.judge.isDenied(expansion, nowMs),
    )
    if (absolute === undefined) return
    this.parts.own.askIfUnknown(absolute, RrType.a, nowMs)
    this.parts.own.askIfUnknown(absolute, RrType.aaaa, nowMs)
  }
}
