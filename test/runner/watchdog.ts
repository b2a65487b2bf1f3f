/**
 * Ends the process when a test blocks the event loop for good: the timer of the test's own limit cannot fire
 * then, so a second thread watches. It prints what was running and the closing line before it kills.
 */
import { Worker } from 'node:worker_threads'

/** Time for the ordinary time-out to act first. */
const graceMs = 3000

export interface WatchdogOrder {
  readonly label: string
  readonly killInMs: number
  /** Last words of the whole run; empty where somebody else has them. */
  readonly closingLine: string
}

/** The main thread's side; watchdog-worker.ts is the other. */
export class Watchdog {
  private readonly worker = new Worker(new URL('./watchdog-worker.ts', import.meta.url))

  constructor() {
    this.worker.unref()
  }

  /** @param soFar for the closing line of the run; undefined where this process does not print it */
  expect(
    label: string,
    limitMs: number,
    soFar?: { readonly passed: number; readonly failures: readonly unknown[] },
  ): void {
    const closingLine = soFar && `${soFar.passed} passed, ${soFar.failures.length + 1} failed\n`
    const order: WatchdogOrder = {
      label,
      killInMs: limitMs + graceMs,
      closingLine: closingLine ?? '',
    }
    this.worker.postMessage(order)
  }

  done(): void {
    this.worker.postMessage(undefined)
  }
}
