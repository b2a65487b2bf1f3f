/**
 * How a changed configuration is read, checked and applied, by a process that serves alone and by a supervisor alike: one reload after
 * another, a wrong file refused with its mistakes, the outcome counted and logged. Knows neither files nor sockets: both are the caller's.
 */
import { formatProblem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import type { Log } from '../observe/log.ts'
import type { CheckedConfig } from './workers/plan.ts'

export interface ReloadParts {
  readonly log: Pick<Log, 'info' | 'error'>
  /** @returns undefined when nobody can read it now: `resume` asks again */
  readonly check: () => Promise<CheckedConfig | undefined>
  /** Counts what it applied. @returns settings that wait for the next start. Rejects when the old configuration stays */
  readonly apply: (config: Config) => Promise<readonly string[]>
  /** Counts a configuration that was refused. */
  readonly onRefused: () => void
}

export class ReloadQueue {
  private readonly parts: ReloadParts
  private running: Promise<void> = Promise.resolve()
  /** The request that could not be served. */
  private missed: string | undefined

  constructor(parts: ReloadParts) {
    this.parts = parts
  }

  /** @param because what the log says of it */
  request(because: string): void {
    this.running = this.running
      .then(() => this.reload(because))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        this.parts.onRefused()
        this.parts.log.error(
          { because, why },
          'new configuration could not be applied; the old one stays',
        )
      })
  }

  /** The configuration can be read again. */
  resume(): void {
    const { missed } = this
    this.missed = undefined
    if (missed !== undefined) this.request(missed)
  }

  private async reload(because: string): Promise<void> {
    const { log, check, apply, onRefused } = this.parts
    const checked = await check()
    if (checked === undefined) {
      this.missed = because
      return
    }
    if (!checked.ok) {
      onRefused()
      log.error(
        { because, problems: checked.problems.map(formatProblem) },
        'new configuration is wrong; the old one stays',
      )
      return
    }
    const needsRestart = await apply(checked.config)
    log.info({ because, needsRestart }, 'configuration applied')
  }
}
