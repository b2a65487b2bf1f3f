/**
 * One decision on existence for all types of a name (SP-13, SP-14): A's denial holds for all types, the other types wait while A
 * is being asked, and both halves of a look-up are told the same. Otherwise a cut that expires between A and AAAA, or a Service
 * created then, gives a pair that contradicts itself, which musl takes for "no such name".
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
  /** Questions for AAAA and other types that A's denial answered. */
  shared = 0
  readonly pairs = new Pairs()
  private readonly parts: NameFamilyParts

  constructor(parts: NameFamilyParts) {
    this.parts = parts
  }

  /** Records that a denial of the whole name is given from the cache. */
  noteDenial({ expiresMs }: CacheEntry, inquiry: Inquiry): void {
    // The cache entry ends that much before its evidence.
    this.pairs.note(inquiry.member(), expiresMs + pairMs, inquiry.nowMs)
  }

  /**
   * Whether this question or the other half of its pair already waits for CoreDNS. Evidence learned, or made usable again, in the
   * meantime must not deny this half: CoreDNS may tell the other one of a new Service.
   */
  isAwaited({ key, question, asker }: Inquiry): boolean {
    const { inFlight } = this.parts
    if (inFlight.stats.waiters === 0 || !isPairType(question)) return false
    const client = asker.clientAddress()
    if (!inFlight.hasWaiting(client)) return false
    return [RrType.a, RrType.aaaa].some((qtype) =>
      inFlight.isAwaited(key, qtype, client, asker.clientPort),
    )
  }

  /** Plans to wait for the A of the name. @param mayOpen whether to ask for A when it is not in flight yet */
  planA({ key, asker, assumed }: Inquiry, mayOpen: boolean): JoinPlan | undefined {
    if (asker.turns >= turnsMax.existence) return undefined
    return this.parts.own.planJoin(key.nameText(), RrType.a, mayOpen, assumed)
  }

  /** CoreDNS's denial of A for the name, for a question of another type. */
  deniedA({ key, question, nowMs }: Inquiry): CacheEntry | undefined {
    if (question.qtype === RrType.a) return undefined
    const known = this.parts.cache.peekType(key, RrType.a)
    return known?.deniesFamily === true && known.isFresh(nowMs) ? known : undefined
  }

  /** Plans to wait for A before another type is decided, when A's answer tells whether the name exists. */
  planExistence(inquiry: Inquiry): JoinPlan | undefined {
    const { question, key, nowMs } = inquiry
    if (question.qtype !== RrType.aaaa && question.qtype !== RrType.https) return undefined
    const { cache, router, judge, own } = this.parts
    const known = cache.peekType(key, RrType.a)
    // A name with data, even stale, existed before an outage, and may have to be answered from that data.
    if (known?.isFresh(nowMs) === true || known?.isUsableStale(nowMs) === true) return undefined
    if (!judge.isDoubtful(key.name, key.nameBytes, nowMs)) return undefined
    if (!router.route(key.name, key.nameBytes).isCluster) return undefined
    // RFC 9520: A is not asked again so soon, and its failure is not this type's.
    if (own.hasFailed(key.nameText(), RrType.a, nowMs)) return undefined
    // A may be opened here: some clients send AAAA first, and a client that asks for one type asks for the other.
    return this.planA(inquiry, true)
  }
}
