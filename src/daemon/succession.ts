/** The daemon's work for its successor: stops reading, hands over the clients' connections, and serves again if the successor ends. */
import type { GiveConnection, Service } from '../handover/predecessor.ts'
import type { Listeners } from './listeners.ts'
import type { Monitoring } from './monitoring.ts'

/** Between two looks whether a client still waits for an answer. */
const pollMs = 5

export interface SuccessionParts {
  readonly listeners: () => Listeners
  readonly monitoring: () => Monitoring
  /** Clients that wait for an answer. */
  readonly waiters: () => number
  /** How long clients may still be answered. */
  readonly deadlineMs: () => number
  /** Another process serves, and would answer the self-queries: they stop. */
  readonly onRetire: () => void
  readonly onRetired: () => Promise<void>
  /** Opens everything again. */
  readonly serve: () => Promise<void>
  readonly onDefect: (error: unknown) => void
}

export class Succession implements Service {
  /** Another process serves. */
  isRetired = false
  private readonly parts: SuccessionParts

  constructor(parts: SuccessionParts) {
    this.parts = parts
  }

  pauseReceiving(): void {
    this.parts.listeners().pauseReceiving()
  }

  resumeReceiving(): void {
    this.parts.listeners().resumeReceiving()
  }

  async retire(give: GiveConnection | undefined): Promise<void> {
    const { waiters, deadlineMs, onRetire, onRetired } = this.parts
    const listeners = this.parts.listeners()
    onRetire()
    const endMs = performance.now() + deadlineMs()
    const pages = this.parts.monitoring().retire()
    // A connection is given once it has no unanswered query here, so some take several attempts.
    listeners.stopAccepting()
    const isDone = () => (give === undefined || listeners.handOver(give) === 0) && waiters() === 0
    await pollUntil(isDone, endMs)
    await listeners.close(Math.max(0, endMs - performance.now()))
    await pages
    this.isRetired = true
    await onRetired()
  }

  resume(): void {
    this.isRetired = false
    this.parts.serve().catch(this.parts.onDefect)
  }
}

/** Resolves when `isDone` says so, or at the deadline. */
export async function pollUntil(isDone: () => boolean, endMs: number): Promise<void> {
  while (!isDone() && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}
