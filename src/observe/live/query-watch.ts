/**
 * Queries as they come, for those who look: lines for `tail`, and for `top` the most frequent names and clients in sketches of bounded size.
 * While nobody looks it is not called at all. Who looks asks again and again; after five seconds of silence nobody looks any more.
 */

import { type ReplyFacts, ReplySource } from '../../core/facts.ts'
import type { Arrival } from '../../core/question/arrival.ts'
import type { Reply } from '../../core/reply.ts'
import { presentName } from '../../wire/name.ts'
import { rcodeName } from '../rcode-name.ts'
import { type Counted, SpaceSaving } from './space-saving.ts'

const qnameAt = 12
const leaseMs = 5000
/** People at terminals, of one process. */
const viewersMax = 8
/** Lines between two looks of one viewer; a person reads no more. */
const linesMax = 500
const keysMax = 256
/** A sketch takes this many queries a second, and one in so many of a larger stream (docs/decisions/0054 has the cost). */
const sampledPerSecond = 1000
/** Counts of a sketch are those of about this time. */
const windowMs = 10_000
/** Only what waited for somebody is slow. */
const slowFromMs = 5
const shown = 50

const sourceNames = Object.keys(ReplySource)

export interface TailFilter {
  /** Presentation form with trailing dot, lower case: names at and below it. */
  readonly under?: string
  readonly qtype?: number
  /** Addresses. */
  readonly clients?: readonly string[]
  readonly rcode?: string
  readonly source?: string
  readonly tookMsMin?: number
}

export interface TailLine {
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly client: string
  /** Whose address that was, as `namespace/pod` or `node`; from the operator's API, where it is known. */
  readonly pod?: string | undefined
  readonly proto: 'udp' | 'tcp'
  readonly name: string
  readonly type: number
  readonly rcode: string
  readonly source: string
  readonly tookUs: number
  /** Empty unless an upstream was asked for this query. */
  readonly upstream: string
}

export interface TailPage {
  readonly lines: readonly TailLine[]
  /** Queries that fit and are not among the lines: there were too many. */
  readonly lost: number
}

export interface Sketches {
  /** Queries a second, by name, by client. */
  readonly names: readonly Rate[]
  readonly clients: readonly Rate[]
  readonly slowest: readonly Slow[]
}

export interface Rate {
  readonly key: string
  /** Of clients: as `TailLine.pod`. */
  readonly pod?: string | undefined
  readonly perSecond: number
}

export interface Slow {
  readonly key: string
  readonly maxMs: number
  readonly meanMs: number
}

interface Viewer {
  filter: TailFilter
  lines: TailLine[]
  lost: number
  untilMs: number
}

interface Looking {
  readonly names: SpaceSaving
  readonly clients: SpaceSaving
  readonly slow: SpaceSaving
  readonly sinceMs: number
  decayedMs: number
  untilMs: number
}

export type SetWatcher = (watcher: QueryWatch | undefined) => void

export class QueryWatch {
  private readonly nowMs: () => number
  private readonly setWatcher: SetWatcher
  private readonly viewers = new Map<string, Viewer>()
  private looking: Looking | undefined
  private timer: NodeJS.Timeout | undefined
  private oneIn = 1
  private left = 1
  private inSecond = 0
  private secondMs = 0

  /** @param setWatcher puts this on the way of all queries, or takes it away */
  constructor(nowMs: () => number, setWatcher: SetWatcher) {
    this.nowMs = nowMs
    this.setWatcher = setWatcher
  }

  /** @param filter of what comes from now on. @returns what has come since the last call of this viewer; undefined when too many look */
  tail(viewer: string, filter: TailFilter): TailPage | undefined {
    const known = this.viewers.get(viewer)
    if (known === undefined && this.viewers.size >= viewersMax) return undefined
    const one = known ?? { filter, lines: [], lost: 0, untilMs: 0 }
    const { lines, lost } = one
    one.filter = filter
    one.lines = []
    one.lost = 0
    one.untilMs = this.nowMs() + leaseMs
    this.viewers.set(viewer, one)
    this.begin()
    return { lines, lost }
  }

