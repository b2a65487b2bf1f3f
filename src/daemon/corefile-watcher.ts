/** Watches CoreDNS's Corefile and the files that it names. Knows no level of trust. */
import type { CorefileSource } from '../corefile/files.ts'
import { textAt } from '../platform/text-at.ts'
import { type FilesContent, FilesWatcher } from '../platform/watch-files.ts'
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
  /** As it was read last, without one that was empty or gone meanwhile. */
  source: CorefileSource
  private readonly watcher: FilesWatcher

  constructor(options: CorefileWatcherOptions) {
    let { source, ...known } = readAll(options)
    this.source = source
    this.watcher = new FilesWatcher(
      {
        periodMs: options.periodMs ?? periodMsDefault,
        read: () => {
          const { source: newest, ...found } = readAll(options)
          source = newest
          return found
        },
        onChange: () => {
          this.source = source
          options.onChange(source)
        },
      },
      known,
    )
  }

  start(): void {
    this.watcher.start()
  }

  /** No callback is called after this returns. */
  stop(): void {
    this.watcher.stop()
  }
}

function readAll({ path, judge }: CorefileWatcherOptions): FilesContent & {
  readonly source: CorefileSource
} {
  const files = new ReadCorefileFiles(path)
  const source = { text: textAt(path) ?? '', files }
  judge(source)
  const content = source.text === '' ? undefined : source.text + files.content
  return { source, content, paths: [path, ...files.paths] }
}
