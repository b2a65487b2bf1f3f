/**
 * Reads what CoreDNS's Corefile names besides itself: files of `import` and of plugins, at the same paths as in CoreDNS's
 * container. A pattern that matches nothing counts only where its directory is there: a directory that nobody has mounted
 * here says nothing about CoreDNS's. Each file is read once; a later look is a new reader. Of
 * globs only those with one star are read; it stands for dots as well, as in Go's filepath.Match.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import type { CorefileFile, CorefileFiles } from '../corefile/files.ts'

/** More than this, or longer ones, are left unread, which is a doubt. */
const filesMax = 100
const bytesMax = 1_048_576

export class ReadCorefileFiles implements CorefileFiles {
  private readonly directory: string
  private readonly isOurs: boolean
  private readonly importsKnown = new Map<string, readonly CorefileFile[] | undefined>()
  private readonly textsKnown = new Map<string, string | undefined>()
  /** What was looked at, for whoever watches. */
  readonly paths = new Set<string>()

  /**
   * @param corefile path of the Corefile, to whose directory relative patterns refer
   * @param isOurs it is meant for this very process: a directory that is not there has no files
   */
  constructor(corefile: string, isOurs = false) {
    this.directory = dirname(corefile)
    this.isOurs = isOurs
  }

  imported(pattern: string, from: string): readonly CorefileFile[] | undefined {
    const base = from === '' ? this.directory : dirname(from)
    const path = isAbsolute(pattern) ? pattern : join(base, pattern)
    if (!this.importsKnown.has(path)) this.importsKnown.set(path, this.readMatches(path))
    return this.importsKnown.get(path)
  }

  text(path: string): string | undefined {
    if (!this.textsKnown.has(path)) this.textsKnown.set(path, this.read(path))
    return this.textsKnown.get(path)
  }

  /** All that was read, to be compared with a later look. */
  get content(): string {
    return JSON.stringify([[...this.importsKnown], [...this.textsKnown]])
  }

  private readMatches(pattern: string): readonly CorefileFile[] | undefined {
    const directory = dirname(pattern)
    const [head, tail, more] = basename(pattern).split('*')
    if (oddWildcard.test(pattern) || directory.includes('*') || more !== undefined) return undefined
    const paths = tail === undefined ? [pattern] : this.matches(directory, head ?? '', tail)
    if (paths === undefined || paths.length > filesMax) return undefined
    const files = paths.map((path) => ({ path, text: this.read(path) }))
    return files.every(isRead) ? files : undefined
  }

  private matches(directory: string, head: string, tail: string): string[] | undefined {
    this.paths.add(directory)
    const fits = (name: string) =>
      name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail)
    try {
      const names = readdirSync(directory).filter(fits)
      return names.toSorted().map((name) => join(directory, name))
    } catch {
      return this.isOurs ? [] : undefined
    }
  }

  private read(path: string): string | undefined {
    this.paths.add(path)
    try {
      const stats = statSync(path)
      return stats.isFile() && stats.size <= bytesMax ? readFileSync(path, 'utf8') : undefined
    } catch {
      return undefined
    }
  }
}

/** Patterns of Go that are not read here. */
const oddWildcard = /[?[\]\\]/

function isRead(file: CorefileFile | { readonly text: undefined }): file is CorefileFile {
  return file.text !== undefined
}
