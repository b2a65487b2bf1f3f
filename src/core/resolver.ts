/**
 * Decides what a question gets at once, or waits for: looks the question up and asks the stages in order. Pure: bytes, question
 * and time come in, a decision goes out, and the caller carries it out. The second half of a miss is in settlement.ts.
 */
import type { Question } from '../wire/question.ts'
import type { AliasHead } from './alias-head.ts'
import type { CacheEntry } from './cache/entry.ts'
import type { QuestionKey } from './cache/key.ts'
import type { Asker, Decision } from './decision.ts'
import { Inquiry } from './inquiry.ts'
import { CachedStage } from './stages/cached.ts'
import { makeStages, type StageParts } from './stages/list.ts'
import type { Stage } from './stages/stage.ts'

export class Resolver {
  /** In order; the last one always decides. */
  stages: readonly Stage[] = []
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

  /** @returns an object that the next call overwrites */
  begin(query: Uint8Array, question: Question, nowMs: number, asker: Asker): Decision {
    const { inquiry } = this
    inquiry.read(query, question, nowMs, asker)
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

  /** Opens a question of which the first part of the answer is there, or joins it. */
  private lead(head: AliasHead, inquiry: Inquiry): void {
    const { inFlight, own, router, settler } = this.parts
    const { decision, key, nowMs } = inquiry
    decision.head = undefined
    const known = inFlight.get(key.text())
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
  private isAltered({ name, nameBytes }: QuestionKey): boolean {
    return this.parts.local.some((stage) => stage.alters?.(name, nameBytes) === true)
  }

  /** Drops an entry whose name has got another route, or that of a stage, since the last check. */
  private present(entry: CacheEntry | undefined, { key }: Inquiry): CacheEntry | undefined {
    const { cache, router } = this.parts
    if (entry === undefined || entry.routeGeneration === router.generation) return entry
    const isOf = cache.isOf(entry, router.route(key.name, key.nameBytes), router.generation)
    if (!isOf || this.isAltered(key)) {
      cache.drop(entry.key, entry.hash)
      return undefined
    }
    entry.routeGeneration = router.generation
    return entry
  }
}
