/** Where the configuration of a process comes from, and what makes it read it again: SIGHUP, SIGUSR1, a change of its files. Applies nothing. */
import type { ConfigResult } from '../config/load.ts'
import type { Log } from '../observe/log.ts'
import { FileWatcher, type WatchFileOptions } from '../platform/watch-file.ts'
import type { RunArgs } from './command-line/run-arguments.ts'
import { readConfig } from './read-config.ts'
import { reloadSignals } from './signals.ts'

export interface Watcher {
  start(): void
  /** No callback is called after this returns. */
  stop(): void
}

/** Where the configuration of a running daemon comes from: how to read it again, and what to watch. */
export interface ConfigOrigin {
  /** Reads and checks everything anew; problems are complete. What is no problem and should be known is logged. */
  read(log: Pick<Log, 'info'>): Promise<ConfigResult>
  /**
   * @param log where it is said that a file has gone
   * @returns undefined when there is no file, and signals alone make the daemon read again
   */
  watcher(onChange: () => void, log: Pick<Log, 'info' | 'warn'>): Watcher | undefined
  /** The daemon answers from now on. */
  onServing?(): void
}

export class ReloadTriggers {
  private readonly onReload: (because: string) => void
  /** Undefined: there is no file, and signals alone count. */
  private readonly watcher: Watcher | undefined

  /** @param onReload gets the reason, for the log */
  constructor(
    origin: Pick<ConfigOrigin, 'watcher'>,
    onReload: (because: string) => void,
    log: Pick<Log, 'info' | 'warn'>,
  ) {
    this.onReload = onReload
    this.watcher = origin.watcher(() => onReload('file changed'), log)
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

/** The flags and the file of `run`. @param fileText as it was read last: a change since then is reported at once */
export function fileOrigin(args: RunArgs, fileText: string): ConfigOrigin {
  const { configFile: path } = args
  return {
    read: () => readConfig(args),
    watcher: (onChange, log) =>
      path === undefined
        ? undefined
        : new FileWatcher({ path, onChange, ...logUnreadable(path, log) }, fileText),
  }
}

/** For a watched file that decides something: that it cannot be read is said once, and that it can again. */
export function logUnreadable(
  path: string,
  log: Pick<Log, 'info' | 'warn'>,
): Pick<WatchFileOptions, 'onProblem' | 'onReadable'> {
  return {
    onProblem: ({ message }) =>
      log.warn(
        { file: path, why: message },
        'a watched file cannot be read; what it said last stays in force',
      ),
    onReadable: () => log.info({ file: path }, 'a watched file can be read again'),
  }
}
