/**
 * Watches the process itself: event-loop delay, garbage collection, memory, descriptors, CPU. Started only when
 * there is somebody to read it. Never registers anything; `observe/families/process.ts` publishes.
 */
import { readdir, readFile } from 'node:fs/promises'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'

/**
 * How often the loop is sampled. Each sample wakes the process: measured idle cost 0.9 ms CPU a second at 50 ms,
 * 3.7 ms at 10 ms. `samplePerIteration` would cost nothing, but in Node 26.10 it counted idle waits
 * of up to a second as delay whenever a socket had been opened.
 */
const samplePeriodMs = 25

/** V8's numbers for kinds of collections, as `perf_hooks.constants` has them. */
const gcKinds: ReadonlyMap<number, GcKind> = new Map([
  [1, 'minor'],
  [4, 'major'],
  [8, 'incremental'],
  [16, 'weakcb'],
])
export type GcKind = 'minor' | 'major' | 'incremental' | 'weakcb'

/** Inclusive upper bounds, seconds, under the name and with the buckets of prom-client's default metrics. */
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
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined
  #observer: PerformanceObserver | undefined
  /** Longest delay since the start, seconds; the histogram itself is emptied at each reading. */
  #delayMaxSeconds = 0
  #openDescriptors = 0
  #maxDescriptors = 0
  #cpu = process.cpuUsage()
  #memory = process.memoryUsage()

  start(): void {
    this.#delay = monitorEventLoopDelay({ resolution: samplePeriodMs })
    this.#delay.enable()
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#countCollection(entry)
    })
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  stop(): void {
    this.#delay?.disable()
    this.#observer?.disconnect()
  }

  /** Reads what waits for files, and what takes the kernel some 0.1 ms each time; call before each scrape. Never rejects. */
  async refresh(): Promise<void> {
    this.#cpu = process.cpuUsage()
    this.#memory = process.memoryUsage()
    try {
      this.#openDescriptors = (await readdir('/proc/self/fd')).length
      // Nobody changes the limit of a process that runs.
      this.#maxDescriptors ||= descriptorLimit(await readFile('/proc/self/limits', 'utf8'))
    } catch {
      // No /proc: both stay 0.
    }
  }

  /** CPU time since the start at the last refresh, microseconds. */
  get cpu(): NodeJS.CpuUsage {
    return this.#cpu
  }

  /** At the last refresh, octets. */
  get memory(): NodeJS.MemoryUsage {
    return this.#memory
  }

  get openDescriptors(): number {
    return this.#openDescriptors
  }

  get maxDescriptors(): number {
    return this.#maxDescriptors
  }

  /** Longest event-loop delay since the start, seconds. */
  get delayMaxSeconds(): number {
    return this.#delayMaxSeconds
  }

  /**
   * Event-loop delay in seconds since the previous call, which empties the histogram. A stall that begins within
   * a sample period of that is not seen: Node starts to measure at the next tick.
   */
  takeLoopDelay(): LoopDelay {
    const histogram = this.#delay
    if (!histogram || histogram.count === 0) return { p50: 0, p90: 0, p99: 0, max: 0, mean: 0 }
    const delay = {
      p50: lateSeconds(histogram.percentile(50)),
      p90: lateSeconds(histogram.percentile(90)),
      p99: lateSeconds(histogram.percentile(99)),
      max: lateSeconds(histogram.max),
      mean: lateSeconds(histogram.mean),
    }
    histogram.reset()
    this.#delayMaxSeconds = Math.max(this.#delayMaxSeconds, delay.max)
    return delay
  }

  #countCollection(entry: PerformanceEntry): void {
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

function descriptorLimit(limits: string): number {
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0)
}

/** A sample is the time between two ticks of a timer: what exceeds the period is the delay. */
function lateSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - samplePeriodMs / 1000)
}

function gcKindOf(entry: PerformanceEntry): GcKind {
  const { detail } = entry as { detail?: { kind?: number } }
  return gcKinds.get(detail?.kind ?? 0) ?? 'major'
}
