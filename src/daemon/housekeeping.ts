/**
 * The daemon's rounds while it serves: detects that the machine was suspended, repeats the self-query, tells the monitoring. A round comes
 * each second while queries do; an idle daemon is woken up for the next self-query only.
 */

import type { Log } from '../observe/log.ts'
import type { Readiness } from '../observe/readiness.ts'
import type { SystemClock } from '../platform/clock.ts'
import type { ListenAddress } from '../system/bind.ts'
import { selfQuery } from './self-query.ts'

/** Between two rounds while queries come, and between two self-queries while the last one was not answered. */
const busyMs = 1000
/** Between two self-queries while they are answered. */
const selfQueryEveryMs = 5000

export interface HousekeepingParts {
  readonly clock: SystemClock
  readonly readiness: Readiness
  readonly log: Log
  /** Listening addresses in force. */
  readonly addresses: () => readonly ListenAddress[]
  /**
   * Called in each round.
   * @param lateMs by how much the round is late
   * @returns whether queries came since the last round
   */
  readonly onRound: (lateMs: number) => boolean
  readonly onDefect: (error: unknown) => void
}

export class Housekeeping {
  private readonly parts: HousekeepingParts
  private timer: NodeJS.Timeout | undefined
  private isStopped = true
  private isBusy = false
  private dueMs = 0
  private nextSelfQueryMs = 0

  constructor(parts: HousekeepingParts) {
    this.parts = parts
  }

  start(): void {
    this.isStopped = false
    this.arm()
  }

  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
  }

  /**
   * @param whose see `selfQuery`
   * @returns why the self-query was not answered; undefined when it was, or when there is no listener
   */
  async checkSelf(whose: 'ours' | 'any' = 'ours'): Promise<string | undefined> {
    const { addresses, readiness } = this.parts
    const [first] = addresses()
    if (first === undefined) return undefined
    this.nextSelfQueryMs = performance.now() + busyMs
    const why = await selfQuery(first, whose)
    if (why === undefined) {
      this.nextSelfQueryMs = performance.now() + selfQueryEveryMs
      readiness.set('self-query', { kind: 'ready' })
    } else {
      readiness.set('self-query', { kind: 'failed', why })
    }
    // Nothing else is to be done until the next one.
    if (!this.isBusy) this.arm()
    return why
  }

  private arm(): void {
    clearTimeout(this.timer)
    if (this.isStopped) return
    const nowMs = performance.now()
    const waitMs = this.isBusy ? busyMs : Math.max(busyMs, this.nextSelfQueryMs - nowMs)
    this.dueMs = nowMs + waitMs
    this.timer = setTimeout(() => this.keepHouse(), waitMs)
  }

  private keepHouse(): void {
    const { clock, log, onRound, onDefect } = this.parts
    const nowMs = performance.now()
    this.isBusy = onRound(Math.max(0, nowMs - this.dueMs))
    const skippedMs = clock.check()
    if (skippedMs > 0) log.warn({ skippedMs }, 'time was skipped; cached answers have aged')
    // Timers have whole milliseconds: one that comes a little early is not to wait for another round.
    const isDue = nowMs + 1 >= this.nextSelfQueryMs
    // A successor may be reading our sockets already.
    if (isDue) this.checkSelf('any').catch(onDefect)
    this.arm()
  }
}
