/** The cache's numbers for whoever watches: its own counts, and what the store knows. */
import type { Storable } from './cache-pool.ts'
import type { CacheStore } from './cache-store.ts'

export class CacheStats {
  prefetches = 0
  refused = 0
  private readonly store: CacheStore<Storable>

  constructor(store: CacheStore<Storable>) {
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
