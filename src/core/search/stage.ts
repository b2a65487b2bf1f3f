/**
 * The search path as a stage of the resolver: turns judgements into replies, applies A's denial to AAAA, and opens the questions
 * that keep that knowledge fresh and checked. The evidence is judged in denial.ts.
 */
import { putU32 } from '../../wire/bytes.ts'
import { Rcode, RrType } from '../../wire/constants.ts'
import { negativeImage, type SoaRecord } from '../../wire/reply.ts'
import type { CacheEntry } from '../cache/entry.ts'
import { ReplySource } from '../facts.ts'
import type { Inquiry } from '../inquiry.ts'
import { turnsMax } from '../question/arrival.ts'
import type { JoinPlan } from '../question/own-questions.ts'
import type { Router } from '../router.ts'
import type { Foretold, Stage } from '../stages/stage.ts'
import type { Denial, LapsedCut } from './denial.ts'
import { evidenceLines, presentWireText } from './evidence-text.ts'
import { absoluteName } from './first-step.ts'
import { pairMs } from './pairs.ts'
import type { SearchPath, SearchSlot } from './search-path.ts'

type Verdict =
  | { readonly kind: 'deny'; readonly denial: Denial }
  | { readonly kind: 'deny-pair' }
  | { readonly kind: 'share'; readonly entry: CacheEntry }
  | { readonly kind: 'ask-cut'; readonly lapsed: LapsedCut; readonly plan: JoinPlan }
  | { readonly kind: 'ask-a'; readonly plan: JoinPlan }
  | { readonly kind: 'pass' }

export interface SearchFinding {
  readonly path: SearchPath
  readonly verdict: Verdict
  /** Subject of a denial that would be the first of its kind: CoreDNS is asked instead. */
  readonly unproved: string | undefined
  /** The same question was denied just now. */
  readonly isRepeated: boolean
}

const pass: Verdict = { kind: 'pass' }

export class SearchStage implements Stage<SearchFinding> {
  readonly name = 'search'
  private readonly search: SearchSlot
  private readonly router: Router

  constructor(search: SearchSlot, router: Router) {
    this.search = search
    this.router = router
  }

  judge(inquiry: Inquiry): SearchFinding | undefined {
    const { path } = this.search
    if (path?.judge.isJudged(inquiry.question) !== true) return undefined
    const { key, nowMs } = inquiry
    const judgement = path.judge.judgementOf(key.name, key.nameBytes, nowMs)
    return judgement === 'outside' ? undefined : inZone(path, inquiry, judgement)
  }

  commit(inquiry: Inquiry, { path, verdict, unproved, isRepeated }: SearchFinding): boolean {
    const { decision, nowMs } = inquiry
    if (unproved !== undefined) path.known.audit.noteFirst(unproved, nowMs)
    if (isRepeated) path.family.pairs.forget(inquiry.member())
    switch (verdict.kind) {
      case 'deny':
        noteDenial(path, inquiry, verdict.denial)
        return this.synthesise(path, inquiry, verdict.denial.ttlSeconds)
      case 'deny-pair':
        path.family.pairs.note(inquiry.member(), nowMs, nowMs)
        return this.synthesise(path, inquiry, 0)
      case 'share':
        path.family.shared += 1
        path.family.noteDenial(verdict.entry, inquiry)
        decision.replyFrom(verdict.entry, nowMs)
        return true
      case 'ask-cut':
        path.known.cuts.noteProbing(verdict.lapsed.name)
        return follow(path, inquiry, verdict.plan)
      case 'ask-a':
        return follow(path, inquiry, verdict.plan)
      case 'pass':
        return false
    }
  }

  foretell(inquiry: Inquiry, { path, verdict, unproved }: SearchFinding): Foretold {
    switch (verdict.kind) {
      case 'deny':
        return denialForetold(path, inquiry, verdict.denial.ttlSeconds, denialText(verdict.denial))
      case 'deny-pair':
        return denialForetold(
          path,
          inquiry,
          0,
          'the other type of this look-up was denied just now',
        )
      case 'share':
        return {
          kind: 'reply',
          why: 'A was denied, and so is every type of the name',
          source: ReplySource.cacheDenial,
          rcode: verdict.entry.rcode,
          image: verdict.entry.image(),
        }
      case 'ask-cut':
        return waitForetold(
          verdict.plan,
          `asks first if ${presentWireText(verdict.lapsed.name)} exists`,
        )
      case 'ask-a':
        return waitForetold(verdict.plan, 'asks first for A, which tells if the name exists')
      case 'pass': {
        const why =
          unproved === undefined
            ? 'CoreDNS has to be asked'
            : 'the first of its kind is asked, not denied'
        return { kind: 'pass', why }
      }
    }
  }

  evidence({ key, question, nowMs }: Inquiry): string[] {
    const { path } = this.search
    if (!this.router.route(key.name, key.nameBytes).isCluster) return []
    if (path === undefined) return ['search    off']
    const lines = evidenceLines(path.judge.explain(key.name, key.nameBytes, nowMs), nowMs)
    return path.judge.isJudged(question) ? lines : [...lines, 'search    this type is always asked']
  }

  private synthesise({ known }: SearchPath, inquiry: Inquiry, ttlSeconds: number): boolean {
    const image = denialImage(known.soa, inquiry, ttlSeconds)
    if (image === undefined) return false
    const { decision, key } = inquiry
    const { zoneIndex } = this.router.route(key.name, key.nameBytes)
    decision.synthesise(image, Rcode.nxdomain, zoneIndex)
    return true
  }
}

