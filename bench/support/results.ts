/** Turns runs into medians, and medians into a table: what is printed, and what is kept as JSON. Pure. */

import { isSaturated, type Run } from './contest.ts'
import { type ContestantName, contestantNames } from './contestants.ts'
import type { Circumstances } from './record.ts'
import type { ScenarioName } from './scenarios.ts'
import { median, significant } from './statistics.ts'
import type { Row } from './table.ts'

/** Medians over the valid runs of one contestant at one rate. */
export interface Summary {
  readonly contestant: ContestantName
  /** Absent: as fast as it answers. */
  readonly rate?: number
  readonly runs: number
  readonly invalidRuns: number
  readonly cpuUsPerQuery: number
  readonly userUsPerQuery: number
  readonly systemUsPerQuery: number
  readonly queriesPerSecond: number
  /** At saturation: the contestant's CPU was the limit, and not the load or the upstream. */
  readonly isSaturated?: boolean
  readonly p50Us?: number
  readonly p99Us?: number
  readonly p999Us?: number
  readonly lost: number
  readonly rssMiB: number
}

export interface ScenarioResult {
  readonly name: ScenarioName
  readonly about: string
  readonly upstream: string
  readonly summaries: readonly Summary[]
  readonly runs: readonly Run[]
}

export interface BenchResult extends Circumstances {
  readonly rounds: number
  readonly secondsPerRun: number
  readonly scenarios: readonly ScenarioResult[]
}

/** One summary for each rate and contestant, in that order. */
export function summarise(runs: readonly Run[]): Summary[] {
  const rates = [...new Set(runs.map(({ rate }) => rate))]
  return rates.flatMap((rate) =>
    contestantNames.flatMap((contestant) => {
      const own = runs.filter((run) => run.contestant === contestant && run.rate === rate)
      return own.length === 0 ? [] : [summary(own, { contestant, ...(rate && { rate }) })]
    }),
  )
}

function summary(
  all: readonly Run[],
  identity: { readonly contestant: ContestantName; readonly rate?: number },
): Summary {
  const valid = all.filter(({ invalid }) => invalid.length === 0)
  const middle = (read: (run: Run) => number) => significant(median(valid.map(read)))
  const latency = (read: (latencies: NonNullable<Run['latencies']>) => number) =>
    middle(({ latencies }) => (latencies ? read(latencies) : Number.NaN))
  return {
    ...identity,
    runs: all.length,
    invalidRuns: all.length - valid.length,
    cpuUsPerQuery: middle((run) => run.userUsPerQuery + run.systemUsPerQuery),
    userUsPerQuery: middle((run) => run.userUsPerQuery),
    systemUsPerQuery: middle((run) => run.systemUsPerQuery),
    queriesPerSecond: Math.round(median(valid.map((run) => run.queriesPerSecond))),
    ...(identity.rate === undefined
      ? { isSaturated: valid.length > 0 && valid.every(isSaturated) }
      : {
          p50Us: latency(({ p50Us }) => p50Us),
          p99Us: latency(({ p99Us }) => p99Us),
          p999Us: latency(({ p999Us }) => p999Us),
        }),
    lost: all.reduce((sum, { lost }) => sum + lost, 0),
    rssMiB: Math.round(median(all.map(({ rssBytes }) => rssBytes)) / 1_048_576),
  }
}

/** Neither half of its runs counted: the figures of this row mean nothing. */
export function isUsable({ runs, invalidRuns }: Summary): boolean {
  return invalidRuns * 2 < runs
}

export const tableHead: Row = [
  'load',
  'server',
  'CPU us/query',
  'user',
  'system',
  'q/s',
  'p50 us',
  'p99 us',
  'p99.9 us',
  'lost',
  'RSS MiB',
  'CPU vs coredns',
  'p99 vs coredns',
]

/** A row for each summary; figures that mean nothing are left out. */
export function tableRows(summaries: readonly Summary[]): Row[] {
  return summaries.map((row) => {
    const peer = summaries.find(
      ({ contestant, rate }) => contestant === 'coredns' && rate === row.rate,
    )
    const shown = isUsable(row) ? (text: string) => text : () => 'invalid'
    return [
      row.rate === undefined ? 'most' : `${row.rate} q/s`,
      row.contestant,
      shown(fixed(row.cpuUsPerQuery, 1)),
      shown(fixed(row.userUsPerQuery, 1)),
      shown(fixed(row.systemUsPerQuery, 1)),
      shown(`${row.isSaturated === false ? '>' : ''}${row.queriesPerSecond}`),
      ...[row.p50Us, row.p99Us, row.p999Us].map((us) => (us === undefined ? '' : fixed(us, 0))),
      String(row.lost),
      String(row.rssMiB),
      ratio(row.cpuUsPerQuery, peer?.cpuUsPerQuery),
      ratio(row.p99Us, peer?.p99Us),
    ]
  })
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}

function ratio(value: number | undefined, peer: number | undefined): string {
  if (value === undefined || peer === undefined || !Number.isFinite(value / peer)) return ''
  return (value / peer).toFixed(2)
}
