/** Turns runs into medians: what is kept of the comparison as JSON. Pure. */

import type { Contestant } from '../peers/contestant.ts'
import type { Circumstances } from '../support/record.ts'
import { median, significant } from '../support/statistics.ts'
import type { Run } from './contest.ts'
import type { Absence } from './field.ts'
import type { FirstAnswers } from './first-answers.ts'
import type { Load } from './loads.ts'
import type { ScenarioName } from './scenarios.ts'

export type Summary = ReturnType<typeof summary>

/** Of which build and how a part of the comparison was measured. */
export interface Measured {
  readonly date: string
  readonly commit: string
  readonly isModified: boolean
  readonly loadAtStart: number
  readonly isQuick: boolean
  readonly rounds: number
  readonly secondsPerRun: number
}

export interface ScenarioResult {
  /** Absent in older results, of which all scenarios are of one run. */
  readonly measured?: Measured
  readonly name: ScenarioName
  readonly about: string
  readonly summaries: readonly Summary[]
  readonly absent: readonly Absence[]
  readonly idleRssBytes: Readonly<Record<string, number>>
  /** Absent in older results. */
  readonly idleCpuMs?: Readonly<Record<string, number>>
  readonly runs: readonly Run[]
}

export interface ComparisonResult extends Circumstances {
  readonly isQuick: boolean
  readonly rounds: number
  readonly secondsPerRun: number
  readonly contestants: readonly (Pick<Contestant, 'name' | 'about'> & {
    readonly version: string
  })[]
  /** Contestants whose programs this machine lacks. */
  readonly missing: readonly Absence[]
  /** How many runs at a fixed rate were repeated for a gap above the bound; absent where gaps could not be seen. */
  readonly calm?: { readonly gapUsMax: number; readonly repeats: number }
  readonly scenarios: readonly ScenarioResult[]
  readonly firstAnswers: readonly FirstAnswers[]
  readonly firstAnswersMeasured?: Measured
}

type Kept = Omit<ComparisonResult, 'scenarios' | 'firstAnswers' | 'firstAnswersMeasured'>

/** @returns how all of a result was measured that knows no parts yet, and its newest part otherwise */
export function measuredIn({
  date,
  machine,
  versions,
  isQuick,
  rounds,
  secondsPerRun,
}: Kept): Measured {
  const { commit, isModified } = versions
  const { loadAtStart } = machine
  return { ...{ date, commit, isModified, loadAtStart }, ...{ isQuick, rounds, secondsPerRun } }
}

/** A server that is so busy is the limit itself. */
const saturatedShareMin = 0.9

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

/** Medians over the valid runs of one contestant under one load. */
function summary(all: readonly Run[], contestant: string, load: Load) {
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
    /** The contestant's CPU was the limit, and not the load or the authority. */
    isSaturated: valid.length > 0 && valid.every(({ cpuShare }) => cpuShare >= saturatedShareMin),
    p50Us: middle(({ p50Us }) => p50Us),
    p99Us: middle(({ p99Us }) => p99Us),
    p999Us: middle(({ p999Us }) => p999Us),
    lost: all.reduce((sum, { lost }) => sum + lost, 0),
    failed: all.reduce((sum, { failed }) => sum + (failed ?? 0), 0),
    sent: all.reduce((sum, { sent }) => sum + sent, 0),
    rssBytes: median(all.map(({ rssBytes }) => rssBytes)),
  }
}

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/**
 * How one contestant's figure relates to another's, in the rounds in which both have a run that counts: what disturbs a round disturbs both.
 * @returns undefined when there is no such round
 */
export function ratioSpread(
  runs: readonly Run[],
  load: Load,
  [own, peer]: readonly [own: string, peer: string],
  read: (run: Run) => number,
): Spread | undefined {
  const valid = runs.filter((run) => run.load === load && run.invalid.length === 0)
  const ratios = valid
    .filter(({ contestant }) => contestant === own)
    .flatMap((run) => {
      const same = valid.find(({ contestant, round }) => contestant === peer && round === run.round)
      return same === undefined ? [] : [read(run) / read(same)]
    })
  if (ratios.length === 0) return undefined
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) }
}

/** Neither half of its runs counted: the figures of this row mean nothing. */
export function isUsable({ runs, invalidRuns }: Summary): boolean {
  return invalidRuns * 2 < runs
}
