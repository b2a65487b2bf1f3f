/** Stand-ins for what the shells count, for the tests in this folder. */
import type {
  CacheView,
  GroupView,
  InFlightView,
  TcpView,
  UdpView,
  UpstreamView,
} from '../../src/observe/stats.ts'
import { durationSlots } from '../../src/platform/duration-buckets.ts'

export function upstream(address: string, more: Partial<UpstreamView> = {}): UpstreamView {
  return {
    group: 'cluster',
    address,
    transport: 'tcp',
    isUp: true,
    connections: 4,
    roundTripMs: 1.5,
    counters: {
      repliesByRcode: Float64Array.of(7, 0, 2, 1, ...new Array<number>(21).fill(0)),
      durations: new Float64Array(25 * durationSlots).fill(1, 0, durationSlots),
      mismatches: { id: 3, question: 0 },
      failures: { refused: 5, overloaded: 100, closed: 100 },
      sent: 12,
      trials: 1,
      lateReplies: 2,
      truncated: 0,
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
  },
}

export const inFlight: InFlightView = {
  stats: { questions: 2, waiters: 5, joined: 3, refused: 1 },
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
