/** Answers from a fresh cache entry, and refreshes the entry in time while it is in demand. */
import type { Cache } from '../cache/cache.ts'
import type { CacheEntry } from '../cache/entry.ts'
import { keptText } from '../cache/entry-text.ts'
import { ReplySource } from '../facts.ts'
import type { Inquiry } from '../inquiry.ts'
import type { OwnQuestions } from '../question/own-questions.ts'
import { pairMs } from '../search/pairs.ts'
import type { SearchSlot } from '../search/search-path.ts'
import type { ForetoldReply, Stage } from './stage.ts'

export interface CachedStageParts {
  readonly cache: Cache
  readonly own: OwnQuestions
  readonly search: SearchSlot
}

export class CachedStage implements Stage<CacheEntry> {
  readonly name = 'cache'
  private readonly parts: CachedStageParts

  constructor(parts: CachedStageParts) {
    this.parts = parts
  }

  judge(inquiry: Inquiry): CacheEntry | undefined {
    const { fresh } = inquiry
    if (fresh === undefined || !mayBeOfPair(fresh, inquiry)) return fresh
    return this.parts.search.path?.overtakes(fresh, inquiry) === true ? undefined : fresh
  }

  commit(inquiry: Inquiry, entry: CacheEntry): true {
    const { nowMs } = inquiry
    inquiry.decision.replyFrom(entry, nowMs)
    if (mayBeOfPair(entry, inquiry)) this.parts.search.path?.noteCached(entry, inquiry)
    if (this.parts.cache.takeRefreshDue(entry, nowMs)) this.refresh(entry, inquiry)
    return true
  }

  foretell(_inquiry: Inquiry, entry: CacheEntry): ForetoldReply {
    const source = entry.isDenial ? ReplySource.cacheDenial : ReplySource.cacheSuccess
    const why = `${keptText(entry)} from the cache`
    return { kind: 'reply', why, source, rcode: entry.rcode, image: entry.image() }
  }

  private refresh(entry: CacheEntry, inquiry: Inquiry): void {
    const { cache, own, search } = this.parts
    // A denial that the search path would give without asking need not be kept fresh.
    if (entry.isDenial && search.path?.spares(inquiry) === true) return
    if (own.refresh(inquiry, entry)) cache.stats.prefetches += 1
  }
}

/** Whether the question may be half of a pair that the search path has denied: no answer but a very early one is, and denials of whole names. */
function mayBeOfPair({ deniesFamily, storedMs, route }: CacheEntry, { nowMs }: Inquiry): boolean {
  return deniesFamily || (route.isCluster && nowMs < storedMs + pairMs)
}
