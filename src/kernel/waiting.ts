/**
 * Answers that not everybody gets in their first moments. One timer for all of them: each waits as long, so that the first to come is the
 * first to go. Reads no clock of its own.
 */
import type { CacheEntry } from '../core/cache/entry.ts'

export interface WaitingParts {
  /** How long each waits from its storing, milliseconds. */
  readonly waitMs: number
  readonly nowMs: () => number
  /** Calls back after `ms`. */
  readonly later: (ms: number, work: () => void) => void
  /** Gets those that have waited, unless there is another answer by then; it may have left the cache. */
  readonly onDue: (entry: CacheEntry) => void
}

export class Waiting {
  private readonly parts: WaitingParts
  /** With the times at which they were stored. */
  private readonly entries = new Map<CacheEntry, number>()
  private isTimed = false

  constructor(parts: WaitingParts) {
    this.parts = parts
  }

  /** Hits meanwhile add nothing. */
  add(entry: CacheEntry): void {
    const { storedMs } = entry
    if (this.entries.get(entry) === storedMs) return
    this.entries.delete(entry)
    this.entries.set(entry, storedMs)
    if (!this.isTimed) this.wait(this.leftMs(storedMs))
  }

  private leftMs(storedMs: number): number {
    return storedMs + this.parts.waitMs - this.parts.nowMs()
  }

  private wait(ms: number): void {
    this.isTimed = true
    this.parts.later(ms, () => this.go())
  }

  private go(): void {
    this.isTimed = false
    for (const [entry, storedMs] of this.entries) {
      const leftMs = this.leftMs(storedMs)
      if (leftMs > 0) return this.wait(leftMs)
      this.entries.delete(entry)
      if (entry.storedMs === storedMs) this.parts.onDue(entry)
    }
  }
}
