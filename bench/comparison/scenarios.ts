/** The loads: which questions, how fast, of which servers. */
import type { Contestant } from '../peers/contestant.ts'
import { type Asked, knownNames, podTraffic, uniqueNames } from '../support/query-mix.ts'
import type { Load } from './loads.ts'

export const scenarioNames = [
  'hit-1k',
  'hit-10k',
  'hit-100k',
  'miss',
  'mixed',
  'miss-free',
  'mixed-free',
  'miss-stall',
  'memory',
] as const
export type ScenarioName = (typeof scenarioNames)[number]

export interface Scenario {
  readonly name: ScenarioName
  readonly about: string
  /** In this order each round. */
  readonly loads: readonly Load[]
  /** Less than the plan's where a figure needs no repetition. */
  readonly roundsMax?: number
  readonly secondsMin?: number
  readonly ttlMaxSeconds: number
  readonly entriesMax: number
  /** Every so manieth query has EDNS; 0 for none. */
  readonly ednsOneIn: number
  /** Servers may run on both CPUs, of which the load and the upstream have one as well. */
  readonly isFree?: boolean
  /** There are two upstreams, of which one answers nothing for half of each run. */
  readonly isStalling?: boolean
  /** Until a server counts as idle; then its CPU time is counted for as long. */
  readonly idleMs?: number
  /** Asked by one contestant after another until all answers are cached. */
  readonly isWarmed: boolean
  suits(contestant: Contestant): boolean
  asked(): readonly Asked[]
}

/** Longer than the bench: nothing expires while it is asked for. */
const hitTtlSeconds = 3600
const nodeLocalTtlSeconds = 30
/** NodeLocal DNSCache's capacity, nearly. */
const entriesDefault = 10_000
const mixedQuestions = 100_000
/** Twice the questions that differ: CoreDNS counts denials apart and must not have more room than the others. */
const mixedEntries = 40_000
const rates = [1000, 10_000, 50_000]
/** Its endpoint is what differs, and hits show that. */
const portable = 'neardns-portable'
const anybody = () => true
const notEcho = ({ isEcho }: Contestant) => isEcho !== true

const miss: Scenario = {
  name: 'miss',
  about: 'names that come once, half of them exist; asked of the upstream over TCP',
  loads: [],
  ttlMaxSeconds: nodeLocalTtlSeconds,
  entriesMax: entriesDefault,
  ednsOneIn: 0,
  isWarmed: false,
  suits: ({ name, forwardsOverTcp }) => forwardsOverTcp && name !== portable,
  asked: uniqueNames,
}

const mixed: Scenario = {
  name: 'mixed',
  about: 'look-ups of pods: ndots:5, three search domains, A and AAAA, popularity by Zipf',
  loads: [],
  ttlMaxSeconds: nodeLocalTtlSeconds,
  entriesMax: mixedEntries,
  ednsOneIn: 2,
  isWarmed: true,
  suits: ({ name, isEcho }) => isEcho !== true && name !== portable,
  asked: () => podTraffic(mixedQuestions, 1),
}

/** The servers that matter on a node: more would take the time of the rest. */
const free = {
  loads: [1000, 10_000],
  isFree: true,
  roundsMax: 3,
  suits: ({ name }: Contestant) => ['neardns', 'unbound', 'coredns'].includes(name),
} as const

const stallingNames = ['neardns', 'unbound', 'dnsdist', 'coredns', 'node-cache']

export function makeScenario(name: ScenarioName): Scenario {
  return scenarios[name]
}

const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  'hit-1k': { ...hits('hit-1k', 1000), loads: ['most', 'most-16', 'most-1', ...rates] },
  'hit-10k': { ...hits('hit-10k', 10_000), roundsMax: 3 },
  'hit-100k': hits('hit-100k', 100_000),
  miss: { ...miss, loads: ['most', 'most-16', 1000, 10_000] },
  mixed: { ...mixed, loads: ['most', 'most-16', 1000, 10_000] },
  'miss-free': {
    ...miss,
    ...free,
    name: 'miss-free',
    about: `${miss.about}; servers may run on both CPUs, of which load and upstream share one`,
  },
  'mixed-free': {
    ...mixed,
    ...free,
    name: 'mixed-free',
    about: `${mixed.about}; servers may run on both CPUs, of which load and upstream share one`,
  },
  'miss-stall': {
    ...miss,
    name: 'miss-stall',
    about:
      'names that come once, two upstreams, of which one answers nothing for half of each run; what is lost or fails counts here',
    loads: [1000],
    isStalling: true,
    suits: ({ name }) => stallingNames.includes(name),
  },
  memory: {
    ...hits('memory', 20_000),
    about: 'resident memory: idle after the start, and with 20,000 answers at 20,000 q/s',
    loads: [20_000],
    roundsMax: 1,
    secondsMin: 5,
    idleMs: 40_000,
    suits: notEcho,
  },
}

function hits(name: ScenarioName, names: number): Scenario {
  return {
    name,
    about: `${names.toLocaleString('en-US')} names, all cached`,
    loads: ['most'],
    ttlMaxSeconds: hitTtlSeconds,
    // Hash shards fill unevenly: twice the names, so that none is evicted.
    entriesMax: Math.max(entriesDefault, 2 * names),
    ednsOneIn: 0,
    isWarmed: true,
    suits: anybody,
    asked: () => knownNames(names),
  }
}
