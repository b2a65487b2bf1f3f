/**
 * Collects slow and failed queries and hands them to a collector, a batch at a time. It never waits for the collector: the queue has a bound, one
 * request is under way at most, and a collector that is away is asked less and less often, in the end once a minute. Makes no timer while there is
 * nothing to send.
 */
import type { FlightSink, FlightView } from '../../observe/live/flight-recorder.ts'
import type { TraceStats } from '../../observe/stats.ts'
import { delayAfter, type PostResult } from './retry.ts'

export interface ExporterSettings {
  readonly sampleOneIn: number
  readonly everyMs: number
  readonly queueMax: number
  readonly batchMax: number
}

export interface ExporterParts<Kept> {
  readonly keep: (view: FlightView, serverIndex: number) => Kept
  /** Sends them. Never rejects. */
  readonly post: (batch: readonly Kept[]) => Promise<PostResult>
  /** The collector takes nothing any more, or takes them again: said once for each time. */
  readonly onTrouble: (why: string) => void
  readonly onTaken: (lost: number) => void
}

/** Tries in a row after which the queue is given up: half a minute or more, and by then it is of little use. */
const triesMax = 5

export class SpanExporter<Kept> implements FlightSink {
  private readonly settings: ExporterSettings
  private readonly parts: ExporterParts<Kept>
  private queue: Kept[] = []
  private left: number
  private timer: NodeJS.Timeout | undefined
  private isSending = false
  private isStopped = false
  /** In a row. */
  private failures = 0
  /** Not taken since the first of them. */
  private lost = 0
  private readonly counts = { sent: 0, dropped: 0, refused: 0, spansRejected: 0 }

  constructor(settings: ExporterSettings, parts: ExporterParts<Kept>) {
    this.settings = settings
    this.parts = parts
    this.left = settings.sampleOneIn
  }

  get stats(): TraceStats {
    return this.counts
  }

  wants(): boolean {
    if (--this.left > 0) return false
    this.left = this.settings.sampleOneIn
    if (this.queue.length < this.settings.queueMax) return true
    this.lose('dropped', 1)
    return false
  }

  take(view: FlightView, serverIndex: number): void {
    this.queue.push(this.parts.keep(view, serverIndex))
    this.arm(this.settings.everyMs)
  }

  /** Takes nothing more. What waits is sent once more, if the collector was there until now; nobody waits for that. */
  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
    if (!this.isSending && this.failures === 0 && this.queue.length > 0)
      this.parts.post(this.queue).then(
        () => undefined,
        () => undefined,
      )
    this.queue = []
  }

  private arm(ms: number): void {
    if (this.timer !== undefined || this.isSending || this.isStopped) return
    this.timer = setTimeout(() => this.flush(), ms)
    this.timer.unref()
  }

  private flush(): void {
    this.timer = undefined
    this.isSending = true
    // They stay in the queue, so that its bound counts them.
    const batch = this.queue.slice(0, this.settings.batchMax)
    this.parts.post(batch).then(
      (result) => this.settle(result, batch.length),
      (error: unknown) => this.settle({ kind: 'refused', why: String(error) }, batch.length),
    )
  }

  private settle(result: PostResult, queries: number): void {
    this.isSending = false
    if (this.isStopped) return
    if (result.kind === 'taken') this.taken(queries, result.spansRejected)
    else this.failed(result, queries)
  }

  private taken(queries: number, spansRejected: number): void {
    const { queue, settings, counts } = this
    queue.splice(0, queries)
    counts.sent += queries
    counts.spansRejected += spansRejected
    if (this.failures > 0) this.parts.onTaken(this.lost)
    this.failures = 0
    this.lost = 0
    if (queue.length > 0) this.arm(queue.length < settings.batchMax ? settings.everyMs : 0)
  }

  private failed(result: Exclude<PostResult, { kind: 'taken' }>, queries: number): void {
    const { queue, settings } = this
    this.failures += 1
    if (this.failures === 1) this.parts.onTrouble(result.why)
    const isRefused = result.kind === 'refused'
    if (isRefused) this.lose('refused', queue.splice(0, queries).length)
    else if (this.failures >= triesMax) this.lose('dropped', queue.splice(0).length)
    const delayMs = delayAfter(this.failures, isRefused ? undefined : result.afterMs, Math.random())
    // While nothing waits, what comes next is held for as long.
    this.arm(Math.max(delayMs, isRefused ? settings.everyMs : 0))
  }

  private lose(how: 'dropped' | 'refused', queries: number): void {
    this.counts[how] += queries
    if (this.failures > 0) this.lost += queries
  }
}
