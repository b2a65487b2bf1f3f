/** The comparison's part of docs/performance.md. Pure. */

import type { Run } from '../comparison/contest.ts'
import { isSaturating, type Load, windows } from '../comparison/loads.ts'
import {
  type ComparisonResult,
  isUsable,
  type Measured,
  measuredIn,
  ratioSpread,
  type ScenarioResult,
  type Spread,
  type Summary,
} from '../comparison/summary.ts'
import { placesBehind } from './behind.ts'
import { growthText } from './growth.ts'
import { circumstancesText, count, fixed, type Row, table } from './text.ts'

export function comparisonText(result: ComparisonResult, plots: readonly string[]): string[] {
  const facts = result.contestants.map(({ name, about, version }) => [name, about, version])
  return [
    `## The comparison

${circumstancesText(result)} Each part says of which build it is and when it was measured.${calmText(result)}

${table(['server', 'set up as', 'version'], facts)}${missingText(result)}`,
    ...result.scenarios.map((scenario) =>
      scenarioText({ measured: measuredIn(result), ...scenario }, plots),
    ),
    growthText(result),
    firstAnswersText(result),
    behindText(result),
  ]
}

function calmText({ calm }: ComparisonResult): string {
  if (calm === undefined) return ''
  const times = calm.repeats === 1 ? 'once' : `${calm.repeats} times`
  return ` A run at a fixed rate in which a CPU was not to be had for more than ${calm.gapUsMax / 1000} ms at a time was repeated (${times}).`
}

/** Of which build a table is: the comparison may be measured in parts. */
export function measuredText(measured: Measured): string {
  const { date, commit, isModified, loadAtStart, isQuick, rounds, secondsPerRun } = measured
  const state = isModified ? ', modified' : ''
  const doubts = [
    ...(isQuick ? ['short rounds'] : []),
    ...(loadAtStart > loadAverageMax ? ['on a machine that had other work'] : []),
  ]
  const caveat = doubts.length === 0 ? '' : ` **A rough look: ${doubts.join(', ')}.**`
  const runs = rounds === 1 ? 'One run' : `Medians of ${rounds} runs`
  return `${runs} of ${secondsPerRun} s, ${date.slice(0, 10)}, commit ${commit}${state}, load ${loadAtStart.toFixed(2)} before.${caveat}`
}

function missingText({ missing, scenarios }: ComparisonResult): string {
  const absent = scenarios.flatMap((scenario) => scenario.absent)
  const names = [...new Set([...missing, ...absent].map(({ contestant }) => contestant))]
  return names.length === 0
    ? ''
    : `\n\nNot measured, because they were missing or did not start: ${names.join(', ')}.`
}

/** Of a minute, in CPUs: above it somebody else was at work. */
const loadAverageMax = 0.5

const headings = {
  'hit-1k': 'Cache hits, 1,000 names',
  'hit-10k': 'Cache hits, 10,000 names',
  'hit-100k': 'Cache hits, 100,000 names',
  miss: 'Misses over TCP',
  mixed: 'Pod traffic',
  'miss-free': 'Misses over TCP, both CPUs',
  'mixed-free': 'Pod traffic, both CPUs',
  'miss-stall': 'Misses with an upstream that stalls',
  memory: 'Memory',
} as const
const plotsOf: Readonly<Record<string, readonly string[]>> = {
  'hit-1k': ['comparison-hit-cpu.svg', 'comparison-hit-latency.svg'],
  miss: ['comparison-miss-cpu.svg'],
  mixed: ['comparison-mixed-cpu.svg'],
}

/** Printed as well when a scenario ends. */
export function scenarioText(scenario: ScenarioResult, plots: readonly string[] = []): string {
  const { name, about, runs, measured } = scenario
  const invalid = runs.filter((run) => run.invalid.length > 0).length
  const images = (plotsOf[name] ?? [])
    .filter((file) => plots.includes(file))
    .map((file) => `![${headings[name]}](../bench/results/${file})`)
  const tables = name === 'memory' ? [memoryTable(scenario)] : loadTables(scenario)
  const note = invalid === 0 ? '' : ` ${invalid} of ${runs.length} runs did not count.`
  const how = measured === undefined ? '' : ` ${measuredText(measured)}`
  return [`### ${headings[name]}`, `${capital(about)}.${how}${note}`, ...images, ...tables].join(
    '\n\n',
  )
}

function loadTables({ name, summaries, runs }: ScenarioResult): string[] {
  const loads = [...new Set(summaries.map(({ load }) => load))]
  const saturated = loads.filter(isSaturating).map((load) =>
    saturationTable(
      summaries.filter((row) => row.load === load),
      runs,
      load,
    ),
  )
  const paced = summaries.filter(({ load }) => !isSaturating(load))
  if (paced.length === 0) return saturated
  const losses = name === 'miss-stall' ? [lossTable(paced)] : []
  const rates = [latencyTable(paced), p99Table(paced, runs), pacedCpuTable(paced, runs)]
  return [...saturated, ...losses, ...rates]
}

