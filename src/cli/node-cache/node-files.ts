/**
 * The files of node-cache: its template, or the Corefile where there is no template, what that imports, and the directory of kube-dns.
 * Reads them, and writes the rendered Corefile where node-cache would. Understands none of them.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ReadCorefileFiles } from '../../daemon/corefile-files.ts'
import type { NodeCacheFlags } from '../../nodelocal/flags.ts'
import { kubeDnsKeys } from '../../nodelocal/kube-dns.ts'
import { textAt } from '../../platform/text-at.ts'
import { errorCode } from '../../system/bind.ts'

/** Where manifests mount the ConfigMap of kube-dns. */
const kubeDnsDefault = '/etc/kube-dns'

export interface NodeCacheFiles {
  /** Undefined: there is no template, and the Corefile counts as it is. */
  readonly template: string | undefined
  /** Undefined with a template, or when it cannot be read. */
  readonly corefile: string | undefined
  /** Texts of kube-dns by key. */
  readonly kubeDns: ReadonlyMap<string, string>
  readonly kubeDnsDirectory: string
  /** Reads what the Corefile names. */
  readonly named: ReadCorefileFiles
  /** Texts of the files above by path; null where there is none. */
  readonly seen: ReadonlyMap<string, string | null>
}

export function readNodeCacheFiles(flags: NodeCacheFlags): NodeCacheFiles {
  const seen = new Map<string, string | null>()
  const look = (path: string) => {
    const text = textAt(path)
    seen.set(path, text ?? null)
    return text
  }
  const template = look(flags.baseCorefile)
  const kubeDnsDirectory = flags.kubeDnsDirectory ?? kubeDnsDefault
  const kubeDns = kubeDnsKeys.flatMap((key): [string, string][] => {
    const text = look(join(kubeDnsDirectory, key))
    return text === undefined ? [] : [[key, text]]
  })
  return {
    template,
    corefile: template === undefined ? look(flags.corefile) : undefined,
    kubeDns: new Map(kubeDns),
    kubeDnsDirectory,
    named: new ReadCorefileFiles(flags.corefile, true),
    seen,
  }
}

/** What is to be watched: files that are there, files that may appear, directories of `import`. */
export function watchedPaths(
  { baseCorefile, corefile }: NodeCacheFlags,
  { template, kubeDnsDirectory, named }: NodeCacheFiles,
): string[] {
  return [
    baseCorefile,
    ...(template === undefined ? [corefile] : []),
    ...kubeDnsKeys.map((key) => join(kubeDnsDirectory, key)),
    ...named.paths,
  ]
}

/** @returns all that is at these paths in one text, which `pathsIn` reads */
export function contentAt(paths: Iterable<string>): string {
  return JSON.stringify([...new Set(paths)].map((path) => [path, textAt(path) ?? namesIn(path)]))
}

/**
 * As `contentAt`, of what was read: a file that changes after it was read and before it is watched must count as changed.
 * @param files after the Corefile was translated
 */
export function contentRead(flags: NodeCacheFlags, files: NodeCacheFiles): string {
  const { seen, named } = files
  const paths = [...new Set(watchedPaths(flags, files))]
  return JSON.stringify(paths.map((path) => [path, seen.get(path) ?? named.seen.get(path) ?? null]))
}

export function pathsIn(content: string): string[] {
  return content === '' ? [] : (JSON.parse(content) as [string, unknown][]).map(([path]) => path)
}

function namesIn(directory: string): string[] | null {
  try {
    return readdirSync(directory).toSorted()
  } catch {
    return null
  }
}

/**
 * Writes the rendered Corefile for people and tools that look there. The daemon does not read it.
 * @returns why it cannot be written, as on a volume that is read-only
 */
export function writeRendered(path: string, text: string): string | undefined {
  try {
    if (textAt(path) !== text) writeFileSync(path, text)
    return undefined
  } catch (error) {
    return errorCode(error)
  }
}