function inZone(
  path: SearchPath,
  inquiry: Inquiry,
  denial: Denial | undefined,
): SearchFinding | undefined {
  const { family, known } = path
  if (family.isAwaited(inquiry)) {
    const isAsked = inquiry.question.qtype === RrType.a || inquiry.hasStale
    const plan = isAsked ? undefined : family.planA(inquiry, false)
    return (
      plan && { path, verdict: { kind: 'ask-a', plan }, unproved: undefined, isRepeated: false }
    )
  }
  const isFirst = denial !== undefined && known.audit.isFirst(denial.subject, inquiry.nowMs)
  if (denial !== undefined && !isFirst)
    return { path, verdict: { kind: 'deny', denial }, unproved: undefined, isRepeated: false }
  const verdict = verdictOnUndenied(path, inquiry)
  const isRepeated = verdict.kind !== 'deny-pair' && path.isRepeated(inquiry)
  if (verdict === pass && !isFirst && !isRepeated) return undefined
  return { path, verdict, unproved: denial?.subject, isRepeated }
}

/**
 * The verdict on a name that no evidence denies: its other types or its ancestors may still decide, or have to be asked first.
 */
function verdictOnUndenied(path: SearchPath, inquiry: Inquiry): Verdict {
  const { family } = path
  if (path.isPaired(inquiry)) return { kind: 'deny-pair' }
  const entry = family.deniedA(inquiry)
  if (entry !== undefined) return { kind: 'share', entry }
  // A question that waits for another one fails with it, and then its own usable stale answer would be lost.
  if (inquiry.hasStale) return pass
  const lapsed = lapsedCut(path, inquiry)
  if (lapsed !== undefined) return lapsed
  const plan = family.planExistence(inquiry)
  return plan === undefined ? pass : { kind: 'ask-a', plan }
}

/** The cut was not refreshed in time, or not used for a while: all names below it wait for one question about it. */
function lapsedCut(
  { judge, own }: SearchPath,
  { key, nowMs, asker, assumed }: Inquiry,
): Verdict | undefined {
  if (asker.turns >= turnsMax.existence) return undefined
  const lapsed = judge.lapsedCut(key.name, key.nameBytes, nowMs)
  if (lapsed === undefined) return undefined
  // The cut is asked once; if its answer taught nothing, the names themselves are asked.
  const plan = own.planJoin(lapsed.name, RrType.a, !lapsed.cut.isProbing, assumed)
  return plan && { kind: 'ask-cut', lapsed, plan }
}

function follow({ own }: SearchPath, { decision }: Inquiry, plan: JoinPlan): true {
  decision.follow(own.join(plan), plan.ticket === undefined, 'existence')
  return true
}

/**
 * Follow-up of our own denial: the other half of the pair gets the same, the evidence is kept fresh, and CoreDNS is asked to
 * confirm.
 */
function noteDenial(path: SearchPath, inquiry: Inquiry, denial: Denial): void {
  const { known, family, own, auditRun } = path
  const { evidence, kind, cut } = denial
  const { nowMs } = inquiry
  known.stats[evidence] += 1
  if (evidence === 'structure') known.audit.noteUse(kind)
  const member = inquiry.member()
  // A denial by structure does not expire, but answer mode might answer between the questions of a pair.
  if (cut !== undefined || path.answerMode !== undefined)
    family.pairs.note(member, cut?.expiresMs ?? nowMs + pairMs, nowMs)
  if (cut !== undefined && known.cuts.takeRefreshDue(kind, nowMs)) own.ask(kind, RrType.a)
  auditRun.begin(denial, member, nowMs, () => family.deniedA(inquiry) !== undefined)
  if (path.prefetches) prefetch(path, member.name, nowMs)
}

/** The client will walk its whole list; meanwhile the name at the list's end is asked. */
function prefetch({ known, judge, own }: SearchPath, name: string, nowMs: number): void {
  const absolute = absoluteName(name, known.zone, (expansion) => judge.isDenied(expansion, nowMs))
  if (absolute === undefined) return
  own.askIfUnknown(absolute, RrType.a, nowMs)
  own.askIfUnknown(absolute, RrType.aaaa, nowMs)
}

function denialImage(
  soa: SoaRecord | undefined,
  { query, question }: Inquiry,
  ttlSeconds: number,
): Buffer | undefined {
  if (soa === undefined) return undefined
  const image = negativeImage(query, question, Rcode.nxdomain, { ...soa, ttlSeconds })
  // MINIMUM is the last field of the SOA and so of the image (RFC 2308 5: the lower of the two counts).
  putU32(image, image.length - 4, ttlSeconds)
  return image
}

function denialForetold(
  { known }: SearchPath,
  inquiry: Inquiry,
  ttlSeconds: number,
  why: string,
): Foretold {
  const image = denialImage(known.soa, inquiry, ttlSeconds)
  if (image === undefined) return { kind: 'pass', why: 'CoreDNS has not denied anything yet' }
  const source = ReplySource.synthesised
  return { kind: 'reply', why, source, rcode: Rcode.nxdomain, image }
}

function denialText({ evidence, kind, ttlSeconds }: Denial): string {
  const why = evidence === 'cut' ? `${presentWireText(kind)} does not exist` : kind
  return `without asking, for ${ttlSeconds} s: ${why}`
}

function waitForetold({ key, route, ticket }: JoinPlan, why: string): Foretold {
  const starts = ticket === undefined
  const { group } = route
  return { kind: 'wait', why, key, group, starts, follows: 'existence', hasStale: false }
}
