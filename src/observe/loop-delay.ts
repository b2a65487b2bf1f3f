/**
 * How late the event loop is. Late is only who is waited for: while queries come, a timer of 25 ms takes samples; without them the
 * daemon's own rounds, some seconds apart, are samples. A timer that never rests was half of what an idle daemon took (docs/decisions/0050).
 *
 * Why not `monitorEventLoopDelay`: its histogram cannot be added to another one, and forgets what it has each time it starts again. Its option
 * `samplePerIteration` counted idle waits of up to a second as delay after a socket had been opened (Node 26.10).
 */
import { createHistogram } from 'node:perf_hooks'

const busyPeriodMs = 25

/** Seconds. */
export interface LoopDelay {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
  readonly mean: number
}

/**
 * Microseconds, up to a minute: a longer stall counts as one. The defaults, three figures of any number, take 369 KB. There is no 0; 1 stands
 * for it.
 */
const bounds = { lowest: 1, highest: 60_000_000, figures: 2 } as const

const none: LoopDelay = { p50: 0, p90: 0, p99: 0, max: 0, mean: 0 }

export class LoopDelaySampler {
  private readonly histogram = createHistogram(bounds)
  private timer: NodeJS.Timeout | undefined
  private lastSampleMs = 0
  private longestSeconds = 0

  /** Longest delay that was taken since the start, seconds. */
  get maxSeconds(): number {
    return this.longestSeconds
  }

  /** Samples since the last reading. */
  get count(): number {
    return this.histogram.count
  }

  /**
   * A round of the daemon: is to come each second while queries do.
   * @param isBusy queries came since the last round
   * @param lateMs by how much the round itself is late
   */
  round(isBusy: boolean, lateMs: number): void {
    this.add(lateMs)
    if (isBusy) this.begin()
    else this.stop()
  }

  /** No samples until the next round. */
  stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  /** Since the previous call; empties the histogram. */
  take(): LoopDelay {
    const { histogram } = this
    if (histogram.count === 0) return none
    const delay = {
      p50: seconds(histogram.percentile(50)),
      p90: seconds(histogram.percentile(90)),
      p99: seconds(histogram.percentile(99)),
      max: seconds(histogram.max),
      mean: seconds(histogram.mean),
    }
    histogram.reset()
    this.longestSeconds = Math.max(this.longestSeconds, delay.max)
    return delay
  }

  private begin(): void {
    if (this.timer !== undefined) return
    this.lastSampleMs = performance.now()
    this.timer = setInterval(() => this.sample(), busyPeriodMs)
    this.timer.unref()
  }

  private sample(): void {
    const nowMs = performance.now()
    this.add(nowMs - this.lastSampleMs - busyPeriodMs)
    this.lastSampleMs = nowMs
  }

  private add(lateMs: number): void {
    const microseconds = Math.round(lateMs * 1000)
    this.histogram.record(Math.min(Math.max(bounds.lowest, microseconds), bounds.highest))
  }
}

function seconds(microseconds: number): number {
  return microseconds / 1e6
}
