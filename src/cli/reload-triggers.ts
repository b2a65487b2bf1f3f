/** What makes a process read its configuration again: SIGHUP, SIGUSR1, and a change of the file. Reads and applies nothing. */
import { FileWatcher } from '../platform/watch-file.ts'
import { reloadSignals } from './signals.ts'

export interface WatchedConfig {
  /** Undefined: there is no file, and SIGHUP alone counts. */
  readonly path: string | undefined
  /** The text that was in the file when it was read last: a change since then is reported at once. */
  readonly fileText: string
}

export class ReloadTriggers {
  private readonly onReload: (because: string) => void
  private readonly watcher: FileWatcher | undefined

  /** @param onReload gets the reason, for the log */
  constructor({ path, fileText }: WatchedConfig, onReload: (because: string) => void) {
    this.onReload = onReload
    const onChange = () => onReload('file changed')
    this.watcher = path === undefined ? undefined : new FileWatcher({ path, onChange }, fileText)
  }

  start(): void {
    for (const signal of reloadSignals) process.on(signal, () => this.onReload(signal))
    this.watcher?.start()
  }

  /** The signals still count: without a listener they would end a process that is still answering. */
  stop(): void {
    this.watcher?.stop()
  }
}
