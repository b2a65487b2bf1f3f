/**
 * The core without any shell: cache, failures, routes, resolver and settler around a clock that a test turns, and upstream
 * answers put together from records. What clients would get is read by the tests' own decoder.
 */
import { Cache } from '../../src/core/cache/cache.ts'
import type { CacheSettings } from '../../src/core/cache/entry.ts'
import { FailureCache, type FailureTtl } from '../../src/core/cache/failure-cache.ts'
import type { Settlement } from '../../src/core/decision.ts'
import type { ReplySource } from '../../src/core/facts.ts'
import type { ExchangeFailure } from '../../src/core/ports.ts'
import { InFlight, type InFlightSettings, type Ticket } from '../../src/core/question/in-flight.ts'
import { OwnQuestions } from '../../src/core/question/own-questions.ts'
import type { Reply } from '../../src/core/reply.ts'
import { Resolver } from '../../src/core/resolver.ts'
import { Router, type ZoneRoute } from '../../src/core/router.ts'
import { Settler } from '../../src/core/settlement.ts'
import type { Stage } from '../../src/core/stages/stage.ts'
import { Question, readQuestion, Verdict } from '../../src/wire/question.ts'
import { ReplyShape, writeReply, writeShortReply, writeStored } from '../../src/wire/reply.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { header, name, octets, opt, rr, u16, u32 } from '../fixtures/packets/octets.ts'
import {
  type QueryOptions,
  type ReadMessage,
  readMessage,
  type TypeName,
  typeNumbers,
  writeQuery,
} from '../support/client/dns-message.ts'

export const ttlLimits = {
  positiveMinSeconds: 0,
  positiveMaxSeconds: 300,
  negativeMinSeconds: 0,
  negativeMaxSeconds: 60,
}

export const clusterTtlLimits = { ...ttlLimits, positiveMaxSeconds: 30, negativeMaxSeconds: 5 }

export function zoneRoute(zone: string, changes: Partial<ZoneRoute> = {}): ZoneRoute {
  return {
    zone,
    name: name(zone),
    group: `of ${zone}`,
    ttl: ttlLimits,
    isCluster: false,
    mayRecurse: true,
    payloadBytes: 1232,
    trustAd: false,
    ...changes,
  }
}

export const zones: readonly ZoneRoute[] = [
  zoneRoute('cluster.local.', { group: 'cluster', ttl: clusterTtlLimits, isCluster: true }),
  zoneRoute('corp.example.', { group: 'corp' }),
  zoneRoute('.', { group: 'external' }),
]

export const cacheSettings: CacheSettings = {
  entriesMax: 1000,
  bytesMax: 4_194_304,
  denialPercent: 40,
  noSoaSeconds: 5,
  prefetch: { hitsMin: 2, remainingPercent: 10 },
  serveStale: {
    enabled: true,
    stalenessMaxSeconds: 3600,
    overDenials: false,
    clientTimeoutMs: 200,
    clusterClientTimeoutMs: 100,
    replyTtlSeconds: 30,
    failureRecheckSeconds: 5,
  },
}

export interface CoreOptions {
  readonly zones?: readonly ZoneRoute[]
  readonly cache?: Partial<CacheSettings>
  readonly inFlight?: Partial<InFlightSettings>
  readonly failureTtl?: FailureTtl
  readonly local?: readonly Stage[]
}

/** What one question got at once. */
export interface Asked {
  /** Undefined when it has to wait. */
  readonly reply: ReadMessage | undefined
  readonly source: ReplySource
  readonly ede: number
  readonly zoneIndex: number
  /** What it waits for, or beside a reply a refresh. */
  readonly ticket: Ticket | undefined
  readonly starts: boolean
  readonly hasStale: boolean
}

export interface Settled {
  readonly reply: ReadMessage
  readonly source: ReplySource
  readonly ede: number
}

export class Core {
  /** Any start will do; 0 would hide a mistake with it. */
  nowMs = 1_000_000
  readonly cache: Cache
  readonly failures: FailureCache
  readonly inFlight: InFlight
  readonly router: Router
  readonly settler: Settler
  readonly own: OwnQuestions
  readonly resolver: Resolver
  private readonly queries = new WeakMap<Ticket, Buffer>()
  private readonly scan = new ResponseScan()

  constructor(options: CoreOptions = {}) {
    this.cache = new Cache({ ...cacheSettings, ...options.cache })
    this.failures = new FailureCache(options.failureTtl ?? { minSeconds: 1, maxSeconds: 5 })
    this.inFlight = new InFlight({
      questionsMax: 1000,
      waitersPerQuestionMax: 10,
      waitersMax: 1000,
      waitersPerClientMax: 50,
      ...options.inFlight,
    })
    this.router = new Router(options.zones ?? zones)
    const { cache, failures, inFlight, router } = this
    const { local = [] } = options
    this.own = new OwnQuestions({ cache, failures, inFlight, router })
    this.settler = new Settler({ cache, failures, router, search: { path: undefined }, local })
    this.resolver = new Resolver({
      cache,
      failures,
      inFlight,
      router,
      settler: this.settler,
      own: this.own,
      search: { path: undefined },
      local,
    })
  }

  later(seconds: number): void {
    this.nowMs += seconds * 1000
  }

