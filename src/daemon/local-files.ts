/** Texts of the files that local stages name, read when a stage first asks for one and watched from then on. Knows no stage. */
import type { Log } from '../observe/log.ts'
import { textAt } from '../platform/text-at.ts'
import { FileWatcher } from '../platform/watch-file.ts'

/** A list of all blocked names of the world has some 10 MB. */
const bytesMax = 16_777_216

interface Followed {
  text: string
  readonly watcher: FileWatcher | undefined
}

export class LocalFiles {
  private readonly log: Log
  private readonly onChange: () => void
  private readonly files = new Map<string, Followed>()
  /** Asked for since `begin`. */
  private wanted = new Set<string>()

  /** @param onChange one of the texts is another one now */
  constructor(log: Log, onChange: () => void) {
    this.log = log
    this.onChange = onChange
  }

  /** Stages ask anew for all that they need, and then `end` is called. */
  begin(): void {
    this.wanted = new Set()
  }

  end(): void {
    for (const [key, { watcher }] of this.files) {
      if (this.wanted.has(key)) continue
      watcher?.stop()
      this.files.delete(key)
    }
  }

  /** @param reloadSeconds time between two looks at the file, 0 for none. @returns '' while the file cannot be read */
  textOf(path: string, reloadSeconds: number): string {
    const key = `${reloadSeconds} ${path}`
    this.wanted.add(key)
    const followed = this.files.get(key) ?? this.follow(path, reloadSeconds)
    this.files.set(key, followed)
    return followed.text
  }

  stop(): void {
    for (const { watcher } of this.files.values()) watcher?.stop()
  }

  private follow(path: string, reloadSeconds: number): Followed {
    // What is wrong with it the watcher says.
    const text = textAt(path) ?? ''
    if (reloadSeconds === 0) return { text, watcher: undefined }
    const followed: Followed = {
      text,
      watcher: new FileWatcher(
        {
          path,
          periodMs: reloadSeconds * 1000,
          bytesMax,
          onChange: (changed) => {
            followed.text = changed
            this.log.info({ path }, 'a file of hosts has changed')
            this.onChange()
          },
          onProblem: ({ message }) =>
            this.log.warn({ path, why: message }, 'a file of hosts cannot be read'),
        },
        text,
      ),
    }
    followed.watcher?.start()
    return followed
  }
}
