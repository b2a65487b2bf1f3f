/** The comparison's part of docs/performance.md. Pure. */
import type { Load } from '../comparison/scenarios.ts'
import {
  type ComparisonResult,
  isUsable,
  type ScenarioResult,
  type Summary,
} from '../comparison/summary.ts'
import { placesBehind } from './behind.ts'
import { circumstancesText, count, fixed, type Row, table } from './text.ts'

export function comparisonText(result: ComparisonResult, plots: readonly string[]): string[] {
  const facts = result.contestants.map(({ name, about, version }) => [name, about, version])
  return [
    `## The comparison

${circumstancesText(result)} Medians of ${result.rounds} runs of ${result.secondsPerRun} s.${calmText(result)}${caveat(result)}

${table(['server', 'set up as', 'version'], facts)}${missingText(result)}`,
    ...result.scenarios.map((scenario) => scenarioText(scenario, plots)),
    firstAnswersText(result),
    behindText(result),
  ]
}

function calmText({ calm }: ComparisonResult): string {
  if (calm === undefined) return ''
  const times = calm.repeats === 1 ? 'once' : `${calm.repeats} times`
  return ` A run at a fixed rate in which a CPU was not to be had for more than ${calm.gapUsMax / 1000} ms at a time was repeated (${times}).`
}

function caveat({ isQuick, machine }: ComparisonResult): string {
  const isBusy = machine.loadAtStart > 0.5
  if (!isQuick && !isBusy) return ''
  const why = [
    ...(isQuick ? ['one short round each'] : []),
    ...(isBusy
      ? [`on a machine that had other work (load ${machine.loadAtStart.toFixed(1)})`]
      : []),
  ]
  return ` **A rough look: ${why.join(', ')}.**`
}

function missingText({ missing, scenarios }: ComparisonResult): string {
  const absent = scenarios.flatMap((scenario) => scenario.absent)
  const names = [...new Set([...missing, ...absent].map(({ contestant }) => contestant))]
  return names.length === 0
    ? ''
    : `\n\nNot measured, because they were missing or did not start: ${names.join(', ')}.`
}

const headings = {
  'hit-1k': 'Cache hits, 1,000 names',
  'hit-10k': 'Cache hits, 10,000 names',
  'hit-100k': 'Cache hits, 100,000 names',
  miss: 'Misses over TCP',
  mixed: 'Pod traffic',
  memory: 'Memory',
} as const
const plotsOf: Readonly<Record<string, readonly string[]>> = {
  'hit-1k': ['comparison-hit-cpu.svg', 'comparison-hit-latency.svg'],
  miss: ['comparison-miss-cpu.svg'],
  mixed: ['comparison-mixed-cpu.svg'],
}

/** Printed as well when a scenario ends. */
export function scenarioText(scenario: ScenarioResult, plots: readonly string[] = []): string {
  const { name, about, summaries, runs } = scenario
  const invalid = runs.filter((run) => run.invalid.length > 0).length
  const images = (plotsOf[name] ?? [])
    .filter((file) => plots.includes(file))
    .map((file) => `![${headings[name]}](../bench/results/${file})`)
  const tables = name === 'memory' ? [memoryTable(scenario)] : loadTables(summaries)
  const note = invalid === 0 ? '' : ` ${invalid} of ${runs.length} runs did not count.`
  return [`### ${headings[name]}`, `${capital(about)}.${note}`, ...images, ...tables].join('\n\n')
}

function loadTables(summaries: readonly Summary[]): string[] {
  const paced = summaries.filter(({ load }) => load !== 'most')
  const tables = [saturationTable(summaries.filter(({ load }) => load === 'most'))]
  return paced.length === 0 ? tables : [...tables, latencyTable(paced)]
}

const saturationHead: Row = [
  'at saturation',
  'CPU us a query',
  'user',
  'system',
  'q/s',
  'CPU: neardns is',
]

function saturationTable(rows: readonly Summary[]): string {
  const ours = rows.find(({ contestant }) => contestant === 'neardns')
  const cells = rows.map((row) => {
    if (!isUsable(row)) return [row.contestant, 'invalid', '', '', '', '']
    const isComparable = ours !== undefined && row !== ours && isUsable(ours)
    return [
      row.contestant,
      fixed(row.cpuUsPerQuery, 2),
      fixed(row.userUsPerQuery, 1),
      fixed(row.systemUsPerQuery, 1),
      `${row.isSaturated ? '' : '>'}${count(row.queriesPerSecond)}`,
      isComparable ? `${fixed(ours.cpuUsPerQuery / row.cpuUsPerQuery, 2)} x` : '',
    ]
  })
  return table(saturationHead, cells)
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

function memoryTable({ summaries, idleRssBytes }: ScenarioResult): string {
  const cells = summaries.map(({ contestant, rssBytes }) => [
    contestant,
    fixed((idleRssBytes[contestant] ?? Number.NaN) / 1e6, 0),
    fixed(rssBytes / 1e6, 0),
  ])
  return table(['RSS, MB', 'idle', '20,000 answers at 20,000 q/s'], cells)
}

function firstAnswersText({ firstAnswers }: ComparisonResult): string {
  if (firstAnswers.length === 0) return ''
  const cells = firstAnswers.map(({ contestant, medianMs, maxMs, starts }) => [
    contestant,
    ...[medianMs, maxMs, starts].map(String),
  ])
  return `### First answer

From the start of the process to the first answer fetched from its upstream.

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
