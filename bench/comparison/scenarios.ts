/** The loads: which questions, how fast, of which servers. */
import type { Contestant } from '../peers/contestant.ts'
import { type Asked, knownNames, podTraffic, uniqueNames } from '../support/query-mix.ts'

export const scenarioNames = ['hit-1k', 'hit-10k', 'hit-100k', 'miss', 'mixed', 'memory'] as const
export type ScenarioName = (typeof scenarioNames)[number]

/** Queries per second, or as fast as replies come. */
export type Load = number | 'most'

export interface Scenario {
  readonly name: ScenarioName
  readonly about: string
  /** In this order each round. What comes more than once has so many runs more. */
  readonly loads: readonly Load[]
  /** Less than the plan's where a figure needs no repetition. */
  readonly roundsMax?: number
  readonly secondsMin?: number
  readonly ttlMaxSeconds: number
  readonly entriesMax: number
  /** Every so manieth query has EDNS; 0 for none. */
  readonly ednsOneIn: number
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
/**
 * Three runs a round: at 10,000 q/s a 99th percentile is decided by the few milliseconds a second in which a kernel thread takes the
 * CPU, which makes that of the same server twice as high in one run as in the next.
 */
const ratesOfHits = [...rates, 10_000, 10_000]
const anybody = () => true
const notEcho = ({ isEcho }: Contestant) => isEcho !== true

export function makeScenario(name: ScenarioName): Scenario {
  return scenarios[name]
}

const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  'hit-1k': { ...hits('hit-1k', 1000), loads: ['most', ...ratesOfHits] },
  'hit-10k': hits('hit-10k', 10_000),
  'hit-100k': hits('hit-100k', 100_000),
  miss: {
    name: 'miss',
    about: 'names that come once, half of them exist; asked of the upstream over TCP',
    loads: ['most', 1000, 10_000],
    ttlMaxSeconds: nodeLocalTtlSeconds,
    entriesMax: entriesDefault,
    ednsOneIn: 0,
    isWarmed: false,
    suits: ({ forwardsOverTcp }) => forwardsOverTcp,
    asked: uniqueNames,
  },
  mixed: {
    name: 'mixed',
    about: 'look-ups of pods: ndots:5, three search domains, A and AAAA, popularity by Zipf',
    loads: ['most', ...rates],
    ttlMaxSeconds: nodeLocalTtlSeconds,
    entriesMax: mixedEntries,
    ednsOneIn: 2,
    isWarmed: true,
    suits: notEcho,
    asked: () => podTraffic(mixedQuestions, 1),
  },
  memory: {
    ...hits('memory', 20_000),
    about: 'resident memory: idle after the start, and with 20,000 answers at 20,000 q/s',
    loads: [20_000],
    roundsMax: 1,
    secondsMin: 5,
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