  ask(qname: string, type: TypeName | number = 'A', options: QueryOptions = {}): Asked {
    const query = writeQuery(qname, type, { ednsBytes: 1232, ...options })
    const question = readAsk(query)
    const decision = this.resolver.begin(query, question, this.nowMs, someone)
    const { isReply, source, ede, zoneIndex, hasStale } = decision
    // Beside a reply the only question that can start is a refresh, which nobody waits for.
    const [refresh] = this.own.take()
    const ticket = isReply ? refresh : decision.ticket
    const starts = isReply ? refresh !== undefined : decision.starts
    if (ticket !== undefined && starts) this.queries.set(ticket, query)
    const reply = isReply ? written(query, question, decision) : undefined
    return { reply, source, ede, zoneIndex, ticket, starts, hasStale }
  }

  /** Brings an upstream's response to a question in flight. */
  answer(ticket: Ticket | undefined, response: Buffer): Settled {
    const { scan } = this
    if (!scanResponse(response, response.length, scan)) throw new Error('malformed response')
    return this.end(ticket, (open) =>
      this.settler.settle(
        open,
        { kind: 'answer', reply: response, scan, upstream: 'test' },
        this.nowMs,
      ),
    )
  }

  fail(ticket: Ticket | undefined, why: ExchangeFailure = 'timeout'): Settled {
    return this.end(ticket, (open) =>
      this.settler.settle(open, { kind: 'failed', why }, this.nowMs),
    )
  }

  /** Asks, and answers at once with these records. */
  learn(qname: string, type: TypeName, of: ResponseOptions): Settled {
    const { ticket } = this.ask(qname, type)
    return this.answer(ticket, responseTo(qname, type, of))
  }

  private end(ticket: Ticket | undefined, settle: (ticket: Ticket) => Settlement): Settled {
    if (ticket === undefined) throw new Error('nothing was asked')
    this.inFlight.close(ticket)
    const settlement = settle(ticket)
    const query = this.queries.get(ticket) ?? ticket.frame
    return {
      reply: written(query, readAsk(query), settlement),
      source: settlement.source,
      ede: settlement.ede,
    }
  }
}

/** All questions of these tests come from one client. */
const someone = { clientAddress: () => '192.0.2.99', clientPort: 40_000, turns: 0 }

function readAsk(query: Buffer): Question {
  const question = new Question()
  const verdict = readQuestion(query, query.length, question)
  if (verdict !== Verdict.ask) throw new Error(`not a question: verdict ${verdict}`)
  return question
}

function written(query: Buffer, question: Question, { stored, image, rcode }: Reply): ReadMessage {
  const out = Buffer.alloc(65_535)
  const shape = new ReplyShape()
  const write = () => {
    if (stored !== undefined) return writeStored(out, stored, query, question, shape)
    if (image !== undefined) return writeReply(out, image, query, question, shape)
    return writeShortReply(out, query, question, rcode, shape)
  }
  return readMessage(Buffer.from(out.subarray(0, write())))
}

export interface ResponseOptions {
  readonly rcode?: number
  readonly answers?: readonly Uint8Array[]
  readonly authorities?: readonly Uint8Array[]
  readonly additionals?: readonly Uint8Array[]
  /** Header flags beside QR, RD, RA and the rcode. */
  readonly flags?: number
  readonly extendedRcode?: number
}

/** A response with the question in lower case and uncompressed records; an OPT record as upstreams send it. */
export function responseTo(
  qname: string,
  type: TypeName | number,
  of: ResponseOptions = {},
): Buffer {
  const { rcode = 0, answers = [], authorities = [], additionals = [], flags = 0 } = of
  const { extendedRcode = 0 } = of
  const counts = [1, answers.length, authorities.length, additionals.length + 1] as const
  return octets(
    header({ flags: 0x8180 | flags | rcode, counts }),
    writeQuery(qname.toLowerCase(), type).subarray(12),
    answers,
    authorities,
    additionals,
    opt({ extendedRcode }),
  )
}

export function aRecord(owner: string, address: string, ttl = 300): Buffer {
  const data = Uint8Array.from(address.split('.').map(Number))
  return rr({ owner: name(owner), type: 1, ttl, data })
}

export function cnameRecord(owner: string, target: string, ttl = 300): Buffer {
  return rr({ owner: name(owner), type: 5, ttl, data: name(target) })
}

export function record(
  owner: string,
  type: TypeName | number,
  data: Uint8Array,
  ttl = 300,
): Buffer {
  const number = typeof type === 'number' ? type : typeNumbers[type]
  return rr({ owner: name(owner), type: number, ttl, data })
}

export function soaRecord(zone: string, ttl = 300, minimum = ttl): Buffer {
  const data = octets(name('ns.test'), name('root.test'), [1, 2, 3, 4].map(u32), u32(minimum))
  return rr({ owner: name(zone), type: 6, ttl, data })
}

export function mxData(preference: number, host: string): Buffer {
  return octets(u16(preference), name(host))
}

/** Scans a response that must be sound. */
export function scanned(response: Buffer): ResponseScan {
  const scan = new ResponseScan()
  if (!scanResponse(response, response.length, scan)) throw new Error('malformed response')
  return scan
}

/** Data of the answer section. */
export function data(reply: ReadMessage | undefined): string[] {
  return reply?.answers.map((answer) => answer.data) ?? ['no reply']
}

/** TTLs of all three sections. */
export function ttls(reply: ReadMessage | undefined): number[] {
  if (reply === undefined) return [-1]
  const { answers, authorities, additionals } = reply
  return [...answers, ...authorities, ...additionals].map(({ ttl }) => ttl)
}
