/** docs/performance.md as text, from whatever results there are. Pure. */

import { placesBehind } from '../support/behind.ts'
import type { Load } from '../support/scenarios.ts'
import type { GcStressResult, LongResult, StallResult } from './long-results.ts'
import type { SoakVerdict } from './memory-results.ts'
import type { Circumstances } from './record.ts'
import { type BenchResult, fixed, isUsable, type ScenarioResult, type Summary } from './results.ts'
import { shortfallsText } from './shortfalls.ts'
import { delaysText, stallHead, stallRows, windowSeconds } from './stall-page.ts'
import { markdownTable, type Row } from './table.ts'
import { type Verdict, verdictHead, verdictRow, verdicts } from './verdict.ts'

export interface AllResults {
  readonly comparison?: BenchResult
  readonly stall?: StallResult
  readonly long?: LongResult
  readonly 'gc-stress'?: GcStressResult
  readonly 'soak-memory'?: { readonly date: string; readonly verdict: SoakVerdict }
  /** File names beside the results. */
  readonly plots: readonly string[]
}

export function performancePage(all: AllResults): string {
  const parts = [
    head,
    bars(all),
    ...(all.comparison ? comparison(all.comparison, all.plots) : [noComparison]),
    longRuns(all),
    soak(all['soak-memory']),
    limits,
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const noComparison = 'No comparison of this version has been kept yet; `npm run bench` makes one.'

const head = `<!-- Made by \`node bench/document.ts\` from bench/results; do not edit. -->
# Performance

What neardns costs, beside the caches and resolvers that people run, in the same run on the same machine.
[bench/README.md](../bench/README.md) says how it is measured and how to repeat it. Trust ratios before figures, and CPU per query before
queries per second: the first carries over to other machines and is measured to the nanosecond, the last is also a matter of who makes the load.`

function bars(all: AllResults): string {
  const rows = [
    ...(all.comparison ? verdicts(all.comparison) : []),
    ...(all.stall?.bars ?? []),
    ...(all.long?.bars ?? []),
    ...(all['gc-stress']?.bars ?? []),
  ]
  if (rows.length === 0) return ''
  const met = rows.filter(({ verdict }) => verdict === 'met').length
  const parts = [
    `## The bars

Set before anything was measured. ${met} of ${rows.length} are met. Ratios are neardns's figure divided by the other one.`,
    verdictTable(rows),
    shortfallsText(rows, all),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function verdictTable(rows: readonly Verdict[]): string {
  return markdownTable(verdictHead, rows.map(verdictRow))
}

function comparison(result: BenchResult, plots: readonly string[]): string[] {
  const facts = result.contestants.map(({ name, about, version }) => [name, about, version])
  return [
    `## The comparison

${circumstances(result)} Medians of ${result.rounds} runs of ${result.secondsPerRun} s.${caveat(result)}

${markdownTable(['server', 'set up as', 'version'], facts)}${missingText(result)}`,
    ...result.scenarios.map((scenario) => scenarioText(scenario, plots)),
    firstAnswersText(result),
    behindText(result),
  ]
}

function caveat({ isQuick, machine }: BenchResult): string {
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

function missingText({ missing, scenarios }: BenchResult): string {
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

function scenarioText(scenario: ScenarioResult, plots: readonly string[]): string {
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
  return markdownTable(saturationHead, cells)
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
  return markdownTable(['p50 / p99 / p99.9, us', ...titles], cells)
}

function memoryTable({ summaries, idleRssBytes }: ScenarioResult): string {
  const cells = summaries.map(({ contestant, rssBytes }) => [
    contestant,
    fixed((idleRssBytes[contestant] ?? Number.NaN) / 1e6, 0),
    fixed(rssBytes / 1e6, 0),
  ])
  return markdownTable(['RSS, MB', 'idle', '20,000 answers at 20,000 q/s'], cells)
}

function firstAnswersText({ firstAnswers }: BenchResult): string {
  if (firstAnswers.length === 0) return ''
  const cells = firstAnswers.map(({ contestant, medianMs, maxMs, starts }) => [
    contestant,
    ...[medianMs, maxMs, starts].map(String),
  ])
  return `### First answer

From the start of the process to the first answer fetched from its upstream.

${markdownTable(['server', 'median ms', 'longest ms', 'starts'], cells)}`
}

function behindText(result: BenchResult): string {
  const places = placesBehind(result)
  const list = places.map((place) => `- ${place}`).join('\n')
  const nothing = 'Nowhere in this run by more than what the rounds differ.'
  return `### Where neardns is behind

Every figure of neardns that is worse than another server's: CPU by more than 5 %, p99 by more than a fifth, memory at all.

${places.length === 0 ? nothing : list}`
}

function longRuns(all: AllResults): string {
  const { stall, long, plots } = all
  const stress = all['gc-stress']
  const image = (file: string, what: string) =>
    plots.includes(file) ? `\n\n![${what}](../bench/results/${file})` : ''
  const parts = [
    stall &&
      `**${stall.minutes} minutes at ${count(stall.rate)} q/s, a scrape every second.** ${circumstances(stall)} unbound had the same load in turns with it, ${windowSeconds} s each; nobody scrapes it.\n\n${verdictTable(stall.bars)}\n\n${markdownTable(stallHead, stallRows(stall))}\n\n${delaysText(stall)}${image('stall-delay.svg', 'Event-loop delay')}`,
    long &&
      `**${count(long.verdict.sent)} queries.** ${circumstances(long)} ${fixed(long.verdict.cpuUsPerQuery, 1)} us CPU a query at ${count(long.verdict.rate)} q/s, at most ${fixed(long.verdict.rssMaxBytes / 1e6, 0)} MB.\n\n${verdictTable(long.bars)}${image('long-rss.svg', 'Resident memory')}`,
    stress &&
      `**${stress.verdict.minutes} minutes of forced collections.** ${circumstances(stress)} ${count(stress.verdict.queriesPerSecond)} q/s between ${count(stress.verdict.collections)} collections.\n\n${verdictTable(stress.bars)}`,
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? '' : ['## Long runs', ...parts].join('\n\n')
}

function soak(result: AllResults['soak-memory']): string {
  if (result === undefined) return ''
  const { verdict, date } = result
  const { minutes, sent, right, limitHits, oomKills, stallMaxMs } = verdict
  const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`
  return `## Memory under a limit

\`npm run bench:soak-memory -- --minutes ${minutes}\` (${date.slice(0, 10)}): in a cgroup of ${mebibytes(verdict.limitBytes)}, names that never come twice. ${count(sent)} misses,
${count(sent - right)} of them not answered or wrong, ${oomKills} OOM kills, the limit hit ${limitHits} times; at most ${mebibytes(verdict.cgroupMaxBytes)} charged, the cache at most
${mebibytes(verdict.cacheMaxBytes)} of the ${mebibytes(verdict.cacheBoundBytes)} it may have. With less memory, lower \`cache.bytesMax\`. Longest stall of the event loop: ${(stallMaxMs / 1000).toFixed(1)} s.`
}

const limits = `## What not to conclude

- Everything runs on loopback: a packet's way through the kernel is paid by whoever sends it, and no network card, NAT or bridge is in it. In a cluster the fixed cost
  of a query is higher for all servers, so that differences between them count for less.
- All servers share one CPU and are loaded in turns; an idle one costs little but not nothing, and caches of the CPU are cold after each turn.
- Latencies at a fixed rate include the time a sleeping server takes to wake up, which on a virtual machine is most of the median.
- \`>\` before a rate: the server was not busy all the time; the load was the limit.
- Times to live are raised for the hits, so that nothing expires. What expiry costs is in the pod traffic and in the long runs.
- NodeLocal DNSCache's own program is not here; CoreDNS runs with its Corefile. Its binary could not be had as a Go module.
- The echo server is no DNS server: it is what the kernel alone costs with this batching.`

function circumstances({ command, date, machine, versions }: Circumstances): string {
  const state = versions.isModified ? ', modified' : ''
  return `\`${command}\`, ${date.slice(0, 10)}, commit ${versions.commit}${state}; ${machine.cpu}, ${machine.cpus} CPUs, Linux ${machine.kernel}, Node ${versions.node}, load ${machine.loadAtStart.toFixed(2)} before.`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
