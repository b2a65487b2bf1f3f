/**
 * Watches the process itself: event-loop delay, garbage collection, memory, descriptors, CPU. Runs only while there is an admin page
 * that shows it. Publishes nothing: `observe/families/process.ts` does.
 *
 * Why not prom-client's default metrics: its collector of garbage collections reads only the first entry of each batch.
 */
import { readdir, readFile } from 'node:fs/promises'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { type ProcessMemory, readMemory } from '../platform/process-memory.ts'

/**
 * How often the event loop is sampled. Each sample wakes the process: an idle process took 0.9 ms of CPU a second with 50 ms, 3.7 ms
 * with 10 ms. `samplePerIteration` would cost nothing, but in Node 26.10 it counted idle waits of up to a second as delay after a
 * socket had been opened.
 */
const samplePeriodMs = 25

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

export interface LoopDelay {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
  readonly mean: number
}

export class RuntimeStats {
  readonly gc: ReadonlyMap<GcKind, Float64Array> = new Map(
    gcKindNames.map((kind) => [kind, new Float64Array(gcBoundsSeconds.length + 2)]),
  )
  private delay: ReturnType<typeof monitorEventLoopDelay> | undefined
  private observer: PerformanceObserver | undefined
  /** Since the start, seconds. The histogram itself is emptied at each reading. */
  private longestDelaySeconds = 0
  private newest = { cpu: process.cpuUsage(), memory: readMemory(), openDescriptors: 0 }
  private descriptorLimit = 0

  start(): void {
    this.delay = monitorEventLoopDelay({ resolution: samplePeriodMs })
    this.delay.enable()
    this.observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.countCollection(entry)
    })
    this.observer.observe({ entryTypes: ['gc'] })
  }

  stop(): void {
    this.delay?.disable()
    this.observer?.disconnect()
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

  /** Longest event-loop delay since the start, seconds. */
  get delayMaxSeconds(): number {
    return this.longestDelaySeconds
  }

  /**
   * Event-loop delay in seconds since the previous call. Empties the histogram, and a stall that begins within one sample period after
   * that is not seen, because Node starts to measure at the next tick.
   */
  takeLoopDelay(): LoopDelay {
    const histogram = this.delay
    if (!histogram || histogram.count === 0) return { p50: 0, p90: 0, p99: 0, max: 0, mean: 0 }
    const delay = {
      p50: lateSeconds(histogram.percentile(50)),
      p90: lateSeconds(histogram.percentile(90)),
      p99: lateSeconds(histogram.percentile(99)),
      max: lateSeconds(histogram.max),
      mean: lateSeconds(histogram.mean),
    }
    histogram.reset()
    this.longestDelaySeconds = Math.max(this.longestDelaySeconds, delay.max)
    return delay
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

/** A sample is the time between two ticks of a timer. The part above the period is the delay. */
function lateSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - samplePeriodMs / 1000)
}

function gcKindOf(entry: PerformanceEntry): GcKind {
  const { detail } = entry as { detail?: { kind?: number } }
  return gcKinds.get(detail?.kind ?? 0) ?? 'major'
}
