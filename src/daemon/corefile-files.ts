/**
 * Reads what CoreDNS's Corefile names besides itself: files of `import` and of plugins, at the same paths as in CoreDNS's
 * container. A pattern that matches nothing counts only where its directory is there: a directory that nobody has mounted
 * here says nothing about CoreDNS's. Each file is read once; a later look is a new reader.
 * Globs are those of Go's filepath.Match with stars and question marks.
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
  /** What was looked at, for whoever watches: the text of a file, the names in a directory, null where neither can be read. */
  readonly seen = new Map<string, string | readonly string[] | null>()

  /**
   * @param corefile path of the Corefile, to whose directory relative patterns refer
   * @param isOurs it is meant for this very process, or judged as it lies here: a directory that is not there has no files
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

  get paths(): ReadonlySet<string> {
    return new Set(this.seen.keys())
  }

  /** All that was read, to be compared with a later look. */
  get content(): string {
    return JSON.stringify([[...this.importsKnown], [...this.textsKnown]])
  }

  private readMatches(pattern: string): readonly CorefileFile[] | undefined {
    const paths = oddWildcard.test(pattern) ? undefined : this.expand(pattern)
    if (paths === undefined || paths.length > filesMax) return undefined
    const files = paths.map((path) => ({ path, text: this.read(path) }))
    return files.every(isRead) ? files : undefined
  }

  /** Paths that a pattern stands for, in Go's order; undefined when that cannot be told. */
  private expand(pattern: string): readonly string[] | undefined {
    if (!wildcard.test(pattern)) return [pattern]
    const directories = this.expand(dirname(pattern))
    const name = basename(pattern)
    if (!wildcard.test(name)) {
      const paths = directories?.map((directory) => join(directory, name))
      return paths?.filter((path) => this.read(path) !== undefined)
    }
    const lists = directories?.map((directory) => this.matches(directory, name))
    return lists?.every((list) => list !== undefined) ? lists.flat() : undefined
  }

  private matches(directory: string, pattern: string): string[] | undefined {
    const fits = expressionFor(pattern)
    try {
      const names = readdirSync(directory).toSorted()
      this.seen.set(directory, names)
      return names.filter((name) => fits.test(name)).map((name) => join(directory, name))
    } catch {
      this.seen.set(directory, null)
      return this.isOurs ? [] : undefined
    }
  }

  private read(path: string): string | undefined {
    const text = readBounded(path)
    this.seen.set(path, text ?? null)
    return text
  }
}

function readBounded(path: string): string | undefined {
  try {
    const stats = statSync(path)
    return stats.isFile() && stats.size <= bytesMax ? readFileSync(path, 'utf8') : undefined
  } catch {
    return undefined
  }
}

/** Patterns of Go that are not read here; CoreDNS refuses those with brackets. */
const oddWildcard = /[[\]\\]/
const wildcard = /[*?]/

/** Both stand for dots as well. */
function expressionFor(pattern: string): RegExp {
  const literal = pattern.replaceAll(/[.+^${}()|]/g, '\\$&')
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
}

function isRead(file: CorefileFile | { readonly text: undefined }): file is CorefileFile {
  return file.text !== undefined
}
