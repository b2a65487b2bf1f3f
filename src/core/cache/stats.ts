/** The cache's numbers for metrics: its own counts, and those of the store. */
import type { StoreCounts } from './store.ts'

interface Counted {
  readonly present: StoreCounts
  readonly evicted: StoreCounts
}

export class CacheStats {
  prefetches = 0
  refused = 0
  /** Denials of upstreams in whose place expired data were kept. */
  passedOver = 0
  private readonly store: Counted

  constructor(store: Counted) {
    this.store = store
  }

  get entriesSuccess(): number {
    return this.store.present.success
  }

  get entriesDenial(): number {
    return this.store.present.denial
  }

  get evictionsSuccess(): number {
    return this.store.evicted.success
  }

  get evictionsDenial(): number {
    return this.store.evicted.denial
  }
}
