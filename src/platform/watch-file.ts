/**
 * Watches the text of one file by polling, because inotify misses the changes that matter here: ConfigMap
 * volumes (the file is a link through a directory link that is swapped), atomic renames, bind mounts, files that
 * appear later, resolv.conf rewritten in place. One stat(2) in two seconds; the text is read when its result has changed.
 * Never parses, never logs; reads without blocking the loop.
 */
import { readFile, type Stats, stat } from 'node:fs'

export interface WatchFileOptions {
  readonly path: string
  /** Time between two looks. */
  readonly periodMs?: number
  /** A larger file is not read: `onProblem` is called instead. */
  readonly bytesMax?: number
  /**
   * Called with the new text when it differs from the last one. Must not throw. A file that disappears is
   * no change: it may be about to be replaced, and its last text stays in force.
   */
  readonly onChange: (text: string) => void
  /** Called once when the file becomes unreadable, and again only after it was readable in between. Must not throw. */
  readonly onProblem?: (error: Error) => void
  /** Called when it can be read again after that, before a change is reported. Must not throw. */
  readonly onReadable?: () => void
}

/** Each look wakes up the loop and a thread of the pool: a fifth of what an idle daemon takes (docs/decisions/0050). */
export const periodMsDefault = 2000
const bytesMaxDefault = 1_048_576
/**
 * A file whose time stamp is this young is read again even if it looks the same: it may have been written twice
 * within the resolution of the stamp (a jiffy, up to 10 ms; coarser on network file systems).
 */
const youngMs = 3000
/** After a new text it is read once more: a writer that truncates and then writes has finished long before this. */
export const confirmMs = 200

/** Whether the file may have been written again without a change of its signature. */
export function isYoung({ ctimeMs }: Stats): boolean {
  return Date.now() - ctimeMs < youngMs
}

/** Changes when the file is written or replaced. */
export function signatureOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`
}

export class FileWatcher {
  private readonly options: WatchFileOptions
  private readonly periodMs: number
  private readonly bytesMax: number
  private timer: NodeJS.Timeout | undefined
  private isStopped = true
  private seen: string
  /** A new text that was read once and must be read a second time: its writer may not have finished. */
  private candidate: string | undefined
  private signature = ''
  private hasProblem = false
  private looking: (() => void)[] = []

  /** @param knownText the text that the caller has read already; only a different text is reported */
  constructor(options: WatchFileOptions, knownText: string) {
    this.options = options
    this.periodMs = options.periodMs ?? periodMsDefault
    this.bytesMax = options.bytesMax ?? bytesMaxDefault
    this.seen = knownText
  }

  start(): void {
    this.isStopped = false
    this.look()
  }

  /**
   * Looks at once, and not only when the time has come.
   * @param onLooked called when the text of now is in force, or cannot be read; must not throw
   */
  lookNow(onLooked: () => void): void {
    this.looking.push(onLooked)
    // A look is under way, or a new text waits to be read a second time.
    if (this.timer === undefined || this.candidate !== undefined) return
    clearTimeout(this.timer)
    this.look()
  }

  /** No callback is called after this returns. */
  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
  }

  private look(): void {
    this.timer = undefined
    stat(this.options.path, (error, stats) => {
      if (this.isStopped) return
      if (error) this.failed(error)
      else this.judge(stats)
    })
  }

  private judge(stats: Stats): void {
    if (!stats.isFile()) return this.failed(new Error('not a regular file'))
    if (stats.size > this.bytesMax) {
      return this.failed(new Error(`larger than ${this.bytesMax} bytes`))
    }
    const signature = signatureOf(stats)
    if (signature === this.signature && !isYoung(stats) && this.candidate === undefined) {
      return this.again()
    }
    this.signature = signature
    readFile(this.options.path, 'utf8', (error, text) => {
      if (this.isStopped) return
      if (error) this.failed(error)
      else this.compare(text)
    })
  }

  private compare(text: string): void {
    if (this.hasProblem) this.options.onReadable?.()
    this.hasProblem = false
    if (text === this.seen) {
      this.candidate = undefined
      return this.again()
    }
    if (text !== this.candidate) {
      this.candidate = text
      return this.again(Math.min(this.periodMs, confirmMs))
    }
    this.candidate = undefined
    this.seen = text
    this.options.onChange(text)
    this.again()
  }

  private failed(error: Error): void {
    this.signature = ''
    this.candidate = undefined
    if (!this.hasProblem) {
      this.hasProblem = true
      this.options.onProblem?.(error)
    }
    this.again()
  }

  private again(afterMs = this.periodMs): void {
    // A callback may have stopped us.
    if (this.isStopped) return
    this.timer = setTimeout(() => this.look(), afterMs)
    this.timer.unref()
    if (this.candidate === undefined) for (const onLooked of this.looking.splice(0)) onLooked()
  }
}
