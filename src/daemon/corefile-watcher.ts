/**
 * Watches CoreDNS's Corefile and the files that it names, by polling as platform/watch-file.ts does, and for the same
 * reasons. One stat(2) a second and path; all is read again when one of them has changed. Knows no level of trust.
 */
import { readFileSync, type Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { CorefileSource } from '../corefile/files.ts'
import { confirmMs, isYoung, signatureOf } from '../platform/watch-file.ts'
import { ReadCorefileFiles } from './corefile-files.ts'

/** Shorter than that of other files: what CoreDNS has read may stay unknown here for five seconds at most. */
const periodMsDefault = 1000

export interface CorefileWatcherOptions {
  readonly path: string
  readonly periodMs?: number
  /** Looks at all files that matter, so that they are read: whoever judges a Corefile does. */
  readonly judge: (source: CorefileSource) => void
  /** A Corefile that disappears is no change. Must not throw. */
  readonly onChange: (source: CorefileSource) => void
}

export class CorefileWatcher {
  /** As it was read last. */
  source: CorefileSource
  private readonly options: CorefileWatcherOptions
  private paths: ReadonlySet<string>
  private content: string
  private candidate: string | undefined
  private signature = ''
  private timer: NodeJS.Timeout | undefined
  private isStopped = true

  constructor(options: CorefileWatcherOptions) {
    this.options = options
    const { source, paths, content } = this.read()
    this.source = source
    this.paths = paths
    this.content = content
  }

  start(): void {
    this.isStopped = false
    this.again()
  }

  /** No callback is called after this returns. */
  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
  }

  private read() {
    const files = new ReadCorefileFiles(this.options.path)
    const source = { text: readText(this.options.path), files }
    this.options.judge(source)
    return { source, paths: files.paths, content: source.text + files.content }
  }

  private async look(): Promise<void> {
    const all = await Promise.all([this.options.path, ...this.paths].map(statOf))
    if (this.isStopped) return
    const signature = all.map((stats) => (stats === undefined ? '-' : signatureOf(stats))).join()
    const mayHideWrite = all.some((stats) => stats !== undefined && isYoung(stats))
    const isSame = signature === this.signature && this.candidate === undefined && !mayHideWrite
    this.signature = signature
    if (isSame || all[0] === undefined) return this.again()
    this.compare()
  }

  private compare(): void {
    const { source, paths, content } = this.read()
    // What is watched follows what was read, or a file that is named since would be missed.
    this.paths = paths
    if (source.text === '' || content === this.content) {
      this.candidate = undefined
      return this.again()
    }
    if (content !== this.candidate) {
      this.candidate = content
      return this.again(confirmMs)
    }
    this.candidate = undefined
    this.content = content
    this.source = source
    this.options.onChange(source)
    this.again()
  }

  private again(afterMs = this.options.periodMs ?? periodMsDefault): void {
    // A callback may have stopped us.
    if (this.isStopped) return
    this.timer = setTimeout(() => void this.look(), afterMs)
    this.timer.unref()
  }
}

/** A missing file counts as empty: it may appear later. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch {
    return undefined
  }
}
