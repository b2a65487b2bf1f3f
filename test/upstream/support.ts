/** An exchange for tests: settings that can be changed one by one, groups from fake upstreams, outcomes as promises. */
import type { UpstreamTransport } from '../../src/address/upstream-url.ts'
import type { Ask, ExchangeFailure, Outcome } from '../../src/core/ports.ts'
import { claimFor } from '../../src/core/sharing/claim.ts'
import { type ExchangeOptions, UpstreamExchange } from '../../src/upstream/exchange.ts'
import type {
  ExchangeSettings,
  GroupConfig,
  StreamSettings,
  UpstreamAddress,
} from '../../src/upstream/settings.ts'
import { upstreamQuery } from '../../src/wire/query.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import type { FakeUpstream } from './fake-upstream.ts'

export const settings: ExchangeSettings = {
  policy: 'sequential',
  deadlineMs: 4500,
  silenceMs: 3000,
  hedge: { minMs: 50, maxMs: 250, percentile: 95 },
  timeout: { minMs: 500, maxMs: 1500 },
  retryBudgetPercent: 20,
  attemptsMax: 4,
  failover: true,
  workaroundSeconds: 900,
  stream: {
    connections: 4,
    connectionsMax: 96,
    slowAfterMs: 5,
    slowOverUdp: true,
    slowNamesMax: 1024,
    queriesPerConnection: 8,
    burstPerConnection: 64,
    queueMax: 5000,
    idleMs: 8000,
    freshSilentMs: 2500,
    ageMaxMs: 60_000,
    connectTimeoutMs: 1000,
  },
  udp: { socketsMax: 2048, queueMax: 5000 },
}

/** For counts of queries: an upstream that gets its query 100 ms late, on a busy machine, answers after a hedge at 250 ms. */
export const lateHedge: Partial<ExchangeSettings> = {
  hedge: { ...settings.hedge, minMs: 4000, maxMs: 4000 },
}

export function withStream(changes: Partial<StreamSettings>): Partial<ExchangeSettings> {
  return { stream: { ...settings.stream, ...changes } }
}

export function addressOf(
  upstream: FakeUpstream,
  transport: UpstreamTransport,
  tlsName?: string,
): UpstreamAddress {
  const { host: address, port } = upstream
  const family = address.includes(':') ? 6 : 4
  return { transport, address, port, family, ...(tlsName === undefined ? {} : { tlsName }) }
}

/** A group named `test`. */
export function groupOf(
  transport: UpstreamTransport,
  upstreams: readonly FakeUpstream[],
  changes: Partial<ExchangeSettings> = {},
): GroupConfig {
  return {
    name: 'test',
    upstreams: upstreams.map((upstream) => addressOf(upstream, transport)),
    // Resolvers over UDP are an order, endpoints of the cluster over TCP are equals.
    settings: { ...settings, policy: transport === 'udp' ? 'sequential' : 'spread', ...changes },
  }
}

/** What an outcome said, kept beyond its callback. */
export interface Told {
  readonly rcode: number | undefined
  /** First A record behind the question. */
  readonly address: string | undefined
  readonly upstream: string | undefined
  readonly why: ExchangeFailure | undefined
  readonly tookMs: number
  readonly outcomes: number
  /** Of a run of questions: the longest that this process itself was late. */
  readonly lagMs: number
}

/** @param about what differs from a name outside the cluster */
export function askFor(name: string, group = 'test', about: Partial<Ask> = {}): Ask {
  const query = writeQuery(name, 'A', { id: 0 })
  const options = {
    dnssecOk: false,
    checkingDisabled: false,
    payloadBytes: 1232,
  }
  const frame = upstreamQuery(query, query.length, options)
  return {
    frame,
    questionEnd: query.length,
    group,
    mayRecurse: true,
    claim: claimFor('192.0.2.1', frame, 0),
    ...about,
  }
}

export function ask(
  exchange: UpstreamExchange,
  name: string,
  group = 'test',
  about: Partial<Ask> = {},
): Promise<Told> {
  const startMs = performance.now()
  return new Promise((resolve, reject) => {
    let outcomes = 0
    let hasReturned = false
    exchange.start(askFor(name, group, about), {
      onOutcome(asked, outcome) {
        if (!hasReturned) reject(new Error('outcome before start returned'))
        if (++outcomes > 1) throw new Error(`second outcome for ${name}`)
        const told = tell(asked, outcome)
        resolve({ ...told, tookMs: performance.now() - startMs, outcomes, lagMs: 0 })
      },
    })
    hasReturned = true
  })
}

function tell(asked: Ask, outcome: Outcome): Omit<Told, 'tookMs' | 'outcomes' | 'lagMs'> {
  if (outcome.kind === 'failed') {
    return { rcode: undefined, address: undefined, upstream: undefined, why: outcome.why }
  }
  const { reply, scan, upstream } = outcome
  const at = asked.questionEnd + 12
  const address = scan.answers > 0 ? [...reply.subarray(at, at + 4)].join('.') : undefined
  return { rcode: scan.rcode, address, upstream, why: undefined }
}

/** Runs `body` with an exchange, and stops it and the upstreams afterwards, whatever happened. */
export async function withExchange(
  groups: readonly GroupConfig[],
  upstreams: readonly FakeUpstream[],
  body: (exchange: UpstreamExchange) => Promise<void>,
  options: ExchangeOptions = {},
): Promise<void> {
  const exchange = new UpstreamExchange(groups, options)
  try {
    await body(exchange)
  } finally {
    exchange.stop()
    for (const upstream of upstreams) await upstream.stop()
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Asks names of their own at a steady rate, whatever becomes of the earlier ones. */
export async function askSteadily(
  exchange: UpstreamExchange,
  load: { readonly perSecond: number; readonly forMs: number; readonly prefix?: string },
): Promise<Told[]> {
  const { perSecond, forMs, prefix = 'q' } = load
  const told: Promise<Told>[] = []
  const startMs = performance.now()
  let lagMs = 0
  let beforeMs = startMs
  // Beats on while the last answers are awaited.
  const beat = setInterval(() => {
    const nowMs = performance.now()
    lagMs = Math.max(lagMs, nowMs - beforeMs - 5)
    beforeMs = nowMs
  }, 5)
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs = performance.now() - startMs) {
    while (told.length < (elapsedMs * perSecond) / 1000) {
      told.push(ask(exchange, `${prefix}${told.length}.example`))
    }
    await pause(5)
  }
  const outcomes = await Promise.all(told)
  clearInterval(beat)
  return outcomes.map((one) => ({ ...one, lagMs }))
}

export function failuresIn(told: readonly Told[]): readonly Told[] {
  return told.filter((one) => one.rcode !== 0)
}

/**
 * How long all but the slowest took, less what a busy machine has added: a bound is about the exchange.
 * @param share 0.5 is the median
 */
export function quantileMs(told: readonly Told[], share: number): number {
  const sorted = told.map((one) => one.tookMs).toSorted((a, b) => a - b)
  const tookMs = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return tookMs - Math.max(0, ...told.map((one) => one.lagMs))
}
