/**
 * The timers of an interception. Repeats its work until it is stopped, never runs a piece of work twice at once, and hands failures to
 * the caller: a defect in a timer must not end the daemon, whose interception runs out by itself then. Knows nothing of the work.
 */

type Work<T = unknown> = () => Promise<T>

export class Rounds {
  private readonly onFailure: (error: unknown) => void
  private readonly timers: NodeJS.Timeout[] = []
  private hasStopped = false

  constructor(onFailure: (error: unknown) => void) {
    this.onFailure = onFailure
  }

  get isStopped(): boolean {
    return this.hasStopped
  }

  /** @returns a function that runs `work`, or does nothing and gives undefined while a call of it runs and after `stop` */
  alone<T>(work: Work<T>): Work<T | undefined> {
    let isRunning = false
    return async () => {
      if (isRunning || this.hasStopped) return undefined
      isRunning = true
      try {
        return await work()
      } finally {
        isRunning = false
      }
    }
  }

  /** Starts all of `works` at each interval, none of which waits for another. */
  every(intervalMs: number, ...works: readonly Work[]): void {
    const start = () => {
      for (const work of works) this.run(work)
    }
    if (!this.hasStopped) this.timers.push(setInterval(start, intervalMs))
  }

  /** Starts `work` now, and does not wait for it. */
  run(work: Work): void {
    work().catch(this.onFailure)
  }

  /** Nothing starts any more; running work goes on to its end. */
  stop(): void {
    this.hasStopped = true
    for (const timer of this.timers) clearInterval(timer)
  }
}
