/**
 * An open-loop UDP load generator: it sends on schedule whether or not anything comes back, so a server that stalls
 * cannot slow it down and hide that. Every query is a (socket, ID) pair that is used once at a time; lost, wrong,
 * SERVFAIL and late are counted apart. It runs in the process that calls it: put it in an agent (agent.ts), or the
 * caller's own work counts as the server's delay.
 */

import { type Server, UdpClient } from './dns-client.ts'
import { readMessage, type TypeName, writeQuery } from './dns-message.ts'

/** One query to send and what a right answer looks like. Plain data: it crosses process borders. */
export interface LoadQuery {
  readonly name: string
  readonly type: TypeName
  /** Any word; results are told apart by it, e.g. `hit` and `miss`. */
  readonly group: string
  /** Rcode of the right answer; SERVFAIL is counted as such and never as wrong. */
  readonly rcode: number
  /** Some answer record must have this data (an address, as dns-message.ts writes it). */
  readonly data?: string
}

export interface LoadSpec {
  readonly server: Server
  readonly queriesPerSecond: number
  /** Sent in this order, one after another, once each; the run ends with the last. */
  readonly queries: readonly LoadQuery[]
  readonly sockets?: number
  /** A reply later than this counts as lost: resolvers have long asked again. */
  readonly lostAfterMs?: number
}

export type Verdict = 'right' | 'wrong' | 'servfail' | 'lost'

/** One query's fate. `sentMs` is on `performance.timeOrigin + performance.now()`, so all processes agree on it. */
export interface LoadRecord {
  readonly group: string
  readonly name: string
  readonly sentMs: number
  /** Since the query should have been sent; when it was lost, until it was given up. */
  readonly latencyMs: number
  readonly verdict: Verdict
}

export interface LoadResult {
  readonly records: readonly LoadRecord[]
  /** Queries sent more than 20 ms after their time; a run with many says more about this machine than the server. */
  readonly lateSends: number
  /** How far behind its schedule the generator was at worst: no time measured here is surer than this. */
  readonly lagMaxMs: number
}

interface Waiting {
  readonly query: LoadQuery
  readonly dueMs: number
  readonly sentMs: number
}

/** Sends all queries and resolves when each has its answer or is lost. */
export async function runLoad(spec: LoadSpec): Promise<LoadResult> {
  const lostAfterMs = spec.lostAfterMs ?? 2500
  const opening = Array.from({ length: spec.sockets ?? 8 }, () => Lane.open(spec.server))
  const lanes = await Promise.all(opening)
  const schedule = new Schedule(spec, lanes)
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (const lane of lanes) lane.giveUpBefore(performance.now() - lostAfterMs)
      schedule.sendDue()
      if (!schedule.done || !lanes.every((lane) => lane.idle)) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  await Promise.all(lanes.map((lane) => lane.close()))
  const { lateSends, lagMaxMs } = schedule
  return { records: lanes.flatMap((lane) => lane.records), lateSends, lagMaxMs }
}

/** Which query is due when, and over which socket. */
class Schedule {
  lateSends = 0
  lagMaxMs = 0
  readonly #spec: LoadSpec
  readonly #lanes: readonly Lane[]
  readonly #startMs = performance.now() + 5
  #next = 0

  constructor(spec: LoadSpec, lanes: readonly Lane[]) {
    this.#spec = spec
    this.#lanes = lanes
  }

  get done(): boolean {
    return this.#next >= this.#spec.queries.length
  }

  sendDue(): void {
    const nowMs = performance.now()
    for (;;) {
      const query = this.#spec.queries[this.#next]
      const dueMs = this.#startMs + (this.#next * 1000) / this.#spec.queriesPerSecond
      if (query === undefined || dueMs > nowMs) return
      if (nowMs - dueMs > 20) this.lateSends += 1
      this.lagMaxMs = Math.max(this.lagMaxMs, nowMs - dueMs)
      this.#lanes[this.#next % this.#lanes.length]?.send(query, dueMs)
      this.#next += 1
    }
  }
}

/** One socket and the queries that are out on it. */
class Lane {
  readonly records: LoadRecord[] = []
  readonly #client: UdpClient
  readonly #waiting = new Map<number, Waiting>()
  #id = Math.floor(Math.random() * 65536)

  private constructor(client: UdpClient) {
    this.#client = client
    client.socket.removeAllListeners('message')
    client.socket.on('message', (reply) => this.#receive(reply))
  }

  static async open(server: Server): Promise<Lane> {
    return new Lane(await UdpClient.open(server))
  }

  get idle(): boolean {
    return this.#waiting.size === 0
  }

  send(query: LoadQuery, dueMs: number): void {
    this.#id = (this.#id + 1) & 0xffff
    this.#waiting.set(this.#id, { query, dueMs, sentMs: performance.now() })
    this.#client.send(writeQuery(query.name, query.type, { id: this.#id }))
  }

  giveUpBefore(sentBeforeMs: number): void {
    for (const [id, waiting] of this.#waiting) {
      if (waiting.sentMs > sentBeforeMs) return
      this.#waiting.delete(id)
      this.#record(waiting, 'lost')
    }
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  #receive(reply: Buffer): void {
    const id = reply.readUInt16BE(0)
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    this.#record(waiting, judge(waiting.query, reply))
  }

  #record({ query, dueMs, sentMs }: Waiting, verdict: Verdict): void {
    this.records.push({
      group: query.group,
      name: query.name,
      sentMs: performance.timeOrigin + sentMs,
      latencyMs: performance.now() - dueMs,
      verdict,
    })
  }
}

function judge(query: LoadQuery, reply: Buffer): Verdict {
  try {
    const message = readMessage(reply)
    if (message.rcode === 2) return 'servfail'
    const named = message.questions[0]?.name.toLowerCase() === `${query.name.toLowerCase()}.`
    const hasData =
      query.data === undefined || message.answers.some((record) => record.data === query.data)
    return message.qr && named && hasData && message.rcode === query.rcode ? 'right' : 'wrong'
  } catch {
    return 'wrong'
  }
}

export interface Tally {
  readonly sent: number
  readonly right: number
  readonly wrong: number
  readonly servfail: number
  readonly lost: number
  /** Of all queries: a lost one counts with the time that its client waited. NaN when there are none. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Counts and percentiles. */
export function tally(records: readonly LoadRecord[]): Tally {
  const count = (verdict: Verdict) => records.filter((record) => record.verdict === verdict).length
  const latencies = records.map((record) => record.latencyMs).toSorted((a, b) => a - b)
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? Number.NaN
  return {
    sent: records.length,
    right: count('right'),
    wrong: count('wrong'),
    servfail: count('servfail'),
    lost: count('lost'),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  }
}

/** A tally as one line for the test's output. */
export function tallyText(label: string, t: Tally): string {
  const ms = (value: number) => value.toFixed(1)
  return `${label}: ${t.sent} sent, ${t.right} right, ${t.wrong} wrong, ${t.servfail} servfail, ${t.lost} lost; p50 ${ms(t.p50Ms)} p99 ${ms(t.p99Ms)} max ${ms(t.maxMs)} ms`
}
