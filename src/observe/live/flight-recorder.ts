/**
 * The flight recorder: the last slow and the last failed queries, each with the time in its phases, there after the incident without having
 * been switched on. Two rings of bounded size. A query that is neither slow nor failed costs one comparison, and a cache hit none
 * (`npm run bench:micro -- pipeline`).
 */

import { ReplySource } from '../../core/facts.ts'
import type { Sending } from '../../core/ports.ts'
import type { Arrival } from '../../core/question/arrival.ts'
import type { Ticket } from '../../core/question/in-flight.ts'
import type { Reply } from '../../core/reply.ts'
import { presentName } from '../../wire/name.ts'
import { rcodeName } from '../rcode-name.ts'

/** RFC 1035 4.1: the question section follows the header. */
const qnameAt = 12
/** The sendings of one question are bounded by `attemptsMax` of its group. */
const sendingsMax = 16

const sourceNames = Object.keys(ReplySource)

/** One sending of the question. */
export interface SendingView {
  readonly upstream: string
  /** first, hedge, failover and so on. */
  readonly why: string
  readonly proto: 'udp' | 'tcp' | 'tls'
  /** After the query's arrival; negative when the question was on its way by then. */
  readonly afterMs: number
  /** Time in the queue for a socket; undefined when it was never sent. */
  readonly queuedMs: number | undefined
  /** When its reply came or it was lost, after the query's arrival; undefined while neither has, and when it was given up. */
  readonly endMs: number | undefined
  /** RCODE of its reply; undefined without one. */
  readonly rcode: string | undefined
  /** What it was lost to: timeout, refused, connection-lost and so on; undefined when it was not. */
  readonly lostTo: string | undefined
}

export interface FlightView {
  /** When it was answered, milliseconds since 1970. */
  readonly atMs: number
  readonly name: string
  readonly type: number
  readonly client: string
  /** Whose address that was, as `namespace/pod` or `node`; from the operator's API, where it is known. */
  readonly pod?: string | undefined
  readonly clientPort: number
  readonly proto: 'udp' | 'tcp'
  readonly rcode: string
  readonly source: string
  /** RFC 8914 code, or -1. */
  readonly ede: number
  readonly tookMs: number
  /** From the arrival until the question was first sent for it; 0 when it joined a question on its way. */
  readonly waitedMs: number
  readonly isJoined: boolean
  /** Undefined when there was no room to wait. */
  readonly group: string | undefined
  readonly sendings: readonly SendingView[]
  /** The upstream that answered. */
  readonly answeredBy: string | undefined
  /** Equal ones, one after the other: clients that waited for the same question, or a storm. */
  readonly count: number
}

/** Takes slow and failed queries elsewhere, one in so many. */
export interface FlightSink {
  /** Whether it takes the next one: asked once for each, before a view of it is made. */
  wants(): boolean
  /** @param serverIndex of the listening address */
  take(flight: FlightView, serverIndex: number): void
}

export interface RecorderSettings {
  readonly slowMs: number
  readonly recordedMax: number
}

type Kept = Omit<FlightView, 'count'> & { count: number }

export class FlightRecorder {
  slowMs = 0
  private recordedMax = 0
  private readonly nowMs: () => number
  private slowOnes: Kept[] = []
  private failedOnes: Kept[] = []
  sink: FlightSink | undefined

  /** @param nowMs the clock of arrivals */
  constructor(settings: RecorderSettings, nowMs: () => number) {
    this.nowMs = nowMs
    this.reconfigure(settings)
  }

  reconfigure({ slowMs, recordedMax }: RecorderSettings): void {
    this.slowMs = slowMs
    this.recordedMax = recordedMax
    for (const ring of [this.slowOnes, this.failedOnes])
      ring.splice(0, Math.max(0, ring.length - recordedMax))
  }

  /** The newest first. */
  slow(): readonly FlightView[] {
    return this.slowOnes.slice(-this.recordedMax).toReversed()
  }

  /** The newest first. */
  failures(): readonly FlightView[] {
    return this.failedOnes.slice(-this.recordedMax).toReversed()
  }

