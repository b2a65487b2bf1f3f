/**
 * The comparison in one command: neardns, CoreDNS configured like NodeLocal DNSCache, and unbound, on one CPU; load and
 * upstream on another one. Cache hits, misses, pod traffic: CPU per query, throughput, latency, memory. Prints tables
 * and writes bench/results/<date>-<commit>.json. Installs nothing; says what is missing and how to get it.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { needs, skippedNeeds } from '../test/support/needs.ts'
import { type ContestPlan, type Run, runContest } from './support/contest.ts'
import { describeCircumstances, writeResult } from './support/record.ts'
import {
  type BenchResult,
  isUsable,
  type ScenarioResult,
  summarise,
  tableHead,
  tableRows,
} from './support/results.ts'
import { makeScenario, type ScenarioName, scenarioNames } from './support/scenarios.ts'
import { alignedTable } from './support/table.ts'

const usage = 'npm run bench -- [--quick] [--only hit|miss|mixed] [--no-file]'
const loadCpu = 1
const serverCpu = 0
/** Of the last minute, in CPUs: above it somebody else is at work here. */
const loadAverageMax = 0.5

interface Options {
  readonly isQuick: boolean
  readonly only: readonly ScenarioName[]
  readonly writesFile: boolean
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      'no-file': { type: 'boolean', default: false },
    },
  })
  const only = scenarioNames.filter((name) => values.only === undefined || name === values.only)
  if (only.length === 0) throw new Error(`there is no scenario ${values.only}`)
  return { isQuick: values.quick, only, writesFile: !values['no-file'] }
}

/** @returns what this machine lacks, one line each */
function missing(): string[] {
  const lines: string[] = []
  if (!needs('coredns', 'dnsperf', 'unbound')) {
    lines.push(...skippedNeeds().map(({ need, how }) => `${need} is missing: ${how}`))
  }
  if (availableParallelism() < 2)
    lines.push('two CPUs are needed: one for the server, one for the load')
  return lines
}

async function main(): Promise<number> {
  const options = readOptions()
  const lacking = missing()
  if (lacking.length > 0) {
    process.stderr.write(`${lacking.join('\n')}\n`)
    return 2
  }
  // This process is the Kubernetes API of the upstream; it belongs on the load's side.
  execFileSync('taskset', ['-pc', String(loadCpu), String(process.pid)], { stdio: 'ignore' })
  const circumstances = describeCircumstances('bench')
  const { loadAtStart } = circumstances.machine
  if (loadAtStart > loadAverageMax) {
    process.stderr.write(
      `load average is ${loadAtStart.toFixed(1)}: somebody else is at work here, the figures will show it\n`,
    )
  }
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-'))
  try {
    const plan = planFor(options, directory)
    const scenarios: ScenarioResult[] = []
    for (const name of options.only) scenarios.push(await compete(name, plan))
    const { rounds, secondsPerRun } = plan
    const result: BenchResult = { ...circumstances, rounds, secondsPerRun, scenarios }
    if (options.writesFile)
      process.stdout.write(`${writeResult('', result)}
`)
    return scenarios.every(({ summaries }) => summaries.every(isUsable)) ? 0 : 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function planFor({ isQuick }: Options, directory: string): ContestPlan {
  const rounds = isQuick ? 1 : 5
  return {
    rounds,
    secondsPerRun: isQuick ? 2 : 5,
    rates: [1000, 10_000],
    serverCpu,
    loadCpu,
    directory,
    progress: (run) => process.stderr.write(`  ${progressLine(run, rounds)}\n`),
  }
}

async function compete(name: ScenarioName, plan: ContestPlan): Promise<ScenarioResult> {
  const scenario = makeScenario(name)
  process.stderr.write(`${name}: ${scenario.about}\n`)
  const runs = await runContest(scenario, plan)
  const summaries = summarise(runs)
  const table = alignedTable(tableHead, tableRows(summaries))
  const notes = [`upstream: ${scenario.upstreamAbout}`, ...invalidNotes(runs)]
  process.stdout.write(`\n${name}: ${scenario.about}\n${notes.join('\n')}\n\n${table}\n\n`)
  return { name, about: scenario.about, upstream: scenario.upstreamAbout, summaries, runs }
}

function invalidNotes(runs: readonly Run[]): string[] {
  return runs
    .filter(({ invalid }) => invalid.length > 0)
    .map(
      ({ contestant, round, rate, invalid }) =>
        `invalid: ${contestant}, round ${round}, ${rate ?? 'most'}: ${invalid.join(', ')}`,
    )
}

function progressLine(run: Run, rounds: number): string {
  const cpu = (run.userUsPerQuery + run.systemUsPerQuery).toFixed(1)
  const tail = run.latencies ? `, p99 ${run.latencies.p99Us} us` : ''
  const load = run.rate === undefined ? 'most' : `${run.rate} q/s`
  return `round ${run.round}/${rounds} ${run.contestant} ${load}: ${run.queriesPerSecond} q/s, ${cpu} us CPU a query${tail}`
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(
    `bench: ${error instanceof Error ? error.message : String(error)}\n${usage}\n`,
  )
  process.exitCode = 1
}