  /** The most frequent names and clients, and the slowest names, while somebody looks. */
  sketches(): Sketches {
    const nowMs = this.nowMs()
    // After a flood the next query that is counted could be minutes away.
    this.adapt(nowMs)
    this.left = Math.min(this.left, this.oneIn)
    const looking = this.looking ?? newSketches(nowMs)
    this.looking = looking
    looking.untilMs = nowMs + leaseMs
    this.begin()
    const { names, clients, slow, sinceMs } = looking
    const factor = Math.exp((looking.decayedMs - nowMs) / windowMs)
    looking.decayedMs = nowMs
    for (const sketch of [names, clients, slow]) sketch.decay(factor)
    // The window is not full at first.
    const seconds = (windowMs * (1 - Math.exp((sinceMs - nowMs) / windowMs))) / 1000
    const rate = ({ key, count }: Counted): Rate => ({
      key,
      perSecond: count / Math.max(seconds, 0.1),
    })
    return {
      names: names.top(shown).map(rate),
      clients: clients.top(shown).map(rate),
      slowest: slow.slowest(shown).map(({ key, maxMs, totalMs, timed }) => ({
        key,
        maxMs,
        meanMs: totalMs / timed,
      })),
    }
  }

  /** A query has been answered. @param facts are valid during the call */
  seen(arrival: Arrival, reply: Reply, facts: ReplyFacts): void {
    if (this.looking !== undefined) this.sketch(this.looking, arrival, facts)
    if (this.viewers.size > 0) this.offer(arrival, reply, facts)
  }

  private sketch({ names, clients, slow }: Looking, arrival: Arrival, facts: ReplyFacts): void {
    this.inSecond += 1
    if (facts.tookMs >= slowFromMs) slow.add(nameOf(arrival), 1, facts.tookMs)
    if (--this.left > 0) return
    this.left = this.oneIn
    names.add(nameOf(arrival), this.oneIn)
    clients.add(arrival.clientAddress(), this.oneIn)
    this.adapt(this.nowMs())
  }

  /** The share of the stream that is counted follows its rate. */
  private adapt(nowMs: number): void {
    if (nowMs - this.secondMs < 1000 && this.inSecond < sampledPerSecond) return
    const perSecond = (this.inSecond * 1000) / Math.max(1, Math.min(1000, nowMs - this.secondMs))
    this.oneIn = Math.max(1, Math.ceil(perSecond / sampledPerSecond))
    this.inSecond = 0
    this.secondMs = nowMs
  }

  private offer(arrival: Arrival, reply: Reply, facts: ReplyFacts): void {
    let line: TailLine | undefined
    for (const viewer of this.viewers.values()) {
      if (!mayFit(viewer.filter, facts)) continue
      line ??= lineOf(arrival, reply, facts)
      if (!fits(viewer.filter, line)) continue
      if (viewer.lines.length < linesMax) viewer.lines.push(line)
      else viewer.lost += 1
    }
  }

  private begin(): void {
    if (this.timer !== undefined) return
    this.setWatcher(this)
    this.timer = setInterval(() => this.forgetSilent(), leaseMs)
    this.timer.unref()
  }

  private forgetSilent(): void {
    const nowMs = this.nowMs()
    for (const [id, { untilMs }] of this.viewers) if (untilMs < nowMs) this.viewers.delete(id)
    if (this.looking !== undefined && this.looking.untilMs < nowMs) this.looking = undefined
    if (this.looking === undefined && this.viewers.size === 0) this.stop()
  }

  /** Nobody looks any more. */
  stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
    this.viewers.clear()
    this.looking = undefined
    this.setWatcher(undefined)
  }
}

function newSketches(nowMs: number): Looking {
  return {
    names: new SpaceSaving(keysMax),
    clients: new SpaceSaving(keysMax),
    slow: new SpaceSaving(keysMax),
    sinceMs: nowMs,
    decayedMs: nowMs,
    untilMs: 0,
  }
}

function nameOf({ query }: Arrival): string {
  return presentName(query, qnameAt)
}

/** What can be said without making a text. */
function mayFit({ qtype, rcode, source, tookMsMin = 0 }: TailFilter, facts: ReplyFacts): boolean {
  if (facts.tookMs < tookMsMin || (qtype !== undefined && facts.qtype !== qtype)) return false
  if (source !== undefined && sourceNames[facts.source] !== source) return false
  return rcode === undefined || rcodeName(facts.rcode) === rcode
}

function fits({ under, clients }: TailFilter, line: TailLine): boolean {
  if (clients !== undefined && !clients.includes(line.client)) return false
  if (under === undefined || under === '.') return true
  return line.name === under || line.name.endsWith(`.${under}`)
}

function lineOf(arrival: Arrival, reply: Reply, facts: ReplyFacts): TailLine {
  return {
    atMs: Date.now(),
    client: arrival.clientAddress(),
    proto: facts.transport === 0 ? 'udp' : 'tcp',
    name: nameOf(arrival),
    type: facts.qtype,
    rcode: rcodeName(facts.rcode),
    source: sourceNames[facts.source] ?? '',
    tookUs: Math.round(facts.tookMs * 1000),
    upstream: reply.upstream ?? '',
  }
}
