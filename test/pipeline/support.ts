/** The pipeline with everything behind it but sockets: clients that note what they get, an exchange that a test answers by hand. */
import { AliasCrossings } from '../../src/core/alias-crossing.ts'
import { Cache } from '../../src/core/cache/cache.ts'
import type { CacheSettings } from '../../src/core/cache/entry.ts'
import { FailureCache } from '../../src/core/cache/failure-cache.ts'
import type { DropReason, ReplyFacts } from '../../src/core/facts.ts'
import { Joiner } from '../../src/core/joining.ts'
import {
  type Exchange,
  type ExchangeFailure,
  type OutcomeSink,
  type Peer,
  Transport,
} from '../../src/core/ports.ts'
import { InFlight, type InFlightSettings, type Ticket } from '../../src/core/question/in-flight.ts'
import { MissBudget } from '../../src/core/question/miss-budget.ts'
import { OwnQuestions } from '../../src/core/question/own-questions.ts'
import { SourceGuard } from '../../src/core/question/source-guard.ts'
import { Resolver } from '../../src/core/resolver.ts'
import { Router, type ZoneRoute } from '../../src/core/router.ts'
import type { SearchPath, SearchPathParts } from '../../src/core/search/search-path.ts'
import { Settler } from '../../src/core/settlement.ts'
import type { Stage } from '../../src/core/stages/stage.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { Replies } from '../../src/pipeline/replies.ts'
import { WaitingRoom } from '../../src/pipeline/waiting-room.ts'
import { TimerWheel } from '../../src/platform/timer-wheel.ts'
import { cacheSettings, scanned, zones } from '../core/support.ts'
import { type ReadMessage, readMessage } from '../support/client/dns-message.ts'

export const identity = Buffer.from('0123456789abcdef')

export interface BenchOptions {
  readonly cache?: Partial<CacheSettings>
  readonly inFlight?: Partial<InFlightSettings>
  readonly missesPerClientPerSecond?: number
  /** On unless said otherwise. */
  readonly rotate?: boolean
  readonly local?: readonly Stage[]
  readonly crossingsMax?: number
  readonly zones?: readonly ZoneRoute[]
  /** Makes the search path from the parts that it shares. */
  readonly search?: (parts: SharedParts) => SearchPath
}

type SharedParts = Pick<SearchPathParts, 'cache' | 'inFlight' | 'router' | 'own'>

interface Asked {
  readonly ticket: Ticket
  readonly sink: OutcomeSink<Ticket>
}

export class Bench implements Exchange<Ticket> {
  readonly facts: ReplyFacts[] = []
  readonly drops: { serverIndex: number; why: DropReason }[] = []
  readonly asked: Asked[] = []
  readonly inFlight: InFlight
  readonly pipeline: Pipeline
  readonly cache: Cache
  readonly failures: FailureCache
  readonly router: Router
  readonly own: OwnQuestions
  readonly resolver: Resolver
  /** The last reply that was made at once. */
  lastBytes: Buffer = Buffer.alloc(0)
  /** Added to the real clock, on which the timer wheel depends. */
  aheadMs = 0
  /** Set while the clock must not move. */
  frozenMs: number | undefined
  private readonly out = Buffer.alloc(65_535)

  constructor(options: BenchOptions = {}) {
    const nowMs = () => this.nowMs()
    this.cache = new Cache({ ...cacheSettings, ...options.cache })
    this.failures = new FailureCache({ minSeconds: 1, maxSeconds: 5 })
    this.inFlight = new InFlight({
      questionsMax: 1000,
      waitersPerQuestionMax: 20,
      waitersMax: 1000,
      waitersPerClientMax: 50,
      ...options.inFlight,
    })
    this.router = new Router(options.zones ?? zones)
    const { cache, failures, inFlight, router } = this
    const { local = [], crossingsMax = 8 } = options
    const isAltered = (name: Uint8Array, nameBytes: number) =>
      local.some((stage) => stage.alters?.(name, nameBytes) === true)
    this.own = new OwnQuestions({ cache, failures, inFlight, router, isAltered })
    const { own } = this
    const search = { path: options.search?.({ cache, inFlight, router, own }) }
    const settler = new Settler({ cache, failures, router, search, local })
    const replies = new Replies({
      settings: { udpReplyBytesMax: 1232, tcpIdleMs: 10_000, rotate: options.rotate ?? true },
      recorder: {
        replied: (facts) => this.facts.push({ ...facts }),
        dropped: (serverIndex, why) => this.drops.push({ serverIndex, why }),
      },
      nowMs,
      sampler: undefined,
    })
    const wheel = new TimerWheel(nowMs)
    this.resolver = new Resolver({
      cache,
      failures,
      inFlight,
      router,
      settler,
      own,
      search,
      local,
    })
    const { resolver } = this
    const budget = new MissBudget({
      missesPerClientPerSecond: options.missesPerClientPerSecond ?? 0,
    })
    const parts = { resolver, replies, own, nowMs }
    const crossings = new AliasCrossings({ own, settler, local }, crossingsMax)
    const joiner = new Joiner({ cache, failures, router, settler })
    const behind = { settler, crossings, joiner, inFlight, budget, exchange: this, wheel }
    const room = new WaitingRoom({ ...parts, ...behind })
    this.pipeline = new Pipeline(
      { ...parts, room, identity },
      { guard: new SourceGuard([{ address: '10.96.0.10', port: 53 }]) },
    )
  }

  nowMs(): number {
    return this.frozenMs ?? performance.now() + this.aheadMs
  }

  start(ticket: Ticket, sink: OutcomeSink<Ticket>): void {
    this.asked.push({ ticket, sink })
  }

  /** Hands a packet in, as a listener does. */
  handle(packet: Buffer, client: Client): ReadMessage | undefined {
    this.pipeline.beginBatch()
    const bytes = this.pipeline.handle(packet, packet.length, this.out, client)
    if (bytes === 0) return undefined
    this.lastBytes = Buffer.from(this.out.subarray(0, bytes))
    const reply = readMessage(this.lastBytes)
    client.got.push(reply)
    return reply
  }

  /** Answers the oldest open question. */
  answer(response: Buffer): void {
    const { ticket, sink } = this.next()
    const scan = scanned(response)
    sink.onOutcome(ticket, { kind: 'answer', reply: response, scan, upstream: 'test' })
  }

  fail(why: ExchangeFailure = 'timeout'): void {
    const { ticket, sink } = this.next()
    sink.onOutcome(ticket, { kind: 'failed', why })
  }

  private next(): Asked {
    const asked = this.asked.shift()
    if (asked === undefined) throw new Error('nothing was asked')
    return asked
  }
}

export interface ClientOptions {
  readonly host?: string
  readonly port?: number
  readonly tcp?: boolean
  readonly serverIndex?: number
}

/** One client; keeps what it got, at once or later. */
export class Client implements Peer {
  readonly got: ReadMessage[] = []
  readonly transport: Transport
  readonly family = 4
  readonly port: number
  readonly serverIndex: number
  private readonly host: string

  constructor({
    host = '10.244.0.7',
    port = 40_000,
    tcp = false,
    serverIndex = 0,
  }: ClientOptions = {}) {
    this.host = host
    this.port = port
    this.transport = tcp ? Transport.tcp : Transport.udp
    this.serverIndex = serverIndex
  }

  address(): string {
    return this.host
  }

  hold(): { send: (reply: Uint8Array) => void } {
    return { send: (reply) => this.got.push(readMessage(Buffer.from(reply))) }
  }
}
