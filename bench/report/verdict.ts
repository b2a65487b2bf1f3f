/** The bars that the comparison is held against, and whether they were met. Printed, never asserted: a figure is not a test. Pure. */

import type { Load, ScenarioName } from '../support/scenarios.ts'
import { type BenchResult, fixed, isUsable, type Summary } from './results.ts'
import type { Row } from './table.ts'

export interface Bar {
  readonly what: string
  readonly unit: 'x' | 'MB' | 'ms' | '%' | ''
  readonly isAtMost: boolean
  readonly bar: number
  /** Undefined when it was not measured. */
  readonly measured: number | undefined
}

export interface Verdict extends Bar {
  readonly verdict: 'met' | 'not met' | 'not measured'
}

const digitsOf = { x: 2, MB: 0, ms: 1, '%': 2, '': 0 } as const

export const verdictHead: Row = ['bar', 'measured', 'bar is', 'verdict']

export function verdictRow({ what, unit, isAtMost, bar, measured, verdict }: Verdict): Row {
  const suffix = unit === 'x' || unit === '' ? '' : ` ${unit}`
  return [
    what,
    measured === undefined ? '-' : `${fixed(measured, digitsOf[unit])}${suffix}`,
    `${isAtMost ? '<=' : '>='} ${bar}${suffix}`,
    verdict,
  ]
}

export function judge(bar: Bar): Verdict {
  const { measured, isAtMost } = bar
  if (measured === undefined || !Number.isFinite(measured)) {
    return { ...bar, measured: undefined, verdict: 'not measured' }
  }
  const isMet = isAtMost ? measured <= bar.bar : measured >= bar.bar
  return { ...bar, verdict: isMet ? 'met' : 'not met' }
}

export function verdicts(result: BenchResult): Verdict[] {
  return [...hitBars(result), ...missBars(result), ...processBars(result)].map(judge)
}

const hits: Place = { scenario: 'hit-1k', load: 'most' }
export const pacedHits: Place = { scenario: 'hit-1k', load: 10_000 }
const manyHits: Place = { scenario: 'hit-100k', load: 'most' }
export const misses: Place = { scenario: 'miss', load: 'most' }
const cpuOf = (row: Summary | undefined) => row?.cpuUsPerQuery

function hitBars(result: BenchResult): Bar[] {
  const cpu = (peer: string) => ratio(result, hits, peer, (row) => row.cpuUsPerQuery)
  const rate = ratio(result, hits, 'unbound', (row) => row.queriesPerSecond)
  const p99 = ratio(result, pacedHits, 'unbound', (row) => row.p99Us)
  const [many, few] = [manyHits, hits].map((place) => cpuOf(summaryAt(result, place, 'neardns')))
  const hit = 'hit at saturation, CPU per query,'
  return [
    atMost(`${hit} to unbound's`, 0.95, cpu('unbound')),
    atMost(`${hit} to dnsdist's`, 0.95, cpu('dnsdist')),
    atMost(`${hit} to CoreDNS's`, 0.35, cpu('coredns')),
    atMost(`${hit} to the echo limit's`, 1.4, cpu('echo')),
    atLeast("hit at saturation, q/s, to unbound's", 1, rate),
    atMost("hit at 10,000 q/s, p99, to unbound's", 1.2, p99),
    atMost('CPU per hit, 100,000 names to 1,000', 1.25, quotient(many, few)),
  ]
}

function missBars(result: BenchResult): Bar[] {
  const cpu = ratio(result, misses, 'coredns', (row) => row.cpuUsPerQuery)
  const rate = ratio(result, misses, 'coredns', (row) => row.queriesPerSecond)
  return [
    atMost("miss over TCP, CPU per query, to CoreDNS's", 0.5, cpu),
    atLeast("miss over TCP, q/s, to CoreDNS's", 2, rate),
  ]
}

function processBars({ scenarios, firstAnswers }: BenchResult): Bar[] {
  const memory = scenarios.find(({ name }) => name === 'memory')
  const idle = memory?.idleRssBytes['neardns']
  const full = memory?.summaries.find(({ contestant }) => contestant === 'neardns')?.rssBytes
  const first = firstAnswers.find(({ contestant }) => contestant === 'neardns')?.medianMs
  const megabytes = (bytes?: number) => (bytes === undefined ? undefined : bytes / 1e6)
  return [
    { ...atMost('RSS, idle', 72, megabytes(idle)), unit: 'MB' },
    { ...atMost('RSS, 20,000 answers at 20,000 q/s', 100, megabytes(full)), unit: 'MB' },
    { ...atMost('first answer after exec, median', 250, first), unit: 'ms' },
  ]
}

function atMost(what: string, bar: number, measured: number | undefined): Bar {
  return { what, unit: 'x', isAtMost: true, bar, measured }
}

function atLeast(what: string, bar: number, measured: number | undefined): Bar {
  return { what, unit: 'x', isAtMost: false, bar, measured }
}

/** Which row of which scenario. */
export interface Place {
  readonly scenario: ScenarioName
  readonly load: Load
}

/** @returns undefined too when none of its runs counted */
export function summaryAt(
  { scenarios }: BenchResult,
  { scenario, load }: Place,
  contestant: string,
): Summary | undefined {
  const { summaries = [] } = scenarios.find(({ name }) => name === scenario) ?? {}
  return summaries.find(
    (row) => row.load === load && row.contestant === contestant && isUsable(row),
  )
}

function ratio(
  result: BenchResult,
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
