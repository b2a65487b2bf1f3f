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
  readonly passed: number
  readonly failed: number
}

/** The main thread's side; watchdog-worker.ts is the other. */
export class Watchdog {
  private readonly worker = new Worker(new URL('./watchdog-worker.ts', import.meta.url))

  constructor() {
    this.worker.unref()
  }

  expect(
    label: string,
    limitMs: number,
    soFar: { readonly passed: number; readonly failures: readonly unknown[] },
  ): void {
    const order: WatchdogOrder = {
      label,
      killInMs: limitMs + graceMs,
      passed: soFar.passed,
      failed: soFar.failures.length,
    }
    this.worker.postMessage(order)
  }

  done(): void {
    this.worker.postMessage(undefined)
  }
}
