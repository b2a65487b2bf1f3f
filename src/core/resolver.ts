/**
 * Decides what a question gets at once, or waits for: looks the question up and asks the stages in order. Pure: bytes, question
 * and time come in, a decision goes out, and the caller carries it out. The second half of a miss is in settlement.ts.
 */
import { Ede, Rcode, RrClass } from '../wire/constants.ts'
import { isAskable, type Question } from '../wire/question.ts'
import type { AliasHead } from './alias-head.ts'
import type { CacheEntry } from './cache/entry.ts'
import type { QuestionKey } from './cache/key.ts'
import { type Asker, type Decision, nobody, type Settlement } from './decision.ts'
import { ReplySource } from './facts.ts'
import { Inquiry } from './inquiry.ts'
import type { Rewriting, Rewritten } from './rewriting.ts'
import { CachedStage } from './stages/cached.ts'
import { makeStages, type StageParts } from './stages/list.ts'
import type { Stage } from './stages/stage.ts'

/** What a question gets that a rule rewrites to something that is no name. */
const nameless: Settlement = {
  image: undefined,
  rcode: Rcode.servfail,
  source: ReplySource.local,
  ede: Ede.other,
}

export class Resolver {
  /** In order; the last one always decides. */
  stages: readonly Stage[] = []
  /** Undefined while no question is rewritten. */
  private rewriting: Rewriting | undefined
  private readonly parts: StageParts
  private readonly inquiry = new Inquiry()
  /** The first stage, where it is the cache: V8 inlines its calls for a hit, as it does not those of a list of classes. */
  private cached: CachedStage | undefined
  private others: readonly Stage[] = []

  constructor(parts: StageParts) {
    this.parts = parts
    this.renew()
  }

  /** Call when the search path was created, removed or rebuilt. */
  renew(): void {
    this.stages = makeStages(this.parts)
    const [first, ...others] = this.stages
    const isCache = first instanceof CachedStage
    this.cached = isCache ? first : undefined
    this.others = isCache ? others : this.stages
  }

  get isRewriting(): boolean {
    return this.rewriting !== undefined
  }

  /** @param rewriting undefined: no question is rewritten */
  setRewriting(rewriting: Rewriting | undefined): void {
    this.rewriting = rewriting
    this.inquiry.decision.revision = undefined
  }

  /** Whether a question of a class that nobody can be asked about is asked in another one. */
  admits(query: Uint8Array, question: Question): boolean {
    if (question.qclass === RrClass.in) return false
    const asked = this.rewritten(query, question, nobody)
    return asked?.kind === 'asked' && isAskable(asked.question)
  }

  /** @returns an object that the next call overwrites */
  begin(query: Uint8Array, question: Question, nowMs: number, asker: Asker): Decision {
    const { inquiry } = this
    inquiry.read(query, question, nowMs, asker)
    const { rewriting } = this
    if (rewriting !== undefined && !this.rewrite(rewriting, inquiry)) return inquiry.decision
    inquiry.entry = this.present(this.parts.cache.lookup(inquiry.key), inquiry)
    const { cached } = this
    const fresh = cached?.judge(inquiry)
    if (fresh !== undefined && cached?.commit(inquiry, fresh) === true) return inquiry.decision
    for (const stage of this.others) {
      const finding = stage.judge(inquiry)
      if (finding !== undefined && stage.commit(inquiry, finding)) break
    }
    const { head } = inquiry.decision
    if (head !== undefined) this.lead(head, inquiry)
    return inquiry.decision
  }

  /** Puts the question in the place that has to be asked. @returns false when there is none, and the decision is made */
  private rewrite(rewriting: Rewriting, inquiry: Inquiry): boolean {
    const { decision, nowMs, asker } = inquiry
    const found = rewriting.of(inquiry)
    decision.revision = undefined
    if (found === undefined) return true
    rewriting.count(found)
    if (found.kind === 'nameless') {
      decision.reply(nameless, -1)
      return false
    }
    decision.revision = found.revision
    if (found.kind === 'asked') inquiry.read(found.query, found.question, nowMs, asker)
    return true
  }

  /** What becomes of a question before it is looked up. Changes nothing. @returns undefined when it stays as it is */
  rewritten(query: Uint8Array, question: Question, asker: Asker): Rewritten | undefined {
    return this.rewriting?.of(new Inquiry().read(query, question, 0, asker))
  }

  /** Opens a question of which the first part of the answer is there, or joins it. */
  private lead(head: AliasHead, inquiry: Inquiry): void {
    const { inFlight, own, router, settler } = this.parts
    const { decision, key, nowMs } = inquiry
    decision.head = undefined
    const known = inFlight.get(key.text(), key.hash)
    if (known !== undefined) {
      decision.wait(known, false, false)
      return
    }
    const route = router.route(key.name, key.nameBytes)
    const ticket = own.open(inquiry, route)
    if (ticket === undefined) {
      decision.reply(settler.overloaded(undefined, nowMs), route.zoneIndex)
      return
    }
    ticket.head = head
    decision.wait(ticket, true, false)
  }

  /**
   * Prepares a question as `begin` does. Changes nothing: no use is counted, and an entry whose route has changed is left out,
   * not dropped.
   */
  inquire(query: Uint8Array, question: Question, nowMs: number, asker: Asker): Inquiry {
    const inquiry = new Inquiry().read(query, question, nowMs, asker)
    const { cache, router } = this.parts
    const { key } = inquiry
    const entry = cache.peek(key)
    if (entry === undefined) return inquiry
    const route = router.route(key.name, key.nameBytes)
    const isOf = cache.isOf(entry, route, router.generation)
    const isOld = entry.routeGeneration !== router.generation && this.isAltered(key)
    if (isOf && !isOld) inquiry.entry = entry
    return inquiry
  }

  /** Whether an answer that was cached under other settings may no longer be what a question about the name gets. */
  private isAltered({ name, nameBytes }: Pick<QuestionKey, 'name' | 'nameBytes'>): boolean {
    return this.parts.local.some((stage) => stage.alters?.(name, nameBytes) === true)
  }

  /** Drops an entry whose name has got another route, or that of a stage, since the last check. */
  private present(entry: CacheEntry | undefined, { key }: Inquiry): CacheEntry | undefined {
    const { cache, router } = this.parts
    if (entry === undefined || entry.routeGeneration === router.generation) return entry
    if (this.isOfSettings(entry, key)) return entry
    cache.drop(entry.key, entry.hash)
    return undefined
  }

  /** Whether a question about its name would be answered from the entry, under the present routes and stages. Drops nothing. */
  isPresent(entry: CacheEntry): boolean {
    if (entry.routeGeneration === this.parts.router.generation) return true
    const name = Buffer.from(entry.name, 'latin1')
    return this.isOfSettings(entry, { name, nameBytes: name.length })
  }

  /** Notes when an entry is what its name gets, so that it is checked once after each change. */
  private isOfSettings(entry: CacheEntry, key: Pick<QuestionKey, 'name' | 'nameBytes'>): boolean {
    const { cache, router } = this.parts
    const isOf = cache.isOf(entry, router.route(key.name, key.nameBytes), router.generation)
    if (!isOf || this.isAltered(key)) return false
    entry.routeGeneration = router.generation
    return true
  }
}
