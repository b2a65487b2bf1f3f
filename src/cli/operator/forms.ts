/**
 * What the replies of a daemon look like, as one example of each: the compiler sees to it that an example has all that its type has. Another
 * program, or an older daemon, may answer in its place, and its reply must not be taken for one.
 */
import type { EntryView } from '../../core/cache/listing.ts'
import type { DecisionView } from '../../core/explanation-view.ts'
import type { ConfigReport } from '../../daemon/operator/config-call.ts'
import type { FlightView } from '../../observe/live/flight-recorder.ts'
import type { Sketches, TailPage } from '../../observe/live/query-watch.ts'
import type { Summary } from './numbers.ts'

/** What the commands print of an entry. */
export type EntryLine = Omit<EntryView, 'group'>
export interface EntryList {
  readonly entries: readonly EntryLine[]
  readonly meant: number
  readonly kept: number
}
export interface FlushReport {
  readonly answers: number
  readonly failures: number
  readonly questions: number
}
export interface LoadReport {
  readonly answers: number
  readonly known: number
  readonly expired: number
  readonly refused: number
}
export interface FlightReport {
  readonly queries: readonly FlightView[]
}
export interface Explained {
  readonly decision: Pick<DecisionView, 'rcode' | 'records'>
}
export interface Live extends Summary, Sketches {}

/** @returns whether the value has all that the example has, of the same kinds. What is null or undefined there, may be anything. */
export function hasForm(value: unknown, example: unknown): boolean {
  if (example === null || example === undefined) return true
  if (typeof example !== 'object') return typeof value === typeof example
  if (Array.isArray(example))
    return Array.isArray(value) && value.every((one) => hasForm(one, example[0]))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const fields = new Map<string, unknown>(Object.entries(value))
  return Object.entries(example).every(([key, one]) => hasForm(fields.get(key), one))
}

const entry: EntryLine = {
  name: '',
  type: 0,
  dnssecOk: false,
  checkingDisabled: false,
  kind: 'answer',
  zone: '',
  ageSeconds: 0,
  leftSeconds: 0,
  hits: 0,
  bytes: 0,
}
const sending: FlightView['sendings'][number] = {
  upstream: '',
  why: '',
  proto: 'udp',
  afterMs: 0,
  queuedMs: undefined,
  endMs: undefined,
  rcode: undefined,
  lostTo: undefined,
}
const flight: FlightView = {
  atMs: 0,
  name: '',
  type: 0,
  client: '',
  clientPort: 0,
  proto: 'udp',
  rcode: '',
  source: '',
  ede: 0,
  tookMs: 0,
  waitedMs: 0,
  isJoined: false,
  group: undefined,
  sendings: [sending],
  answeredBy: undefined,
  count: 0,
}
const summary: Summary = {
  version: '',
  atMs: 0,
  upSeconds: 0,
  notReady: [''],
  listening: [''],
  intercepted: [''],
  wanted: [''],
  queries: 0,
  drops: 0,
  bySource: {},
  byRcode: {},
  durations: [0],
  searchLevel: '',
  spared: 0,
  cache: { answers: 0, denials: 0, bytes: 0, bytesMax: 0, evictions: 0 },
  inFlight: { questions: 0, questionsMax: 0, waiters: 0, refused: 0 },
  upstreams: [
    { group: '', name: '', isUp: true, inFlight: 0, roundTripMs: 0, sent: 0, failures: 0 },
  ],
  kernelHits: { off: '', interfaces: 0, entries: 0, answered: 0 },
  rssBytes: 0,
  memoryLimitBytes: 0,
  cpuMs: 0,
  reload: { isLastGood: true, appliedSeconds: 0 },
  workers: 0,
  missing: 0,
}
const live: Live = {
  ...summary,
  names: [{ key: '', perSecond: 0 }],
  clients: [{ key: '', perSecond: 0 }],
  slowest: [{ key: '', maxMs: 0, meanMs: 0 }],
}
const config: ConfigReport = { settings: [{ path: '', value: '', from: '' }], more: 0 }
const tail: TailPage = {
  lines: [
    {
      atMs: 0,
      client: '',
      proto: 'udp',
      name: '',
      type: 0,
      rcode: '',
      source: '',
      tookUs: 0,
      upstream: '',
    },
  ],
  lost: 0,
}
const entries: EntryList = { entries: [entry], meant: 0, kept: 0 }
const flushed: FlushReport = { answers: 0, failures: 0, questions: 0 }
const loaded: LoadReport = { answers: 0, known: 0, expired: 0, refused: 0 }
const flights: FlightReport = { queries: [flight] }
const explained: Explained = { decision: { rcode: null, records: [''] } }

export const forms = {
  summary,
  live,
  config,
  tail,
  entries,
  flushed,
  loaded,
  flights,
  explained,
} as const
