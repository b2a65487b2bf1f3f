/**
 * A memory cgroup of the bench's own, version 1 or 2: made, limited, read, removed. Never touches another one. Needs root.
 * https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MemoryReading {
  /** All that is charged, page cache included. */
  readonly usageBytes: number
  readonly usageMaxBytes: number
  /** Heap, stacks, buffers: what cannot be dropped. */
  readonly anonBytes: number
  /** Page cache: the kernel drops it before it kills anybody. */
  readonly fileBytes: number
  /** How often the limit was met; harmless as long as page cache could make room. */
  readonly limitHits: number
  readonly oomKills: number
}

/** A file of the group; where the file holds several numbers, the one behind a word. */
type Source = readonly [file: string, word?: string]

interface Layout {
  readonly root: string
  readonly limit: string
  readonly swapLimit: string
  readonly sources: Readonly<Record<keyof MemoryReading, Source>>
}

const v1: Layout = {
  root: '/sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  swapLimit: 'memory.memsw.limit_in_bytes',
  sources: {
    usageBytes: ['memory.usage_in_bytes'],
    usageMaxBytes: ['memory.max_usage_in_bytes'],
    anonBytes: ['memory.stat', 'rss'],
    fileBytes: ['memory.stat', 'cache'],
    limitHits: ['memory.failcnt'],
    oomKills: ['memory.oom_control', 'oom_kill'],
  },
}

const v2: Layout = {
  root: '/sys/fs/cgroup',
  limit: 'memory.max',
  swapLimit: 'memory.swap.max',
  sources: {
    usageBytes: ['memory.current'],
    usageMaxBytes: ['memory.peak'],
    anonBytes: ['memory.stat', 'anon'],
    fileBytes: ['memory.stat', 'file'],
    limitHits: ['memory.events', 'max'],
    oomKills: ['memory.events', 'oom_kill'],
  },
}

export interface MemoryCgroup {
  /** Where a process writes its pid to be limited. */
  readonly procsFile: string
  read(): MemoryReading
  /** Its processes must have ended. */
  remove(): void
}

/**
 * @param name unique on this machine
 * @throws an Error that says what is missing
 */
export function makeMemoryCgroup(name: string, limitBytes: number): MemoryCgroup {
  const { root, limit, swapLimit, sources } = findLayout()
  const directory = join(root, name)
  const swapFile = join(directory, swapLimit)
  try {
    mkdirSync(directory)
    writeFileSync(join(directory, limit), String(limitBytes))
    // Swap would hide what does not fit. Kernels without swap accounting have no such file and mostly no swap.
    if (existsSync(swapFile)) writeFileSync(swapFile, root === v2.root ? '0' : String(limitBytes))
  } catch (error) {
    throw new Error(`cannot make the memory cgroup ${directory}: run as root (${String(error)})`)
  }
  const read = ([file, word]: Source) => {
    const text = readText(join(directory, file))
    const pattern = word === undefined ? /^(\d+)$/m : new RegExp(`^${word} (\\d+)$`, 'm')
    return Number(pattern.exec(text)?.[1] ?? Number.NaN)
  }
  return {
    procsFile: join(directory, 'cgroup.procs'),
    read: () => ({
      usageBytes: read(sources.usageBytes),
      usageMaxBytes: read(sources.usageMaxBytes),
      anonBytes: read(sources.anonBytes),
      fileBytes: read(sources.fileBytes),
      limitHits: read(sources.limitHits),
      oomKills: read(sources.oomKills),
    }),
    remove: () => rmdirSync(directory),
  }
}

function findLayout(): Layout {
  if (existsSync(join(v1.root, v1.limit))) return v1
  if (/\bmemory\b/.test(readText(join(v2.root, 'cgroup.subtree_control')))) return v2
  throw new Error(
    'no memory cgroup can be made: neither /sys/fs/cgroup/memory (version 1) nor the memory controller in /sys/fs/cgroup/cgroup.subtree_control (version 2; enable it with: echo +memory > /sys/fs/cgroup/cgroup.subtree_control)',
  )
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
