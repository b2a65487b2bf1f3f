/**
 * One decision on existence for all types of a name: A's denial is everybody's, while A is being asked the others wait for it, and
 * what one half of a look-up was told the other is told, too. Otherwise a cut that expires between A and AAAA, or a Service
 * made then, gives a pair that contradicts itself, which musl takes for "no such name" (searchpath 4.2).
 */
import { RrType } from '../../wire/constants.ts'
import type { Question } from '../../wire/question.ts'
import type { Cache } from '../cache/cache.ts'
import type { CacheEntry } from '../cache/entry.ts'
import type { Asker, Decision, Moment } from '../decision.ts'
import { turnsMax } from '../question/arrival.ts'
import type { InFlight } from '../question/in-flight.ts'
import type { OwnQuestions } from '../question/own-questions.ts'
import type { Router } from '../router.ts'
import type { SearchJudge } from './denial.ts'
import { wireText } from './knowledge.ts'
import { isPairType, type PairMember, Pairs, pairMs } from './pairs.ts'

export interface NameFamilyParts {
  readonly cache: Cache
  readonly inFlight: InFlight
  readonly own: OwnQuestions
  readonly router: Router
  readonly judge: SearchJudge
}

/** Its questions are the one that was looked up in the cache last. */
export class NameFamily {
  /** AAAA and its like that A's denial answered. */
  shared = 0
  readonly pairs = new Pairs()
  private readonly parts: NameFamilyParts

  constructor(parts: NameFamilyParts) {
    this.parts = parts
  }

  memberOf({ qtype }: Question, asker: Asker): PairMember {
    const client = asker.clientAddress()
    return { name: this.name(), client, clientPort: asker.clientPort, qtype }
  }

  /** A denial of a whole name is being given from memory. */
  noteDenial({ expiresMs }: CacheEntry, question: Question, asker: Asker, nowMs: number): void {
    // The cache lets go of it that much before the end of the evidence.
    this.pairs.note(this.memberOf(question, asker), expiresMs + pairMs, nowMs)
  }

  /**
   * Whether the other half of the pair, or this one, waits for CoreDNS already. What is learned meanwhile, or may be used again,
   * must not deny this one: the other may be told of a new Service.
   */
  isAwaited(question: Question, asker: Asker): boolean {
    const { inFlight, cache } = this.parts
    if (inFlight.stats.waiters === 0 || !isPairType(question)) return false
    const client = asker.clientAddress()
    if (!inFlight.hasWaiting(client)) return false
    return [RrType.a, RrType.aaaa].some((qtype) =>
      inFlight.isAwaited(cache.keys.otherType(question, qtype), client, asker.clientPort),
    )
  }

  /** Lets the question wait for the A of its name. @param mayAsk when nobody has asked for that yet */
  followA(decision: Decision, mayAsk: boolean): Decision | undefined {
    if (decision.turns >= turnsMax.existence) return undefined
    const asked = this.parts.own.join(this.name(), RrType.a, mayAsk)
    if (asked === undefined) return undefined
    decision.wait(asked.ticket, asked.isNew, false)
    decision.follows = 'existence'
    return decision
  }

  /** Denies another type with A's denial. */
  share(question: Question, { nowMs, decision, asker }: Moment): Decision | undefined {
    const known = this.deniedA(question, nowMs)
    if (known === undefined) return undefined
    this.shared += 1
    this.noteDenial(known, question, asker, nowMs)
    return decision.replyFrom(known, nowMs)
  }

  /** CoreDNS's denial of the name itself, when asked for its A, for a question of another type. */
  deniedA(question: Question, nowMs: number): CacheEntry | undefined {
    if (question.qtype === RrType.a) return undefined
    const known = this.parts.cache.lookupType(question, RrType.a)
    return known?.deniesFamily === true && known.isFresh(nowMs) ? known : undefined
  }

  /** Lets another type wait for the A of its name, where that tells if the name exists. */
  follow(question: Question, { nowMs, decision }: Moment): Decision | undefined {
    if (question.qtype !== RrType.aaaa && question.qtype !== RrType.https) return undefined
    const { cache, router, judge } = this.parts
    const { keys } = cache
    const known = cache.lookupType(question, RrType.a)
    // What has data, if stale, existed before an outage, and may well have to be answered from that.
    if (known?.isFresh(nowMs) === true || known?.isUsableStale(nowMs) === true) return undefined
    if (!judge.isDoubtful(keys.name, keys.nameBytes, nowMs)) return undefined
    if (!router.route(keys.name, keys.nameBytes).isCluster) return undefined
    // Also when nobody has asked for A yet: some clients send AAAA first, and whoever asks for one asks for the other.
    return this.followA(decision, true)
  }

  private name(): string {
    const { keys } = this.parts.cache
    return wireText(keys.name, 0, keys.nameBytes)
  }
}
