/** Parts of the upstream side for tests of single files: an upstream and an owner that note what they are told, and a clock that a test turns. */

import type { UpstreamTransport } from '../../src/address/upstream-url.ts'
import { claimFor } from '../../src/core/sharing/claim.ts'
import { TimerWheel } from '../../src/platform/timer-wheel.ts'
import {
  Attempt,
  AttemptList,
  type AttemptOwner,
  type ExchangeContext,
  type Upstream,
} from '../../src/upstream/attempt.ts'
import { type AttemptFailure, UpstreamCounters } from '../../src/upstream/counters.ts'
import type { AttemptKind } from '../../src/upstream/policy/attempt-kind.ts'
import { Dialect } from '../../src/upstream/policy/dialect.ts'
import { UpstreamHealth } from '../../src/upstream/policy/health.ts'
import { HedgeDelay } from '../../src/upstream/policy/hedge-delay.ts'
import { RandomPool, RecentPorts } from '../../src/upstream/random.ts'
import type { UpstreamAddress } from '../../src/upstream/settings.ts'
import { ResponseScan } from '../../src/wire/scan.ts'
import { askFor, settings } from './support.ts'

/** Any start will do; 0 would hide a mistake with it. */
export const startMs = 1_000_000

export class Clock {
  nowMs = startMs
  readonly context: ExchangeContext

  constructor() {
    this.context = {
      wheel: new TimerWheel(() => this.nowMs),
      random: new RandomPool(),
      recentPorts: new RecentPorts(),
      scan: new ResponseScan(),
    }
  }
}

export function addressFor(transport: UpstreamTransport, port = 53): UpstreamAddress {
  return { transport, address: '127.0.0.1', port, family: 4 }
}

/** Notes calls as text: `wait 1`, where the number is that of the attempt. */
export class NotingUpstream implements Upstream {
  readonly name: string
  readonly address: UpstreamAddress
  readonly health = new UpstreamHealth()
  readonly hedgeDelay = new HedgeDelay(settings.hedge)
  readonly counters = new UpstreamCounters()
  readonly sent: Attempt[] = []
  readonly noted: string[] = []
  /** It has answered with EDNS, so that SERVFAIL is about the name. */
  readonly dialect = new Dialect()
  /** What `isLively` says. */
  lively = true
  /** What `send` says. */
  failure: AttemptFailure | undefined

  constructor(transport: UpstreamTransport = 'udp', name = 'upstream') {
    this.name = name
    this.address = addressFor(transport)
    this.dialect.edns.worked()
  }

  send(attempt: Attempt): AttemptFailure | undefined {
    this.sent.push(attempt)
    return this.failure
  }

  noteReply(attempt: Attempt, rcode: number): void {
    this.noted.push(`reply ${this.indexOf(attempt)} rcode ${rcode}`)
  }

  noteLateReply(attempt: Attempt): void {
    this.noted.push(`late reply ${this.indexOf(attempt)}`)
  }

  noteWait(attempt: Attempt, _nowMs: number, isProof = false): void {
    this.noted.push(`wait ${this.indexOf(attempt)}${isProof ? ' proof' : ''}`)
  }

  noteFailure(why: AttemptFailure): void {
    this.noted.push(`failure ${why}`)
  }

  tryOut(): void {
    this.noted.push('try out')
  }

  timeoutMs(isOverTcp: boolean): number {
    if (isOverTcp) return this.hedgeDelay.delayMs
    return this.hedgeDelay.timeoutMs(settings.timeout)
  }

  hasRoom = true

  nudge(): void {
    this.noted.push('nudge')
  }

  isLively(): boolean {
    return this.lively
  }

  notLateBeforeMs(): number {
    return 0
  }

  private indexOf(attempt: Attempt): number {
    return this.sent.indexOf(attempt)
  }
}

export class NotingOwner implements AttemptOwner {
  readonly told: string[] = []

  onReply(): void {
    this.told.push('reply')
  }

  onLost(_attempt: Attempt, why: AttemptFailure): void {
    this.told.push(`lost ${why}`)
  }

  onStalled(): void {
    this.told.push('stalled')
  }

  onHeldUp(): void {
    this.told.push('held up')
  }

  onSuspicion(): void {
    this.told.push('suspicion')
  }

  onSent(): void {
    this.told.push('sent')
  }
}

export interface Making {
  readonly kind?: AttemptKind
  readonly overTcp?: boolean
  readonly siblings?: AttemptList
  readonly madeMs?: number
  readonly name?: string
  readonly client?: string
  readonly mayRecurse?: boolean
  /** Without EDNS. */
  readonly isPlain?: boolean
}

export function attemptFor(
  upstream: Upstream,
  owner: AttemptOwner = new NotingOwner(),
  making: Making = {},
): Attempt {
  const { frame, questionEnd, claim } = askFor(making.name ?? 'www.example')
  const { client } = making
  return new Attempt(owner, upstream, {
    kind: making.kind ?? 'first',
    frame: making.isPlain === true ? frame.subarray(0, questionEnd) : frame,
    questionEnd,
    overTcp: making.overTcp ?? false,
    siblings: making.siblings ?? new AttemptList(),
    madeMs: making.madeMs ?? startMs,
    claim: client === undefined ? claim : claimFor(client, frame, 0),
    mayRecurse: making.mayRecurse ?? true,
  })
}
