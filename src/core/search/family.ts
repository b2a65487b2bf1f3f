/**
 * One decision on existence for all types of a name: A's denial is everybody's, while A is being asked the others wait for it, and
 * what one half of a look-up was told the other is told, too. Otherwise a cut that expires between A and AAAA, or a Service
 * made then, gives a pair that contradicts itself, which musl takes for "no such name" (SP-13, SP-14).
 */
import { RrType } from '../../wire/constants.ts'
import type { Cache } from '../cache/cache.ts'
import type { CacheEntry } from '../cache/entry.ts'
import type { Inquiry } from '../inquiry.ts'
import { turnsMax } from '../question/arrival.ts'
import type { InFlight } from '../question/in-flight.ts'
import type { JoinPlan, OwnQuestions } from '../question/own-questions.ts'
import type { Router } from '../router.ts'
import type { SearchJudge } from './denial.ts'
import { isPairType, Pairs, pairMs } from './pairs.ts'

export interface NameFamilyParts {
  readonly cache: Cache
  readonly inFlight: InFlight
  readonly own: OwnQuestions
  readonly router: Router
  readonly judge: SearchJudge
}

export class NameFamily {
  /** AAAA and its like that A's denial answered. */
  shared = 0
  readonly pairs = new Pairs()
  private readonly parts: NameFamilyParts

  constructor(parts: NameFamilyParts) {
    this.parts = parts
  }

  /** A denial of a whole name is being given from memory. */
  noteDenial({ expiresMs }: CacheEntry, inquiry: Inquiry): void {
    // The cache lets go of it that much before the end of the evidence.
    this.pairs.note(inquiry.member(), expiresMs + pairMs, inquiry.nowMs)
  }

  /**
   * Whether the other half of the pair, or this one, waits for CoreDNS already. What is learned meanwhile, or may be used again,
   * must not deny this one: the other may be told of a new Service.
   */
  isAwaited({ key, question, asker }: Inquiry): boolean {
    const { inFlight } = this.parts
    if (inFlight.stats.waiters === 0 || !isPairType(question)) return false
    const client = asker.clientAddress()
    if (!inFlight.hasWaiting(client)) return false
    return [RrType.a, RrType.aaaa].some((qtype) =>
      inFlight.isAwaited(key.ofType(qtype), client, asker.clientPort),
    )
  }

  /** The A of the name, for the question to wait for. @param mayOpen when nobody has asked for that yet */
  planA({ key, asker, assumed }: Inquiry, mayOpen: boolean): JoinPlan | undefined {
    if (asker.turns >= turnsMax.existence) return undefined
    return this.parts.own.planJoin(key.nameText(), RrType.a, mayOpen, assumed)
  }

  /** CoreDNS's denial of the name itself, when asked for its A, for a question of another type. */
  deniedA({ key, question, nowMs }: Inquiry): CacheEntry | undefined {
    if (question.qtype === RrType.a) return undefined
    const known = this.parts.cache.peekType(key, RrType.a)
    return known?.deniesFamily === true && known.isFresh(nowMs) ? known : undefined
  }

  /** The A of the name for another type to wait for, where that tells if the name exists. */
  planExistence(inquiry: Inquiry): JoinPlan | undefined {
    const { question, key, nowMs } = inquiry
    if (question.qtype !== RrType.aaaa && question.qtype !== RrType.https) return undefined
    const { cache, router, judge } = this.parts
    const known = cache.peekType(key, RrType.a)
    // A name with data, if stale, existed before an outage, and may well have to be answered from that data.
    if (known?.isFresh(nowMs) === true || known?.isUsableStale(nowMs) === true) return undefined
    if (!judge.isDoubtful(key.name, key.nameBytes, nowMs)) return undefined
    if (!router.route(key.name, key.nameBytes).isCluster) return undefined
    // Also when nobody has asked for A yet: some clients send AAAA first, and whoever asks for one asks for the other.
    return this.planA(inquiry, true)
  }
}
