/**
 * A memory cgroup of the bench's own, version 1 or 2: made, limited, read, removed. Never touches another one. Needs root.
 * https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'

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

interface Layout {
  readonly root: string
  readonly limit: string
  readonly swapLimit: string
  read(directory: string): MemoryReading
}

const v1: Layout = {
  root: '/sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  swapLimit: 'memory.memsw.limit_in_bytes',
  read: (directory) => ({
    usageBytes: number(directory, 'memory.usage_in_bytes'),
    usageMaxBytes: number(directory, 'memory.max_usage_in_bytes'),
    anonBytes: field(directory, 'memory.stat', 'rss'),
    fileBytes: field(directory, 'memory.stat', 'cache'),
    limitHits: number(directory, 'memory.failcnt'),
    oomKills: field(directory, 'memory.oom_control', 'oom_kill'),
  }),
}

const v2: Layout = {
  root: '/sys/fs/cgroup',
  limit: 'memory.max',
  swapLimit: 'memory.swap.max',
  read: (directory) => ({
    usageBytes: number(directory, 'memory.current'),
    usageMaxBytes: number(directory, 'memory.peak'),
    anonBytes: field(directory, 'memory.stat', 'anon'),
    fileBytes: field(directory, 'memory.stat', 'file'),
    limitHits: field(directory, 'memory.events', 'max'),
    oomKills: field(directory, 'memory.events', 'oom_kill'),
  }),
}

export class MemoryCgroup {
  private readonly layout: Layout
  private readonly directory: string

  private constructor(layout: Layout, directory: string) {
    this.layout = layout
    this.directory = directory
  }

  /**
   * @param name unique on this machine
   * @throws an Error that says what is missing
   */
  static create(name: string, limitBytes: number): MemoryCgroup {
    const layout = findLayout()
    const directory = `${layout.root}/${name}`
    try {
      mkdirSync(directory)
      writeFileSync(`${directory}/${layout.limit}`, String(limitBytes))
    } catch (error) {
      throw new Error(`cannot make the memory cgroup ${directory}: run as root (${String(error)})`)
    }
    limitSwap(layout, directory, limitBytes)
    return new MemoryCgroup(layout, directory)
  }

  /** Where a process writes its pid to be limited. */
  get procsFile(): string {
    return `${this.directory}/cgroup.procs`
  }

  read(): MemoryReading {
    return this.layout.read(this.directory)
  }

  /** Its processes must have ended. */
  remove(): void {
    rmdirSync(this.directory)
  }
}

function findLayout(): Layout {
  if (existsSync(`${v1.root}/${v1.limit}`)) return v1
  const controllers = readText('/sys/fs/cgroup/cgroup.subtree_control')
  if (/\bmemory\b/.test(controllers)) return v2
  throw new Error(
    'no memory cgroup can be made: neither /sys/fs/cgroup/memory (version 1) nor the memory controller in /sys/fs/cgroup/cgroup.subtree_control (version 2; enable it with: echo +memory > /sys/fs/cgroup/cgroup.subtree_control)',
  )
}

/** Swap would hide what does not fit. Kernels without swap accounting have no such file and mostly no swap. */
function limitSwap(layout: Layout, directory: string, limitBytes: number): void {
  const file = `${directory}/${layout.swapLimit}`
  if (existsSync(file)) writeFileSync(file, layout === v2 ? '0' : String(limitBytes))
}

function number(directory: string, file: string): number {
  return Number(readText(`${directory}/${file}`).trim() || Number.NaN)
}

function field(directory: string, file: string, name: string): number {
  const match = new RegExp(`^${name} (\\d+)$`, 'm').exec(readText(`${directory}/${file}`))
  return Number(match?.[1] ?? Number.NaN)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