  /** A query has been answered that was slow, or got no message. */
  note(arrival: Arrival, reply: Reply, ticket: Ticket | undefined, tookMs: number): void {
    const { recordedMax, sink } = this
    const isFailed = failing.has(reply.source)
    if (!isFailed && tookMs < this.slowMs) return
    const isWanted = sink?.wants() === true
    if (recordedMax === 0 && !isWanted) return
    const ring = isFailed ? this.failedOnes : this.slowOnes
    const last = ring.at(-1)
    const name = presentName(arrival.query, qnameAt)
    const isAnother = last === undefined || !isEqual(last, name, arrival, reply)
    if (!isAnother) last.count += 1
    if (!isAnother && !isWanted) return
    const view = this.viewOf({ arrival, reply, ticket, tookMs, name })
    if (isAnother) this.keep(ring, view)
    if (isWanted) sink?.take(view, arrival.serverIndex)
  }

  private keep(ring: Kept[], view: Kept): void {
    const { recordedMax } = this
    if (recordedMax === 0) return
    // Dropped in one go now and then: shifting each time would move the whole list.
    if (ring.length >= 2 * recordedMax) ring.splice(0, ring.length - recordedMax + 1)
    ring.push(view)
  }

  private viewOf({ arrival, reply, ticket, tookMs, name }: Facts): Kept {
    const { sendings = [], ...phases } = phasesOf(arrival, ticket, this.nowMs())
    return {
      atMs: Date.now(),
      name,
      type: arrival.question.qtype,
      client: arrival.clientAddress(),
      clientPort: arrival.clientPort,
      proto: arrival.transport === 0 ? 'udp' : 'tcp',
      rcode: rcodeName(reply.rcode),
      source: sourceNames[reply.source] ?? '',
      ede: reply.ede,
      tookMs: rounded(tookMs),
      ...phases,
      group: ticket?.group,
      sendings,
      answeredBy: reply.upstream,
      count: 1,
    }
  }
}

interface Facts {
  readonly arrival: Arrival
  readonly reply: Reply
  readonly ticket: Ticket | undefined
  readonly tookMs: number
  readonly name: string
}

/** REFUSED and FORMERR are no failures of ours. */
const failing: ReadonlySet<number> = new Set([
  ReplySource.failed,
  ReplySource.overloaded,
  ReplySource.failureCache,
])

function isEqual(
  last: Kept,
  name: string,
  { question }: Arrival,
  { rcode, source }: Reply,
): boolean {
  const isSame = last.name === name && last.type === question.qtype
  return isSame && last.rcode === rcodeName(rcode) && last.source === sourceNames[source]
}

function phasesOf({ arrivedMs }: Arrival, ticket: Ticket | undefined, nowMs: number) {
  const all = ticket?.sendings?.all ?? []
  // The exchange's clock stands still while the machine sleeps; both are read in this moment.
  const leadMs = nowMs - performance.now()
  const sendings = all
    .slice(-sendingsMax)
    .map((sending) => sendingView(sending, arrivedMs - leadMs))
  const first = sendings[0]?.afterMs ?? 0
  const isJoined = first < 0
  return { waitedMs: Math.max(0, first), isJoined, sendings }
}

/** @param arrivedMs on the exchange's clock */
function sendingView(sending: Sending, arrivedMs: number): SendingView {
  const { upstream, kind, madeMs, sentMs, endMs, rcode, lostTo } = sending
  return {
    upstream: upstream.name,
    why: kind,
    proto: protoOf(sending),
    afterMs: rounded(madeMs - arrivedMs),
    queuedMs: sentMs === 0 ? undefined : rounded(Math.max(0, sentMs - madeMs)),
    endMs: endMs === 0 ? undefined : rounded(endMs - arrivedMs),
    rcode: rcode === -1 ? undefined : rcodeName(rcode),
    lostTo,
  }
}

function protoOf({ upstream, overTcp, isAside }: Sending): SendingView['proto'] {
  if (isAside || overTcp) return isAside ? 'udp' : 'tcp'
  const scheme = upstream.name.split('://')[0]
  return scheme === 'tcp' || scheme === 'tls' ? scheme : 'udp'
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
