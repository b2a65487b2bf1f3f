/** Turns runs into medians, and medians into a table: what is printed, and what is kept as JSON. Pure. */
import { isSaturated, type Run } from '../support/contest.ts'
import type { Absence } from '../support/field.ts'
import type { FirstAnswers } from '../support/first-answers.ts'
import type { Load, ScenarioName } from '../support/scenarios.ts'
import { median, significant } from '../support/statistics.ts'
import type { Circumstances } from './record.ts'
import type { Row } from './table.ts'

/** Medians over the valid runs of one contestant under one load. */
export interface Summary {
  readonly contestant: string
  readonly load: Load
  readonly runs: number
  readonly invalidRuns: number
  readonly cpuUsPerQuery: number
  readonly userUsPerQuery: number
  readonly systemUsPerQuery: number
  readonly queriesPerSecond: number
  /** At saturation: the contestant's CPU was the limit, and not the load or the authority. */
  readonly isSaturated: boolean
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly lost: number
  readonly rssBytes: number
}

export interface ScenarioResult {
  readonly name: ScenarioName
  readonly about: string
  readonly summaries: readonly Summary[]
  readonly absent: readonly Absence[]
  readonly idleRssBytes: Readonly<Record<string, number>>
  readonly runs: readonly Run[]
}

export interface ContestantFacts {
  readonly name: string
  readonly about: string
  readonly version: string
}

export interface BenchResult extends Circumstances {
  readonly isQuick: boolean
  readonly rounds: number
  readonly secondsPerRun: number
  readonly contestants: readonly ContestantFacts[]
  /** Contestants whose programs this machine lacks. */
  readonly missing: readonly Absence[]
  readonly scenarios: readonly ScenarioResult[]
  readonly firstAnswers: readonly FirstAnswers[]
}

/** One summary for each load and contestant, in that order; contestants as `order` has them. */
export function summarise(runs: readonly Run[], order: readonly string[]): Summary[] {
  const loads = [...new Set(runs.map(({ load }) => load))]
  return loads.flatMap((load) =>
    order.flatMap((contestant) => {
      const own = runs.filter((run) => run.contestant === contestant && run.load === load)
      return own.length === 0 ? [] : [summary(own, contestant, load)]
    }),
  )
}

function summary(all: readonly Run[], contestant: string, load: Load): Summary {
  const valid = all.filter(({ invalid }) => invalid.length === 0)
  const middle = (read: (run: Run) => number) => significant(median(valid.map(read)))
  return {
    contestant,
    load,
    runs: all.length,
    invalidRuns: all.length - valid.length,
    cpuUsPerQuery: middle((run) => run.cpuUsPerQuery),
    userUsPerQuery: middle((run) => run.userUsPerQuery),
    systemUsPerQuery: middle((run) => run.systemUsPerQuery),
    queriesPerSecond: Math.round(median(valid.map((run) => run.queriesPerSecond))),
    isSaturated: valid.length > 0 && valid.every(isSaturated),
    p50Us: middle(({ p50Us }) => p50Us),
    p99Us: middle(({ p99Us }) => p99Us),
    p999Us: middle(({ p999Us }) => p999Us),
    lost: all.reduce((sum, { lost }) => sum + lost, 0),
    rssBytes: median(all.map(({ rssBytes }) => rssBytes)),
  }
}

/** Neither half of its runs counted: the figures of this row mean nothing. */
export function isUsable({ runs, invalidRuns }: Summary): boolean {
  return invalidRuns * 2 < runs
}

export const tableHead: Row = [
  'load',
  'server',
  'CPU us',
  'user',
  'system',
  'q/s',
  'p50 us',
  'p99 us',
  'p99.9 us',
  'lost',
  'runs',
  'RSS MB',
  'CPU ratio',
  'q/s ratio',
  'p99 ratio',
]

/** A row for each summary; figures that mean nothing are left out. Ratios are neardns's figure divided by the row's. */
export function tableRows(summaries: readonly Summary[]): Row[] {
  return summaries.map((row) => {
    const ours = summaries.find((each) => each.contestant === 'neardns' && each.load === row.load)
    const isOurs = row === ours
    const comparable = ours !== undefined && !isOurs && isUsable(ours) && isUsable(row)
    const compared = (read: (each: Summary) => number) =>
      comparable ? ratioText(read(ours), read(row)) : ''
    return [...figures(row), ...ratios(row, compared)]
  })
}

function figures(row: Summary): Row {
  const shown = isUsable(row) ? (text: string) => text : () => 'invalid'
  const isPaced = row.load !== 'most'
  const latency = (us: number) => (isPaced ? shown(fixed(us, 0)) : '')
  const isBusy = row.cpuUsPerQuery * row.queriesPerSecond > busyUsMin
  return [
    isPaced ? `${row.load.toLocaleString('en-US')} q/s` : 'most',
    row.contestant,
    shown(fixed(row.cpuUsPerQuery, 2)),
    isBusy ? shown(fixed(row.userUsPerQuery, 1)) : '',
    isBusy ? shown(fixed(row.systemUsPerQuery, 1)) : '',
    shown(`${isPaced || row.isSaturated ? '' : '>'}${row.queriesPerSecond}`),
    ...[row.p50Us, row.p99Us, row.p999Us].map(latency),
    String(row.lost),
    `${row.runs - row.invalidRuns}/${row.runs}`,
    fixed(row.rssBytes / 1e6, 0),
  ]
}

/** CPU time in a second below which the kernel's ticks say nothing about user and system. */
const busyUsMin = 200_000

function ratios(row: Summary, compared: (read: (each: Summary) => number) => string): Row {
  const isPaced = row.load !== 'most'
  return [
    compared(({ cpuUsPerQuery }) => cpuUsPerQuery),
    isPaced ? '' : compared(({ queriesPerSecond }) => queriesPerSecond),
    isPaced ? compared(({ p99Us }) => p99Us) : '',
  ]
}

export function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}

function ratioText(value: number, peer: number): string {
  return fixed(value / peer, 2)
}
