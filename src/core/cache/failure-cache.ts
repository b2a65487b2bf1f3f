/**
 * Remembers questions that could not be resolved (RFC 9520), so that a thousand retries do not become a thousand upstream
 * queries. Separate from the answers: a failure never shadows data that is still usable.
 */

import type { Route } from '../router.ts'
import { Storable } from './queue.ts'
import { CacheStore } from './store.ts'

export interface FailureTtl {
  /** After the first failure. RFC 9520 3.2: at least 1 s. */
  readonly minSeconds: number
  /** Upper bound: the time doubles with each repeated failure. RFC 9520 3.2: at most 5 min. */
  readonly maxSeconds: number
}

/** One remembered failure. */
export class Failure extends Storable {
  readonly rcode: number
  readonly route: Route
  readonly untilMs: number
  readonly ttlSeconds: number
  readonly epoch: number

  constructor(key: string, hash: number, what: FailureFacts) {
    super(key, hash, failureBytes, false)
    this.rcode = what.rcode
    this.route = what.route
    this.untilMs = what.untilMs
    this.ttlSeconds = what.ttlSeconds
    this.epoch = what.epoch
  }
}

type FailureFacts = Pick<Failure, 'rcode' | 'route' | 'untilMs' | 'ttlSeconds' | 'epoch'>

/** Enough for a node's names; a failure takes some 200 bytes. */
const failuresMax = 8_192
const failureBytes = 256

export class FailureCache {
  private readonly store = new CacheStore<Failure>({
    entriesMax: failuresMax,
    bytesMax: failuresMax * failureBytes,
    denialPercent: 100,
  })
  private readonly epochs = new Map<string, number>()
  private ttl: FailureTtl

  constructor(ttl: FailureTtl) {
    this.ttl = ttl
  }

  reconfigure(ttl: FailureTtl): void {
    this.ttl = ttl
  }

  /** Finds a failure that still counts, without counting a use. @returns undefined when the question may be asked */
  lookup(key: string, hash: number, nowMs: number): Failure | undefined {
    // The usual case: nothing fails.
    if (this.store.entries === 0) return undefined
    const failure = this.store.peek(key, hash)
    if (failure === undefined || failure.untilMs <= nowMs) return undefined
    return failure.epoch === this.epochOf(failure.route.group) ? failure : undefined
  }

  /** Counts a use of a failure, so that names in demand are kept. */
  use({ key, hash }: Failure): void {
    this.store.getText(key, hash)
  }

  note(failed: { key: string; hash: number; route: Route; rcode: number; nowMs: number }): void {
    const { key, hash, route, rcode, nowMs } = failed
    const { minSeconds, maxSeconds } = this.ttl
    const epoch = this.epochOf(route.group)
    const last = this.store.getText(key, hash)
    // A failure soon after the last one has the same cause.
    const isRepeated =
      last !== undefined && last.epoch === epoch && nowMs - last.untilMs < 2_000 * maxSeconds
    const ttlSeconds = isRepeated ? Math.min(last.ttlSeconds * 2, maxSeconds) : minSeconds
    const untilMs = nowMs + ttlSeconds * 1000
    this.store.set(new Failure(key, hash, { rcode, route, ttlSeconds, untilMs, epoch }))
  }

  forget(key: string, hash: number): void {
    if (this.store.entries > 0) this.store.delete(key, hash)
  }

  /** Forgets the failures whose keys are meant. @returns how many */
  forgetAll(isMeant: (key: string) => boolean): number {
    const meant = [...this.store.all()].filter(({ key }) => isMeant(key))
    for (const { key, hash } of meant) this.store.delete(key, hash)
    return meant.length
  }

  /** A group answers again: its remembered failures no longer count. */
  groupRecovered(group: string): void {
    this.epochs.set(group, this.epochOf(group) + 1)
  }

  private epochOf(group: string): number {
    return this.epochs.get(group) ?? 0
  }
}