function saturationTable(rows: readonly Summary[], runs: readonly Run[], load: Load): string {
  const window = isSaturating(load) ? windows[load] : 0
  const head: Row = [
    `at saturation, ${window} ${window === 1 ? 'query' : 'queries'} out`,
    ...['CPU us a query', 'user', 'system', 'q/s', 'CPU: neardns is'],
  ]
  const cells = rows.map((row) => {
    if (!isUsable(row)) return [row.contestant, 'invalid', '', '', '', '']
    return [
      row.contestant,
      fixed(row.cpuUsPerQuery, 2),
      fixed(row.userUsPerQuery, 1),
      fixed(row.systemUsPerQuery, 1),
      `${row.isSaturated ? '' : '>'}${count(row.queriesPerSecond)}`,
      ratioTo(row, runs, (run) => run.cpuUsPerQuery),
    ]
  })
  return table(head, cells)
}

/** Ours to that of `row`'s server, by rounds: median, least and most. */
function ratioTo({ contestant, load }: Summary, runs: readonly Run[], read: (run: Run) => number) {
  if (contestant === 'neardns') return ''
  return spreadText(ratioSpread(runs, load, ['neardns', contestant], read))
}

function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return ''
  const { median, least, most } = spread
  return `${fixed(median, 2)} x (${fixed(least, 2)}-${fixed(most, 2)})`
}

/** By how much the slowest hundredth is slower than a peer's, in the same round. */
function p99Table(rows: readonly Summary[], runs: readonly Run[]): string {
  const loads = [...new Set(rows.map(({ load }) => load))]
  const names = [...new Set(rows.map(({ contestant }) => contestant))]
  const cells = names
    .filter((name) => name !== 'neardns')
    .map((name) => [
      name,
      ...loads.map((load) => {
        const row = rows.find((each) => each.contestant === name && each.load === load)
        return row === undefined || !isUsable(row) ? '' : ratioTo(row, runs, (run) => run.p99Us)
      }),
    ])
  return table(['p99: neardns is', ...loads.map((load) => `${count(Number(load))} q/s`)], cells)
}

/** Where answers are what is measured. */
function lossTable(rows: readonly Summary[]): string {
  const cells = rows.map(({ contestant, sent, lost, failed }) => [
    contestant,
    ...[sent, lost, failed].map(count),
    `${fixed((100 * (lost + failed)) / sent, 2)} %`,
  ])
  return table(['all runs', 'sent', 'lost', 'SERVFAIL', 'unanswered'], cells)
}

/** CPU a query at fixed rates, where a server wakes up for each, with ours to a peer's in the same round. */
function pacedCpuTable(rows: readonly Summary[], runs: readonly Run[]): string {
  const loads = [...new Set(rows.map(({ load }) => load))]
  const names = [...new Set(rows.map(({ contestant }) => contestant))]
  const cells = names.map((name) => [
    name,
    ...loads.flatMap((load) => {
      const row = rows.find((each) => each.contestant === name && each.load === load)
      if (row === undefined || !isUsable(row)) return ['', '']
      return [fixed(row.cpuUsPerQuery, 1), ratioTo(row, runs, (run) => run.cpuUsPerQuery)]
    }),
  ])
  const titles = loads.flatMap((load) => [`${count(Number(load))} q/s`, 'neardns is'])
  return table(['CPU us a query', ...titles], cells)
}

/** A row for each server, a column for each rate. */
function latencyTable(rows: readonly Summary[]): string {
  const loads = [...new Set(rows.map(({ load }) => load))]
  const names = [...new Set(rows.map(({ contestant }) => contestant))]
  const cell = (contestant: string, load: Load) => {
    const row = rows.find((each) => each.contestant === contestant && each.load === load)
    if (row === undefined) return ''
    if (!isUsable(row)) return 'invalid'
    return [row.p50Us, row.p99Us, row.p999Us].map((us) => fixed(us, 0)).join(' / ')
  }
  const titles = loads.map((load) => `${count(Number(load))} q/s`)
  const cells = names.map((name) => [name, ...loads.map((load) => cell(name, load))])
  return table(['p50 / p99 / p99.9, us', ...titles], cells)
}

function memoryTable({ summaries, idleRssBytes, idleCpuMs }: ScenarioResult): string {
  const head = ['RSS, MB', 'idle', '20,000 answers at 20,000 q/s']
  const cells = summaries.map(({ contestant, rssBytes }) => [
    contestant,
    fixed((idleRssBytes[contestant] ?? Number.NaN) / 1e6, 0),
    fixed(rssBytes / 1e6, 0),
    ...(idleCpuMs === undefined ? [] : [fixed(idleCpuMs[contestant] ?? Number.NaN, 2)]),
  ])
  return table(idleCpuMs === undefined ? head : [...head, 'CPU, idle, ms a second'], cells)
}

function firstAnswersText({ firstAnswers, firstAnswersMeasured: how }: ComparisonResult): string {
  if (firstAnswers.length === 0) return ''
  const cells = firstAnswers.map(({ contestant, medianMs, maxMs, starts }) => [
    contestant,
    ...[medianMs, maxMs, starts].map(String),
  ])
  return `### First answer

From the start of the process to the first answer fetched from its upstream.${how === undefined ? '' : ` ${measuredText(how)}`}

${table(['server', 'median ms', 'longest ms', 'starts'], cells)}`
}

function behindText(result: ComparisonResult): string {
  const places = placesBehind(result)
  const list = places.map((place) => `- ${place}`).join('\n')
  const nothing = 'Nowhere in this run by more than what the rounds differ.'
  return `### Where neardns is behind

Every figure of neardns that is worse than another server's: CPU by more than 5 %, p99 by more than a fifth, memory at all.

${places.length === 0 ? nothing : list}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
