/** The bars of the comparison. Pure. */
import type { Run } from '../comparison/contest.ts'
import type { Load } from '../comparison/loads.ts'
import type { ScenarioName } from '../comparison/scenarios.ts'
import {
  type ComparisonResult,
  isUsable,
  ratioSpread,
  type Summary,
} from '../comparison/summary.ts'
import { atLeast, atMost, type Verdict } from '../support/bars.ts'

export function comparisonBars(result: ComparisonResult): Verdict[] {
  return [...hitBars(result), ...missBars(result), ...processBars(result)]
}

const hits: Place = { scenario: 'hit-1k', load: 'most' }
const narrowHits: Place = { scenario: 'hit-1k', load: 'most-16' }
const manyHits: Place = { scenario: 'hit-100k', load: 'most' }
const rareHits: Place = { scenario: 'hit-1k', load: 1000 }
export const pacedHits: Place = { scenario: 'hit-1k', load: 10_000 }
export const misses: Place = { scenario: 'miss', load: 'most' }
const rareMisses: Place = { scenario: 'miss', load: 1000 }
const pacedMisses: Place = { scenario: 'miss', load: 10_000 }
const rarePods: Place = { scenario: 'mixed', load: 1000 }
const pacedPods: Place = { scenario: 'mixed', load: 10_000 }
const cpu = (run: Run) => run.cpuUsPerQuery
const rate = (run: Run) => run.queriesPerSecond
const p99 = (run: Run) => run.p99Us
const p999 = (run: Run) => run.p999Us

function hitBars(result: ComparisonResult): Verdict[] {
  const to = (place: Place, peer: string, read: (run: Run) => number) =>
    ratio(result, place, peer, read)
  const hit = 'hit at saturation, CPU per query,'
  const growth = quotient(growthOf(result, 'neardns'), growthOf(result, 'unbound'))
  return [
    ratioAtMost(`${hit} to unbound's`, 0.7, to(hits, 'unbound', cpu)),
    ratioAtMost(`${hit} 16 out, to unbound's`, 0.85, to(narrowHits, 'unbound', cpu)),
    ratioAtMost(`${hit} to dnsdist's`, 0.95, to(hits, 'dnsdist', cpu)),
    ratioAtMost(`${hit} to CoreDNS's`, 0.35, to(hits, 'coredns', cpu)),
    ratioAtMost(`${hit} to the echo limit's`, 1.4, to(hits, 'echo', cpu)),
    ratioAtLeast("hit at saturation, q/s, to unbound's", 1, to(hits, 'unbound', rate)),
    ratioAtMost("hit at 10,000 q/s, p99, to unbound's", 1.1, to(pacedHits, 'unbound', p99)),
    ratioAtMost("hit at 1,000 q/s, CPU, to unbound's", 1.25, to(rareHits, 'unbound', cpu)),
    ratioAtMost("hit at 10,000 q/s, CPU, to unbound's", 1.15, to(pacedHits, 'unbound', cpu)),
    ratioAtMost("CPU per hit, 100,000 names to 1,000, to unbound's growth", 1, growth),
  ]
}

function missBars(result: ComparisonResult): Verdict[] {
  const to = (place: Place, peer: string, read: (run: Run) => number) =>
    ratio(result, place, peer, read)
  const miss = 'miss over TCP, CPU per query,'
  return [
    ratioAtMost(`${miss} to unbound's`, 0.8, to(misses, 'unbound', cpu)),
    ratioAtMost(`${miss} to dnsdist's`, 0.95, to(misses, 'dnsdist', cpu)),
    ratioAtMost(`${miss} to CoreDNS's`, 0.33, to(misses, 'coredns', cpu)),
    ratioAtLeast("miss over TCP, q/s, to CoreDNS's", 2, to(misses, 'coredns', rate)),
    ratioAtMost("miss at 10,000 q/s, p99, to unbound's", 2, to(pacedMisses, 'unbound', p99)),
    ratioAtMost("miss at 10,000 q/s, p99.9, to unbound's", 1.5, to(pacedMisses, 'unbound', p999)),
    ratioAtMost("miss at 1,000 q/s, CPU, to unbound's", 1.2, to(rareMisses, 'unbound', cpu)),
    ratioAtMost("miss at 10,000 q/s, CPU, to unbound's", 1.15, to(pacedMisses, 'unbound', cpu)),
    ratioAtMost("pods at 1,000 q/s, p99, to unbound's", 1.5, to(rarePods, 'unbound', p99)),
    ratioAtMost("pods at 10,000 q/s, p99, to unbound's", 1.5, to(pacedPods, 'unbound', p99)),
  ]
}

function processBars({ scenarios, firstAnswers }: ComparisonResult): Verdict[] {
  const memory = scenarios.find(({ name }) => name === 'memory')
  const idle = memory?.idleRssBytes['neardns']
  const full = memory?.summaries.find(({ contestant }) => contestant === 'neardns')?.rssBytes
  const first = firstAnswers.find(({ contestant }) => contestant === 'neardns')?.medianMs
  const megabytes = (bytes?: number) => (bytes === undefined ? undefined : bytes / 1e6)
  return [
    atMost('RSS, idle', 72, megabytes(idle), 'MB'),
    atMost('RSS, 20,000 answers at 20,000 q/s', 100, megabytes(full), 'MB'),
    atMost('CPU, idle, a second', 0.5, memory?.idleCpuMs?.['neardns'], 'ms'),
    atMost('first answer after exec, median', 200, first, 'ms'),
  ]
}

function ratioAtMost(what: string, bar: number, measured: number | undefined): Verdict {
  return atMost(what, bar, measured, 'x')
}

function ratioAtLeast(what: string, bar: number, measured: number | undefined): Verdict {
  return atLeast(what, bar, measured, 'x')
}

/** Which row of which scenario. */
export interface Place {
  readonly scenario: ScenarioName
  readonly load: Load
}

/** @returns undefined too when none of its runs counted */
export function summaryAt(
  { scenarios }: ComparisonResult,
  { scenario, load }: Place,
  contestant: string,
): Summary | undefined {
  const { summaries = [] } = scenarios.find(({ name }) => name === scenario) ?? {}
  return summaries.find(
    (row) => row.load === load && row.contestant === contestant && isUsable(row),
  )
}

/** The median of the rounds' ratios: what disturbs a round disturbs both. */
function ratio(
  result: ComparisonResult,
  place: Place,
  peer: string,
  read: (run: Run) => number,
): number | undefined {
  const rows = ['neardns', peer].map((name) => summaryAt(result, place, name))
  if (rows.includes(undefined)) return undefined
  const { runs = [] } = result.scenarios.find(({ name }) => name === place.scenario) ?? {}
  return ratioSpread(runs, place.load, ['neardns', peer], read)?.median
}

/** @returns CPU per hit with 100,000 names to that with 1,000; undefined when one of them was not measured */
export function growthOf(result: ComparisonResult, contestant: string): number | undefined {
  const [few, many] = [hits, manyHits].map((place) => summaryAt(result, place, contestant))
  return quotient(many?.cpuUsPerQuery, few?.cpuUsPerQuery)
}

function quotient(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b
}
