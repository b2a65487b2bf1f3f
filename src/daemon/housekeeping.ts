/** The daemon's work once a second while it serves: detects that the machine was suspended, and repeats the self-query. */

import type { Log } from '../observe/log.ts'
import type { Readiness } from '../observe/readiness.ts'
import type { SystemClock } from '../platform/clock.ts'
import type { ListenAddress } from '../system/bind.ts'
import { selfQuery } from './self-query.ts'

/** Between two rounds, and between two self-queries while the last one was not answered. */
const housekeepingMs = 1000
/** Between two self-queries while they are answered. */
const selfQueryEveryMs = 5000

export interface HousekeepingParts {
  readonly clock: SystemClock
  readonly readiness: Readiness
  readonly log: Log
  /** Listening addresses in force. */
  readonly addresses: () => readonly ListenAddress[]
  readonly onDefect: (error: unknown) => void
}

export class Housekeeping {
  private readonly parts: HousekeepingParts
  private timer: NodeJS.Timeout | undefined
  private nextSelfQueryMs = 0

  constructor(parts: HousekeepingParts) {
    this.parts = parts
  }

  start(): void {
    this.timer = setInterval(() => this.keepHouse(), housekeepingMs)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  /**
   * @param whose see `selfQuery`
   * @returns why the self-query was not answered; undefined when it was, or when there is no listener
   */
  async checkSelf(whose: 'ours' | 'any' = 'ours'): Promise<string | undefined> {
    const { addresses, readiness } = this.parts
    const [first] = addresses()
    if (first === undefined) return undefined
    this.nextSelfQueryMs = performance.now() + housekeepingMs
    const why = await selfQuery(first, whose)
    if (why === undefined) {
      this.nextSelfQueryMs = performance.now() + selfQueryEveryMs
      readiness.set('self-query', { kind: 'ready' })
    } else {
      readiness.set('self-query', { kind: 'failed', why })
    }
    return why
  }

  private keepHouse(): void {
    const { clock, log, onDefect } = this.parts
    const skippedMs = clock.check()
    if (skippedMs > 0) log.warn({ skippedMs }, 'time was skipped; cached answers have aged')
    // A successor may be reading our sockets already.
    if (performance.now() >= this.nextSelfQueryMs) this.checkSelf('any').catch(onDefect)
  }
}
