/** The pipeline and the core behind it as the daemon builds them, with a clock and an exchange that are moved by hand. */
import { AliasCrossings } from '../../src/core/alias-crossing.ts'
import { Cache } from '../../src/core/cache/cache.ts'
import type { CacheSettings } from '../../src/core/cache/entry.ts'
import { FailureCache } from '../../src/core/cache/failure-cache.ts'
import { Joiner } from '../../src/core/joining.ts'
import { type Exchange, type OutcomeSink, type Peer, Transport } from '../../src/core/ports.ts'
import { InFlight, type Ticket } from '../../src/core/question/in-flight.ts'
import { MissBudget } from '../../src/core/question/miss-budget.ts'
import { OwnQuestions } from '../../src/core/question/own-questions.ts'
import { SourceGuard } from '../../src/core/question/source-guard.ts'
import { Resolver } from '../../src/core/resolver.ts'
import { Router, type ZoneRoute } from '../../src/core/router.ts'
import { Settler } from '../../src/core/settlement.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { Replies } from '../../src/pipeline/replies.ts'
import { WaitingRoom } from '../../src/pipeline/waiting-room.ts'
import { TimerWheel } from '../../src/platform/timer-wheel.ts'
import { name } from '../fixtures/packets/octets.ts'

export const udpReplyBytesMax = 1232
export const messageBytesMax = 65535

const ttl = {
  positiveMinSeconds: 0,
  positiveMaxSeconds: 30,
  negativeMinSeconds: 0,
  negativeMaxSeconds: 5,
}
const zones: readonly ZoneRoute[] = [
  {
    zone: 'cluster.local.',
    name: name('cluster.local'),
    group: 'cluster',
    ttl,
    isCluster: true,
    mayRecurse: false,
    payloadBytes: 1232,
    trustAd: false,
  },
  {
    zone: '.',
    name: name('.'),
    group: 'external',
    ttl,
    isCluster: false,
    mayRecurse: true,
    payloadBytes: 1232,
    trustAd: false,
  },
]
export const cacheSettings: CacheSettings = {
  entriesMax: 2000,
  bytesMax: 4_194_304,
  denialPercent: 40,
  noSoaSeconds: 5,
  prefetch: { hitsMin: 2, remainingPercent: 10 },
  serveStale: {
    enabled: true,
    stalenessMaxSeconds: 3600,
    overDenials: false,
    clientTimeoutMs: 200,
    clusterClientTimeoutMs: 200,
    replyTtlSeconds: 30,
    failureRecheckSeconds: 5,
  },
}

export class Bench implements Exchange<Ticket> {
  nowMs = 0
  readonly out = Buffer.alloc(messageBytesMax)
  readonly replies: Buffer[] = []
  readonly asked: { ticket: Ticket; sink: OutcomeSink<Ticket> }[] = []
  readonly peer: Peer & { transport: Transport }
  readonly cache = new Cache(cacheSettings)
  private readonly pipeline: Pipeline
  private readonly poison: number

  constructor(poison: number) {
    this.poison = poison
    const nowMs = () => this.nowMs
    const { cache } = this
    const failures = new FailureCache({ minSeconds: 1, maxSeconds: 5 })
    const inFlight = new InFlight({
      questionsMax: 100,
      waitersPerQuestionMax: 10,
      waitersMax: 1000,
      waitersPerClientMax: 50,
    })
    const router = new Router(zones)
    const settler = new Settler({ cache, failures, router, search: { path: undefined }, local: [] })
    const recorder = { replied: () => undefined, dropped: () => undefined }
    const settings = { udpReplyBytesMax, tcpIdleMs: 10_000, rotate: true }
    const replies = new Replies({ settings, recorder, nowMs, sampler: undefined })
    const wheel = new TimerWheel(nowMs)
    const budget = new MissBudget({ missesPerClientPerSecond: 0 })
    const own = new OwnQuestions({ cache, failures, inFlight, router })
    const crossings = new AliasCrossings({ own, settler, local: [] }, 8)
    const joiner = new Joiner({ cache, failures, router, settler })
    const shared = { cache, inFlight, settler, own }
    const resolver = new Resolver({
      ...shared,
      failures,
      router,
      search: { path: undefined },
      local: [],
    })
    const waiting = { crossings, joiner, resolver, budget, exchange: this, replies, wheel, nowMs }
    const room = new WaitingRoom({ ...shared, ...waiting })
    this.pipeline = new Pipeline(
      { resolver, room, replies, own, identity: new Uint8Array(0), nowMs },
      { guard: new SourceGuard([]) },
    )
    const send = (reply: Uint8Array) => this.replies.push(Buffer.from(reply))
    this.peer = {
      transport: Transport.udp,
      family: 4,
      port: 40_000,
      serverIndex: 0,
      address: () => '127.0.0.1',
      hold: () => ({ send }),
    }
  }

  start(ticket: Ticket, sink: OutcomeSink<Ticket>): void {
    this.asked.push({ ticket, sink })
  }

  /** Replies that come at once or later are in `replies` until the next call. */
  handle(query: Buffer, queryBytes: number): void {
    this.replies.length = 0
    this.out.fill(this.poison)
    this.pipeline.beginBatch()
    const replyBytes = this.pipeline.handle(query, queryBytes, this.out, this.peer)
    if (replyBytes > 0) this.replies.push(Buffer.from(this.out.subarray(0, replyBytes)))
  }
}
