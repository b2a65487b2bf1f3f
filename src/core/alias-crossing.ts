/**
 * Aliases that lead from one owner's names to another's: of the cluster, a stub zone, the resolvers outside, or the configuration.
 * An answer is cut at such an alias, and the owner of the name behind it is asked for the rest. Each part may lead on to a third
 * owner; the number of crossings is bounded, and a circle is found when a question would wait for itself. Joins nothing itself:
 * that is core/joining.ts.
 */
import { u16 } from '../wire/bytes.ts'
import { Ede, Flag2, Rcode } from '../wire/constants.ts'
import { followUpQuery } from '../wire/query.ts'
import { Question, readQuestion } from '../wire/question.ts'
import type { AliasHead } from './alias-head.ts'
import type { CacheEntry } from './cache/entry.ts'
import { nobody, type Settlement } from './decision.ts'
import { ReplySource } from './facts.ts'
import { Inquiry } from './inquiry.ts'
import type { Ticket } from './question/in-flight.ts'
import type { OwnQuestions } from './question/own-questions.ts'
import type { Route } from './router.ts'
import type { Settler } from './settlement.ts'
import { clientIn } from './sharing/claim.ts'
import type { Stage } from './stages/stage.ts'

export interface Crossing {
  readonly ticket: Ticket
  readonly head: AliasHead
  /** Of the name that the alias leads to; undefined where nobody has to be asked. */
  readonly owner: Route | undefined
}

/** `tail`: what the owner says is known. Otherwise the crossing waits for `target`, which has to be asked when it is new. */
export type Step =
  | { readonly tail: Settlement; readonly target: undefined; readonly isNew: false }
  | { readonly tail: undefined; readonly target: Ticket; readonly isNew: boolean }

type LocalPart =
  | { readonly tail: Settlement; readonly head: undefined }
  | { readonly tail: undefined; readonly head: AliasHead }

export interface AliasCrossingParts {
  readonly own: OwnQuestions
  readonly settler: Settler
  /** They answer for their names before anybody is asked. */
  readonly local: readonly Stage[]
}

const overloaded: Settlement = {
  image: undefined,
  rcode: Rcode.servfail,
  source: ReplySource.overloaded,
  ede: Ede.other,
}
/** A circle, or more crossings than allowed. */
const endless: Settlement = { ...overloaded, source: ReplySource.failed }
/** The configuration has nobody to ask. */
const unserved: Settlement = { ...endless, rcode: Rcode.refused, ede: Ede.notAuthoritative }

const none: readonly Crossing[] = []

export class AliasCrossings {
  /** Crossings of one answer. */
  crossingsMax: number
  readonly stats = { endless: 0 }
  private readonly parts: AliasCrossingParts
  private readonly question = new Question()
  private readonly waiting = new Map<Ticket, Crossing[]>()
  /** The ticket that a ticket waits for. */
  private readonly targets = new Map<Ticket, Ticket>()
  /** How many crossings lead to a ticket, at the most. */
  private readonly depths = new Map<Ticket, number>()

  constructor(parts: AliasCrossingParts, crossingsMax: number) {
    this.parts = parts
    this.crossingsMax = crossingsMax
  }

  begin(ticket: Ticket, head: AliasHead, nowMs: number): Step {
    const { own } = this.parts
    const query = followUpQuery(head.leadsTo, u16(ticket.frame, ticket.questionEnd - 4), {
      dnssecOk: ticket.dnssecOk,
      checkingDisabled: ((ticket.frame[3] as number) & Flag2.cd) !== 0,
    })
    const local = this.localPart(query, nowMs)
    const known = local === undefined ? this.knownTail(ticket, query, nowMs) : local.tail
    if (known !== undefined) return told(known)
    const plan = own.planFollowUp(query)
    if (plan === undefined) return told(overloaded)
    if (plan.route.isRefused === true) return told(unserved)
    if (this.isEndless(ticket, plan.ticket)) {
      this.stats.endless += 1
      return told(endless)
    }
    const target = own.join(plan, clientIn(ticket.claim))
    if (plan.ticket === undefined) target.head = local?.head
    this.note({ ticket, head, owner: plan.route }, target)
    return { tail: undefined, target, isNew: plan.ticket === undefined }
  }

  /** @returns the crossings that waited for `target`; they wait no more */
  take(target: Ticket): readonly Crossing[] {
    const crossings = this.waiting.get(target) ?? none
    this.waiting.delete(target)
    this.depths.delete(target)
    for (const { ticket } of crossings) this.targets.delete(ticket)
    return crossings
  }

  /** What a stage that answers for the name says: all, or the first part. */
  private localPart(query: Buffer, nowMs: number): LocalPart | undefined {
    if (this.parts.local.length === 0) return undefined
    readQuestion(query, query.length, this.question)
    const inquiry = new Inquiry().read(query, this.question, nowMs, nobody)
    for (const stage of this.parts.local) {
      const finding = stage.judge(inquiry)
      if (finding === undefined || !stage.commit(inquiry, finding)) continue
      const { image, rcode, source, ede, head } = inquiry.decision
      if (head !== undefined) return { tail: undefined, head }
      // Its records' TTLs bound the whole.
      const kept = { lifetimeSeconds: Number.POSITIVE_INFINITY, isDenial: rcode !== Rcode.noerror }
      return { tail: { image, rcode, source, ede, kept }, head: undefined }
    }
    return undefined
  }

  private knownTail(ticket: Ticket, query: Buffer, nowMs: number): Settlement | undefined {
    const { own, settler } = this.parts
    const { entry, failure } = own.look(query, nowMs)
    if (entry?.isFresh(nowMs) === true && !isSpent(entry, ticket, nowMs))
      return settler.known(entry, nowMs)
    if (entry?.isUsableStale(nowMs) === true && nowMs < entry.recheckAtMs)
      return settler.stale(entry)
    if (failure === undefined) return undefined
    const { rcode } = failure
    return { image: undefined, rcode, source: ReplySource.failureCache, ede: Ede.cachedError }
  }

  /** Whether `ticket` would wait for itself, or too many crossings would be joined. @param target undefined when it is new */
  private isEndless(ticket: Ticket, target: Ticket | undefined): boolean {
    let depth = (this.depths.get(ticket) ?? 0) + 1
    for (let at = target; at !== undefined; at = this.targets.get(at)) {
      if (at === ticket) return true
      if (this.targets.has(at)) depth += 1
    }
    return depth > this.crossingsMax
  }

  private note(crossing: Crossing, target: Ticket): void {
    const { ticket } = crossing
    this.targets.set(ticket, target)
    this.waiting.set(target, [...(this.waiting.get(target) ?? none), crossing])
    let depth = this.depths.get(ticket) ?? 0
    for (let at: Ticket | undefined = target; at !== undefined; at = this.targets.get(at)) {
      depth = Math.max(depth + 1, this.depths.get(at) ?? 0)
      this.depths.set(at, depth)
    }
  }
}

function told(tail: Settlement): Step {
  return { tail, target: undefined, isNew: false }
}

/** Whether a refresh should ask for the rest as well: joined with what is left of an old answer it would be due again at once. */
function isSpent(entry: CacheEntry, ticket: Ticket, nowMs: number): boolean {
  return ticket.waiters.length === 0 && nowMs >= entry.refreshAtMs
}
