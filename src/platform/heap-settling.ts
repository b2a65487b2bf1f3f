/**
 * Collects, once after each start and each reload, what reading the configuration, compiling and linking left in V8's heap, in the first
 * second in which the process is nearly idle: one pause of 13-17 ms. V8's memory reducer gives back the pages within half a minute, in
 * steps of at most 5 ms; without a collection before it, it does nothing. Together 4 of 41 MB of a daemon on a quiet node
 * (docs/decisions/0049). A busy heap has been collected by then, and needs its pages.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import { collectGarbage } from './v8-flags.ts'

const tickMs = 1000
/** Share of a second that housekeeping (1-2 ms) and about a hundred queries take. */
const quietUtilization = 0.004

export class HeapSettling {
  private readonly collect: () => void
  private readonly measure: () => EventLoopUtilization
  private last: EventLoopUtilization
  private timer: NodeJS.Timeout | undefined

  /** @param measure how busy the event loop has been since the start */
  constructor(
    collect: () => void = collectGarbage,
    measure: () => EventLoopUtilization = () => performance.eventLoopUtilization(),
  ) {
    this.collect = collect
    this.measure = measure
    this.last = measure()
  }

  /** Also again, after work that left as much garbage as a start. */
  start(): void {
    this.stop()
    this.last = this.measure()
    this.timer = setInterval(() => this.tick(), tickMs)
    this.timer.unref()
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private tick(): void {
    const { last } = this
    const now = this.measure()
    this.last = now
    const active = now.active - last.active
    const idle = now.idle - last.idle
    if (active > quietUtilization * (active + idle)) return
    this.stop()
    this.collect()
  }
}
