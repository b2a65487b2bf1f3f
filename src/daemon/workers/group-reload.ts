/**
 * A changed configuration for a group of workers. One of them reads and checks it, because the supervisor has no parser; the supervisor
 * opens the sockets, because all workers share them; then each worker gets the new sockets and applies the rest. Sockets that cannot be
 * opened are an error before any worker has changed, so that workers never differ. `ReloadQueue` says when.
 */
import type { Config } from '../../config/schema.ts'
import type { CheckedConfig, Configured } from './plan.ts'

/** What a reload needs of a worker. */
export interface ConfigReader {
  /** @returns undefined when it has ended, or does not answer */
  checkConfig(): Promise<CheckedConfig | undefined>
}

export interface GroupReloadParts<Worker extends ConfigReader> {
  readonly ready: () => readonly Worker[]
  /** Other processes serve, or the supervisor is stopping. */
  readonly isLeaving: () => boolean
  /** Opens the sockets that are new in it. @throws BindError; nothing has changed then */
  readonly open: (config: Config) => void
  /** From now on workers are started with it. */
  readonly use: (config: Config) => void
  readonly configure: (worker: Worker, config: Config) => Promise<Configured | undefined>
  /** Closes the sockets that it does not want. */
  readonly close: (config: Config) => void
}

const retryMs = 100
/** One worker may die of something else meanwhile; a file that kills its reader is not read by all. */
const readersMax = 2

export class GroupReload<Worker extends ConfigReader> {
  private readonly parts: GroupReloadParts<Worker>

  constructor(parts: GroupReloadParts<Worker>) {
    this.parts = parts
  }

  /** By the first worker that is ready. @returns undefined when no worker is to be started any more */
  async check(): Promise<CheckedConfig | undefined> {
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

  /** @returns settings that wait for the next start, as the first worker says that applied it */
  async apply(config: Config): Promise<readonly string[]> {
    const { open, use, close } = this.parts
    open(config)
    use(config)
    const needsRestart = await this.configureAll(config)
    close(config)
    return needsRestart
  }

  private async configureAll(config: Config): Promise<readonly string[]> {
    const { ready, configure } = this.parts
    const results = await Promise.all(ready().map((worker) => configure(worker, config)))
    const first = results.find((result) => result?.ok)
    return first?.ok ? first.needsRestart : []
  }
}
