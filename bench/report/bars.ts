/** The bars of the comparison. Pure. */
import type { Load } from '../comparison/loads.ts'
import type { ScenarioName } from '../comparison/scenarios.ts'
import { type ComparisonResult, isUsable, type Summary } from '../comparison/summary.ts'
import { atLeast, atMost, type Verdict } from '../support/bars.ts'

export function comparisonBars(result: ComparisonResult): Verdict[] {
  return [...hitBars(result), ...missBars(result), ...processBars(result)]
}

const hits: Place = { scenario: 'hit-1k', load: 'most' }
export const pacedHits: Place = { scenario: 'hit-1k', load: 10_000 }
const manyHits: Place = { scenario: 'hit-100k', load: 'most' }
export const misses: Place = { scenario: 'miss', load: 'most' }
const cpuOf = (row: Summary | undefined) => row?.cpuUsPerQuery

function hitBars(result: ComparisonResult): Verdict[] {
  const cpu = (peer: string) => ratio(result, hits, peer, (row) => row.cpuUsPerQuery)
  const rate = ratio(result, hits, 'unbound', (row) => row.queriesPerSecond)
  const p99 = ratio(result, pacedHits, 'unbound', (row) => row.p99Us)
  const [many, few] = [manyHits, hits].map((place) => cpuOf(summaryAt(result, place, 'neardns')))
  const hit = 'hit at saturation, CPU per query,'
  return [
    ratioAtMost(`${hit} to unbound's`, 0.95, cpu('unbound')),
    ratioAtMost(`${hit} to dnsdist's`, 0.95, cpu('dnsdist')),
    ratioAtMost(`${hit} to CoreDNS's`, 0.35, cpu('coredns')),
    ratioAtMost(`${hit} to the echo limit's`, 1.4, cpu('echo')),
    ratioAtLeast("hit at saturation, q/s, to unbound's", 1, rate),
    ratioAtMost("hit at 10,000 q/s, p99, to unbound's", 1.2, p99),
    ratioAtMost('CPU per hit, 100,000 names to 1,000', 1.25, quotient(many, few)),
  ]
}

function missBars(result: ComparisonResult): Verdict[] {
  const cpu = ratio(result, misses, 'coredns', (row) => row.cpuUsPerQuery)
  const rate = ratio(result, misses, 'coredns', (row) => row.queriesPerSecond)
  return [
    ratioAtMost("miss over TCP, CPU per query, to CoreDNS's", 0.5, cpu),
    ratioAtLeast("miss over TCP, q/s, to CoreDNS's", 2, rate),
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
    atMost('first answer after exec, median', 250, first, 'ms'),
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

function ratio(
  result: ComparisonResult,
  place: Place,
  peer: string,
  read: (row: Summary) => number,
): number | undefined {
  const [ours, theirs] = ['neardns', peer].map((name) => summaryAt(result, place, name))
  return quotient(ours && read(ours), theirs && read(theirs))
}

function quotient(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b
}
