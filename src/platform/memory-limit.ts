/**
 * The memory that the container may use, and the V8 flags that follow from it. Without flags Node 26 chooses a heap
 * limit of 262 MiB in a cgroup of 128 MiB, and the kernel kills it before V8 collects in earnest. V8's limit can only be
 * set before it starts, so `cli/start.ts` starts the program a second time with `process.execve` (heap-flags.ts): same
 * process ID, same descriptors 0-2, some 40 ms.
 *
 * Never fails: without cgroups there is no limit.
 */
import { textAt } from './text-at.ts'
import type { HeapLimits } from './v8-flags.ts'

export interface MemorySettings {
  /** Old space as a share of the limit. */
  readonly heapPercent: number
}

const mebibyte = 1_048_576
/** Below this a heap cannot hold the program itself. */
const oldSpaceMinMiB = 24
/** cgroup v1 writes "no limit" as the largest multiple of the page size; anything near it is none. */
const noLimitBytes = 2 ** 60

/**
 * V8 lets a heap grow to four times what survived the last collection, and the young generation to 96 MiB. Measured with
 * misses only: 317 MiB resident without flags, 165 with 50 % and 8 MiB, for a tenth more CPU per miss and none per hit. 100 % gives that
 * tenth back and halves the 99th percentile, for 22 MiB more: the choice without a limit.
 */
const growthFreePercent = 100
const growthLimitedPercent = 50
/** Where memory is short. A miss leaves next to nothing in the old space, so that the heap is collected no more than half as often again (docs/decisions/0060). */
const growthShortPercent = 10
/**
 * Larger ones are emptied more rarely, and fewer of a miss's records outlive two of those times to become garbage of the old space. At a
 * limit of 128 MiB 2 MiB instead of 4 tripled the 99th percentile of misses for 2-7 MiB.
 */
const semiSpaceMaxMiB = 8
const semiSpaceShare = 1 / 32

/**
 * No thread beside the loop collects. On one CPU threads of V8 that mark take it from the loop for up to 20 ms at a time, where the loop
 * itself marks in steps of some milliseconds; the CPU time is the same. But it sweeps later, which takes more memory: not where that is
 * short (docs/decisions/0049).
 */
const collectorFlags = ['--single-threaded-gc']
const shortOfMemoryMiB = 128

/**
 * Flags that V8 reads at the start only, for a process that has to stay within `limitBytes`, 0 for no limit.
 *
 * The young generation takes up to three semi-spaces beside the old space; a thirty-second of the limit
 * each (4 MiB of 128 MiB) keeps it near a tenth.
 */
export function heapFlagsFor(limitBytes: number, settings: MemorySettings): string[] {
  if (isFree(limitBytes)) return [`--max-semi-space-size=${semiSpaceMaxMiB}`, ...collectorFlags]
  const limitMiB = limitBytes / mebibyte
  const oldMiB = Math.max(oldSpaceMinMiB, Math.floor((limitMiB * settings.heapPercent) / 100))
  const wantedMiB = 2 ** Math.floor(Math.log2(Math.max(1, limitMiB * semiSpaceShare)))
  const semiMiB = Math.min(semiSpaceMaxMiB, wantedMiB)
  return [
    `--max-old-space-size=${oldMiB}`,
    `--max-semi-space-size=${semiMiB}`,
    ...(isShort(limitBytes) ? [] : collectorFlags),
  ]
}

/** For the running process (v8-flags.ts). Memory goes before latency where it is short: it is worth 6-8 of 53 MiB (docs/decisions/0060). */
export function heapLimitsFor(limitBytes: number): HeapLimits {
  if (isShort(limitBytes)) return { growthPercent: growthShortPercent, savesMemory: true }
  const growthPercent = isFree(limitBytes) ? growthFreePercent : growthLimitedPercent
  return { growthPercent, savesMemory: false }
}

function isShort(limitBytes: number): boolean {
  return !isFree(limitBytes) && limitBytes <= shortOfMemoryMiB * mebibyte
}

/**
 * The least for one process: with 400 new names outstanding (`bench:soak-memory`) the kernel kills it within seconds in cgroups of 48 and
 * 56 MiB, and it survives in one of 64 MiB (Node 26.10, x86-64).
 */
export const leastMiB = 64
/** Of what the limit leaves beyond the process itself; the rest is for garbage and buffers. The default cache fits in 128 MiB. */
const baseMiB = 46
const cacheShare = 0.4
const cacheMinBytes = 65_536
/** UDP sockets to one upstream: a flood of silent names opens as many as there may be. */
const socketsShare = 0.125
/** A connected `dgram` socket, resident (docs/decisions/0045). */
const socketBytes = 9000
const socketsMin = 64

/** @returns why `processes` of us cannot serve within the limit; undefined when they can */
export function tooLittleMemory(limitBytes: number, processes: number): string | undefined {
  const leastBytes = processes * leastMiB * mebibyte
  if (isFree(limitBytes) || limitBytes >= leastBytes) return undefined
  const each = processes === 1 ? '' : `, ${leastMiB} MiB for each of ${processes} processes`
  return `the memory limit is ${Math.floor(limitBytes / mebibyte)} MiB, too little to serve under load; at least ${processes * leastMiB} MiB${each}`
}

/** @returns the largest cache that one process can have within its share of the limit, bytes */
export function cacheBytesWithin(limitBytes: number): number {
  if (isFree(limitBytes)) return Number.POSITIVE_INFINITY
  return Math.max(cacheMinBytes, Math.floor((limitBytes - baseMiB * mebibyte) * cacheShare))
}

/** @returns the most UDP sockets that one process can have open to one upstream within its share of the limit */
export function udpSocketsWithin(limitBytes: number): number {
  if (isFree(limitBytes)) return Number.POSITIVE_INFINITY
  const roomBytes = (limitBytes - baseMiB * mebibyte) * socketsShare
  return Math.max(socketsMin, Math.floor(roomBytes / socketBytes))
}

function isFree(limitBytes: number): boolean {
  return limitBytes <= 0 || limitBytes >= noLimitBytes
}

/** @returns the smallest memory limit of this process's cgroups, bytes; 0 when there is none */
export function readMemoryLimitBytes(root = '/'): number {
  const limits = limitFiles(root).map(readLimit)
  const smallest = Math.min(...limits)
  return smallest < noLimitBytes ? smallest : 0
}

/** Limit files of all cgroups from the process's own to the root: a limit of an ancestor counts, too. */
function limitFiles(root: string): string[] {
  const files: string[] = []
  for (const line of (textAt(`${root}proc/self/cgroup`) ?? '').split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === '') continue
    // In a container the path may be the host's while the container's own cgroup is mounted as the root: try both.
    if (controllers === '') {
      for (const mount of ['sys/fs/cgroup', 'sys/fs/cgroup/unified']) {
        files.push(...ancestors(path).map((dir) => `${root}${mount}${dir}memory.max`))
      }
    } else if (controllers.split(',').includes('memory')) {
      const mount = `${root}sys/fs/cgroup/memory`
      files.push(...ancestors(path).map((dir) => `${mount}${dir}memory.limit_in_bytes`))
    }
  }
  return files
}

/** `/a/b` gives `/a/b/`, `/a/`, `/`. */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..')
  return Array.from({ length: parts.length + 1 }, (_, n) => {
    const kept = parts.slice(0, parts.length - n)
    return kept.length === 0 ? '/' : `/${kept.join('/')}/`
  })
}

/** "max", an absent file and nonsense all mean no limit. */
function readLimit(file: string): number {
  const text = (textAt(file) ?? '').trim()
  return /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
}
