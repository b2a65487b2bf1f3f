/** Counts applied and refused configurations, for the metrics. */
import { createHash } from 'node:crypto'
import type { Config } from '../config/schema.ts'
import type { ReloadStats } from '../observe/stats.ts'

export class Reloads {
  private now: ReloadStats

  /** @param config the part of it that this process has */
  constructor(config: object) {
    this.now = statsOf(config, { succeeded: 0, failed: 0 })
  }

  get stats(): ReloadStats {
    return this.now
  }

  applied(config: object): void {
    this.now = statsOf(config, { ...this.now, succeeded: this.now.succeeded + 1 })
  }

  /** The configuration in force stays. */
  refused(): void {
    this.now = { ...this.now, failed: this.now.failed + 1, isLastGood: false }
  }
}

function statsOf(config: object, counts: { succeeded: number; failed: number }): ReloadStats {
  // A moved line is no other configuration.
  const { origins: _places, ...settings } = config as Partial<Config>
  return {
    ...counts,
    isLastGood: true,
    appliedSeconds: Math.floor(Date.now() / 1000),
    hash: createHash('sha512').update(JSON.stringify(settings)).digest('hex'),
  }
}
