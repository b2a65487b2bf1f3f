/** Numbers as the daemon's parts would have them, and a scrape over them, for the tests in this folder. */
import { type ReplyFacts, ReplySource } from '../../src/core/facts.ts'
import { allFamilies, emptySources, type MetricSources } from '../../src/observe/families/all.ts'
import type { Family } from '../../src/observe/families/family.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { QueryCounters } from '../../src/observe/query-counters.ts'
import type {
  CacheView,
  GroupView,
  InFlightView,
  TcpView,
  UdpView,
  UpstreamView,
} from '../../src/observe/stats.ts'
import { durationSlots } from '../../src/platform/duration-buckets.ts'
import { readExposition, type ScrapedFamily } from '../support/exposition.ts'

export const server = 'dns://169.254.20.10:53'

/** A hit for a cluster name. */
export const facts: ReplyFacts = {
  serverIndex: 0,
  zoneIndex: 1,
  transport: 0,
  family: 4,
  qtype: 1,
  rcode: 0,
  source: ReplySource.cacheSuccess,
  queryBytes: 60,
  replyBytes: 120,
  dnssecOk: true,
  tookMs: 0.2,
}

/** Counters of one address and the zones `.` and `cluster.local.`; all else is empty unless given. */
export function sourcesWith(more: Partial<MetricSources>): MetricSources {
  const counters = new QueryCounters([server], ['.', 'cluster.local.'])
  return { ...emptySources(), counters: () => counters, ...more }
}

/** Writes all families of these sources and reads the text back. */
export function scrape(sources: MetricSources): Promise<Map<string, ScrapedFamily>> {
  return scrapeOf(allFamilies(sources))
}

/** The same for some families. */
export async function scrapeOf(families: readonly Family[]): Promise<Map<string, ScrapedFamily>> {
  const metrics = new Metrics()
  metrics.add(families)
  return readExposition((await metrics.scrape()).body)
}

/** Every series of a family as `{label: value, ...}` and its value. */
export function seriesIn(
  families: ReadonlyMap<string, ScrapedFamily>,
  name: string,
): (readonly [labels: Record<string, string>, value: number])[] {
  return (families.get(name)?.series ?? []).map(
    ({ labels, value }) => [Object.fromEntries(labels), value] as const,
  )
}

export function upstream(address: string, more: Partial<UpstreamView> = {}): UpstreamView {
  return {
    group: 'cluster',
    address,
    transport: 'tcp',
    isUp: true,
    connections: 4,
    connectionsHeld: 3,
    roundTripMs: 1.5,
    counters: {
      repliesByRcode: Float64Array.of(7, 0, 2, 1, ...new Array<number>(21).fill(0)),
      durations: new Float64Array(25 * durationSlots).fill(1, 0, durationSlots),
      mismatches: { id: 3, question: 0 },
      failures: { refused: 5, overloaded: 100, closed: 100 },
      sent: 12,
      aside: 5,
      trials: 1,
      lateReplies: 2,
      truncated: 0,
      waits: { client: 1 },
      silences: 1,
      connectionsOpened: 6,
      connectionsReused: 9,
    },
    ...more,
  }
}

export const group: GroupView = {
  name: 'cluster',
  counters: {
    questions: 20,
    hedges: 3,
    hedgesWon: 2,
    overtakes: 9,
    retries: 4,
    budgetRefusals: 1,
    timeouts: 5,
    unreachable: 6,
    malformed: 7,
    overloaded: 8,
  },
}

export const cache: CacheView = {
  bytes: 5000,
  settings: { entriesMax: 50_000, bytesMax: 33_554_432 },
  stats: {
    entriesSuccess: 3,
    entriesDenial: 2,
    evictionsSuccess: 1,
    evictionsDenial: 4,
    refused: 6,
    passedOver: 7,
  },
}

export const inFlight: InFlightView = {
  stats: { questions: 2, waiters: 5, joined: 3, refused: 1 },
  refusals: { questions: { client: 4, domain: 1 }, waiters: { all: 2 } },
}

export const udp: UdpView = {
  address: '127.0.0.1:53',
  io: { mode: 'portable', fallback: 'kernel' },
  stats: {
    received: 10,
    sent: 9,
    sendErrors: new Map([['EPERM', 2]]),
    queueDrops: 1,
    unsendable: 3,
    socketErrors: new Map(),
    receiveBufferBytes: 4_194_304,
  },
}

export const tcp: TcpView = {
  address: '[::1]:53',
  stats: {
    accepted: 4,
    open: 1,
    refused: 2,
    closed: { peer: 3, idle: 0 },
    received: 8,
    sent: 8,
    acceptErrors: new Map([['EMFILE', 1]]),
  },
}
