/**
 * The time that TTLs and deadlines are measured in: milliseconds that only go forward. `performance.now()` stands still
 * while a machine is suspended (CLOCK_MONOTONIC), so a jump of the wall clock ahead of it is added: what was cached
 * before a nap is old afterwards. A wall clock set back changes nothing.
 */

// Not the global: reading that is a lazy getter's work each time, 1 % of a hit.
import { performance } from 'node:perf_hooks'

export interface Clock {
  nowMs(): number
}

/** Smaller steps are NTP at work, not a suspended machine. */
const jumpMsMin = 60_000

/** The process's clock. `check` is called now and then by its owner. */
export class SystemClock implements Clock {
  private skippedMs = 0
  private lastLeadMs: number

  constructor() {
    this.lastLeadMs = wallLeadMs()
  }

  nowMs(): number {
    return performance.now() + this.skippedMs
  }

  /**
   * Looks for time that passed unseen.
   * @returns milliseconds that were skipped now, 0 nearly always
   */
  check(): number {
    const leadMs = wallLeadMs()
    const jumpMs = leadMs - this.lastLeadMs
    this.lastLeadMs = leadMs
    if (jumpMs < jumpMsMin) return 0
    this.skippedMs += jumpMs
    return jumpMs
  }
}

function wallLeadMs(): number {
  return Date.now() - performance.now()
}
