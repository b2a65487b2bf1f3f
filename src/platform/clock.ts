/**
 * The clock of TTLs and deadlines: milliseconds that only go forward. `performance.now()` stands still while a machine is
 * suspended (CLOCK_MONOTONIC), so a jump of the wall clock ahead of it is added: entries cached before the suspension have
 * aged after it. A wall clock that is set back changes nothing.
 */

// Not the global `performance`: reading it runs a lazy getter each time, 1 % of a hit.
import { performance } from 'node:perf_hooks'

export interface Clock {
  nowMs(): number
}

/** Smaller steps are corrections by NTP, not a suspended machine. */
const jumpMsMin = 60_000

/** The process's clock. Its owner calls `check` at intervals. */
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
   * Looks for time that passed while the machine was suspended.
   * @returns skipped milliseconds, nearly always 0
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
