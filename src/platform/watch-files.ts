/**
 * Watches files that together make one content, by polling as watch-file.ts does, and for the same reasons. One stat(2) in two seconds and
 * path; all are read again when one has changed. Which files those are may change with their content. Never logs.
 */
import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { confirmMs, isYoung, periodMsDefault, signatureOf } from './watch-file.ts'

export interface FilesContent {
  /** All that counts: a different text is a change. Undefined is none: what was there last stays in force. */
  readonly content: string | undefined
  /** What was looked at: files that are there, files that are not, directories. */
  readonly paths: Iterable<string>
}

export interface WatchFilesOptions {
  readonly periodMs?: number
  readonly read: () => FilesContent
  /** Called once the new content has been the same twice. Must not throw. */
  readonly onChange: () => void
}

export class FilesWatcher {
  private readonly options: WatchFilesOptions
  private paths: readonly string[]
  private content: string | undefined
  private candidate: string | undefined
  private signature = ''
  private timer: NodeJS.Timeout | undefined
  private isStopped = true

  /** @param known what the caller has read already; only different content is reported */
  constructor(options: WatchFilesOptions, known: FilesContent) {
    this.options = options
    this.paths = [...known.paths]
    this.content = known.content
  }

  start(): void {
    this.isStopped = false
    void this.look()
  }

  /** No callback is called after this returns. */
  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
  }

  private async look(): Promise<void> {
    const all = await Promise.all(this.paths.map(statOf))
    if (this.isStopped) return
    const signature = all.map((stats) => (stats === undefined ? '-' : signatureOf(stats))).join()
    const mayHideWrite = all.some((stats) => stats !== undefined && isYoung(stats))
    const isSame = signature === this.signature && this.candidate === undefined && !mayHideWrite
    this.signature = signature
    if (isSame) this.again()
    else this.compare()
  }

  private compare(): void {
    const found = this.options.read()
    // What is watched follows what was read, or a file that is named since would be missed.
    this.paths = [...found.paths]
    if (found.content === undefined || found.content === this.content) {
      this.candidate = undefined
      return this.again()
    }
    if (found.content !== this.candidate) {
      this.candidate = found.content
      return this.again(confirmMs)
    }
    this.candidate = undefined
    this.content = found.content
    this.options.onChange()
    this.again()
  }

  private again(afterMs = this.options.periodMs ?? periodMsDefault): void {
    // A callback may have stopped us.
    if (this.isStopped) return
    this.timer = setTimeout(() => void this.look(), afterMs)
    this.timer.unref()
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch {
    return undefined
  }
}
