/**
 * Watches the process itself: event-loop delay, garbage collection, memory, descriptors, CPU. Runs only while there is an admin page
 * that shows it. Publishes nothing: `observe/families/process.ts` does.
 *
 * Why not prom-client's default metrics: its collector of garbage collections reads only the first entry of each batch.
 */
import { readdir, readFile } from 'node:fs/promises'
import { PerformanceObserver } from 'node:perf_hooks'
import { type ProcessMemory, readMemory } from '../platform/process-memory.ts'
import { LoopDelaySampler } from './loop-delay.ts'

/** V8's numbers for kinds of collections, from `perf_hooks.constants`. */
const gcKinds: ReadonlyMap<number, GcKind> = new Map([
  [1, 'minor'],
  [4, 'major'],
  [8, 'incremental'],
  [16, 'weakcb'],
])
export type GcKind = 'minor' | 'major' | 'incremental' | 'weakcb'

/** Inclusive upper bounds in seconds: the buckets of prom-client's default metric of the same name. */
export const gcBoundsSeconds: readonly number[] = [0.001, 0.01, 0.1, 1, 2, 5]
export const gcKindNames: readonly GcKind[] = [...gcKinds.values()]

export class RuntimeStats {
  readonly gc: ReadonlyMap<GcKind, Float64Array> = new Map(
    gcKindNames.map((kind) => [kind, new Float64Array(gcBoundsSeconds.length + 2)]),
  )
  readonly loopDelay = new LoopDelaySampler()
  private observer: PerformanceObserver | undefined
  private newest = { cpu: process.cpuUsage(), memory: readMemory(), openDescriptors: 0 }
  private descriptorLimit = 0

  /** Starts what has not started. */
  start(): void {
    if (this.observer !== undefined) return
    this.observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.countCollection(entry)
    })
    this.observer.observe({ entryTypes: ['gc'] })
  }

  /** See `LoopDelaySampler.round`. */
  round(isBusy: boolean, lateMs: number): void {
    if (this.observer !== undefined) this.loopDelay.round(isBusy, lateMs)
  }

  stop(): void {
    this.loopDelay.stop()
    this.observer?.disconnect()
    this.observer = undefined
  }

  /** Reads the numbers that come from files or take the kernel some 0.1 ms. To be called before each scrape. Never rejects. */
  async refresh(): Promise<void> {
    const { openDescriptors } = this.newest
    this.newest = { cpu: process.cpuUsage(), memory: readMemory(), openDescriptors }
    try {
      this.newest.openDescriptors = (await readdir('/proc/self/fd')).length
      // The limit of a running process does not change.
      this.descriptorLimit ||= descriptorLimitIn(await readFile('/proc/self/limits', 'utf8'))
    } catch {
      // No /proc: both stay 0.
    }
  }

  /** CPU time since the start, as of the newest refresh, microseconds. */
  get cpu(): NodeJS.CpuUsage {
    return this.newest.cpu
  }

  /** As of the newest refresh, bytes. */
  get memory(): ProcessMemory {
    return this.newest.memory
  }

  get openDescriptors(): number {
    return this.newest.openDescriptors
  }

  get maxDescriptors(): number {
    return this.descriptorLimit
  }

  private countCollection(entry: PerformanceEntry): void {
    const slots = this.gc.get(gcKindOf(entry))
    if (!slots) return
    const seconds = entry.duration / 1000
    let bucket = gcBoundsSeconds.findIndex((bound) => seconds <= bound)
    if (bucket < 0) bucket = gcBoundsSeconds.length
    slots[bucket] = (slots[bucket] ?? 0) + 1
    const sumSlot = gcBoundsSeconds.length + 1
    slots[sumSlot] = (slots[sumSlot] ?? 0) + seconds
  }
}

function descriptorLimitIn(limits: string): number {
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0)
}

function gcKindOf(entry: PerformanceEntry): GcKind {
  const { detail } = entry as { detail?: { kind?: number } }
  return gcKinds.get(detail?.kind ?? 0) ?? 'major'
}
