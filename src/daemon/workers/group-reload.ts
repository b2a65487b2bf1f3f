/**
 * A changed configuration for a group of workers. One of them reads and checks it, because the supervisor has no parser; the supervisor
 * opens what is to be listened on, because all of them share it; then each gets the new sockets and applies the rest. What cannot be had
 * is refused before any worker has changed, so that they never differ.
 */
import type { Config } from '../../config/schema.ts'
import type { Log } from '../../observe/log.ts'
import type { Reloads } from '../reloads.ts'
import type { CheckedConfig, Configured } from './plan.ts'
import type { WorkerProcess } from './process.ts'

export interface GroupReloadParts {
  readonly log: Log
  readonly reloads: Reloads
  readonly ready: () => readonly WorkerProcess[]
  /** Other processes serve, or the end has come. */
  readonly isLeaving: () => boolean
  /** Opens the sockets that are new in it. @throws BindError; nothing has changed then */
  readonly open: (config: Config) => void
  /** From now on workers are started with it. */
  readonly use: (config: Config) => void
  readonly configure: (worker: WorkerProcess, config: Config) => Promise<Configured | undefined>
  /** Closes the sockets that it does not want. */
  readonly close: (config: Config) => void
}

const retryMs = 100
/** One worker may die of something else meanwhile; a file that kills whoever reads it is not read by all. */
const readersMax = 2

export class GroupReload {
  private readonly parts: GroupReloadParts
  /** Reloads run one after another. */
  private running: Promise<void> = Promise.resolve()
  /** Asked for while other processes served. */
  private missed: string | undefined

  constructor(parts: GroupReloadParts) {
    this.parts = parts
  }

  request(because: string): void {
    this.running = this.running
      .then(() => this.reload(because))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        this.parts.reloads.refused()
        this.parts.log.error(
          { because, why },
          'new configuration could not be applied; the old one stays',
        )
      })
  }

  /** We serve again. */
  resume(): void {
    const { missed } = this
    this.missed = undefined
    if (missed !== undefined) this.request(missed)
  }

  private async reload(because: string): Promise<void> {
    const { log, reloads, open, use, close } = this.parts
    const checked = await this.check()
    if (checked === undefined) {
      this.missed = because
      return
    }
    if (!checked.ok) {
      reloads.refused()
      log.error(
        { because, problems: checked.problems.map(problemText) },
        'new configuration is wrong; the old one stays',
      )
      return
    }
    const { config } = checked
    open(config)
    use(config)
    const needsRestart = await this.configureAll(config)
    close(config)
    reloads.applied(config)
    log.setLevel(config.log.level)
    log.info({ because, needsRestart }, 'configuration applied')
  }

  /** By whichever worker is there. @returns undefined when there are to be none */
  private async check(): Promise<CheckedConfig | undefined> {
    let readers = 0
    while (!this.parts.isLeaving()) {
      const [worker] = this.parts.ready()
      const checked = await worker?.checkConfig()
      if (checked !== undefined) return checked
      if (worker !== undefined) readers += 1
      if (readers === readersMax) throw new Error(`${readersMax} workers could not read it`)
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
    return undefined
  }

  private async configureAll(config: Config): Promise<readonly string[]> {
    const { ready, configure } = this.parts
    const results = await Promise.all(ready().map((worker) => configure(worker, config)))
    const first = results.find((result) => result?.ok)
    return first?.ok ? first.needsRestart : []
  }
}

/** As the process that serves alone says it. */
export function problemText({ where, path, message }: ProblemParts): string {
  return [where, path, message].filter((part) => part !== '').join(': ')
}

type ProblemParts = Extract<CheckedConfig, { ok: false }>['problems'][number]
