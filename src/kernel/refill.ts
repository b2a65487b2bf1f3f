/**
 * Brings into the kernel what the cache already has and what was asked for often: the answers of the process that we follow, and all of them
 * again after a change that took everything back. In parts between which packets get their turn.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Cache } from '../core/cache/cache.ts'
import type { Shadow } from './shadow.ts'

/** Entries between two turns: 0.3 ms when the kernel gets all of them. */
const sliceEntries = 50

export interface RefillParts {
  readonly cache: Cache
  readonly shadow: Pick<Shadow, 'offer'>
  readonly onDefect: (error: unknown) => void
}

export class Refill {
  private readonly parts: RefillParts
  private runs = 0
  private running: Promise<void> = Promise.resolve()

  constructor(parts: RefillParts) {
    this.parts = parts
  }

  /** Begins anew; one that is under way ends. */
  begin(): void {
    this.runs += 1
    this.running = this.run(this.runs).catch(this.parts.onDefect)
  }

  end(): void {
    this.runs += 1
  }

  /** Resolves when none is under way. */
  get done(): Promise<void> {
    return this.running
  }

  private async run(number: number): Promise<void> {
    const { cache, shadow } = this.parts
    for (const part of cache.parts()) {
      // Those that were asked for last come last.
      for (const [i, entry] of part.toReversed().entries()) {
        if (i % sliceEntries === 0) await nextTurn()
        if (number !== this.runs || !shadow.offer(entry)) return
      }
    }
  }
}
