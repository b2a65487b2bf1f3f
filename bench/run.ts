/**
 * The comparison in one command: neardns with both of its UDP endpoints, the resolvers and caches that Debian has, CoreDNS configured
 * like NodeLocal DNSCache, and a C echo server as the limit; all on one CPU, load and authority on another one. Prints tables and
 * whether the bars were met, writes bench/results/comparison.json and its plots. Installs nothing; says what is missing and how to get it.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { howToGet } from '../test/support/needs.ts'
import { allContestants } from './peers/all.ts'
import type { Contestant } from './peers/contestant.ts'
import { comparisonPlots } from './report/plots.ts'
import { describeCircumstances, endOnSignals, writeResult } from './report/record.ts'
import {
  type BenchResult,
  isUsable,
  type ScenarioResult,
  summarise,
  tableHead,
  tableRows,
} from './report/results.ts'
import { alignedTable } from './report/table.ts'
import { verdictHead, verdictRow, verdicts } from './report/verdict.ts'
import { builtMain } from './support/built.ts'
import { type ContestPlan, type Run, runContest } from './support/contest.ts'
import type { Absence } from './support/field.ts'
import { measureFirstAnswers } from './support/first-answers.ts'
import { makeScenario, type ScenarioName, scenarioNames } from './support/scenarios.ts'

const usage = `npm run bench -- [--quick] [--only hit,miss,mixed,memory,start] [--servers NAME,...]
                 [--rounds N] [--seconds N] [--file | --no-file]
scenarios: ${[...scenarioNames, 'start'].join(' ')} (or how their names begin)
servers:   ${allContestants.map(({ name }) => name).join(' ')}`
const loadCpu = 1
const serverCpu = 0
/** Of the last minute, in CPUs: above it somebody else is at work here. */
const loadAverageMax = 0.5

interface Options {
  readonly isQuick: boolean
  readonly scenarios: readonly ScenarioName[]
  readonly measuresStart: boolean
  readonly contestants: readonly Contestant[]
  readonly rounds: number
  readonly seconds: number
  readonly writesFile: boolean
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      servers: { type: 'string', default: '' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      file: { type: 'boolean', default: false },
      'no-file': { type: 'boolean', default: false },
    },
  })
  const isQuick = values.quick
  const only = words(values.only)
  const servers = words(values.servers)
  const known = [...scenarioNames, 'start']
  const unknown = [
    ...only.filter((word) => !known.some((name) => name.startsWith(word))),
    ...servers.filter((word) => !allContestants.some(({ name }) => name === word)),
  ]
  if (unknown.length > 0) throw new Error(`not known: ${unknown.join(', ')}`)
  const isWanted = (name: string) => only.length === 0 || only.some((word) => name.startsWith(word))
  const isWhole = !isQuick && only.length === 0 && servers.length === 0
  return {
    isQuick,
    scenarios: scenarioNames.filter(isWanted),
    measuresStart: isWanted('start'),
    contestants: allContestants.filter(
      ({ name }) => servers.length === 0 || servers.includes(name),
    ),
    rounds: positive('--rounds', values.rounds, isQuick ? 1 : 5),
    seconds: positive('--seconds', values.seconds, isQuick ? 1 : 2),
    // What is quick or a part must not replace the whole.
    writesFile: values.file || (isWhole && !values['no-file']),
  }
}

function words(list: string): string[] {
  return list.split(',').filter((word) => word !== '')
}

function positive(flag: string, text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise)
  if (!(value > 0)) throw new Error(`${flag} needs a number above 0, got ${text}`)
  return value
}

async function main(): Promise<number> {
  const options = readOptions()
  const problems = [
    ...(availableParallelism() < 2
      ? ['two CPUs are needed: servers on one, load on the other']
      : []),
    ...(howToGet('gcc') === undefined ? [] : [`gcc is missing: ${howToGet('gcc')}`]),
  ]
  if (problems.length > 0) {
    process.stderr.write(`${problems.join('\n')}\n`)
    return 2
  }
  const missing = absentPrograms(options.contestants)
  for (const { contestant, why } of missing) say(`${contestant} is missing: ${why}`)
  execFileSync('taskset', ['-apc', String(loadCpu), String(process.pid)], { stdio: 'ignore' })
  const circumstances = describeCircumstances('bench')
  warnOfLoad(circumstances.machine.loadAtStart)
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const present = options.contestants.filter(
    ({ name }) => !missing.some(({ contestant }) => contestant === name),
  )
  // Before anything is timed.
  await builtMain()
  const measured = await measure(options, present, directory)
  const result: BenchResult = {
    ...circumstances,
    isQuick: options.isQuick,
    rounds: options.rounds,
    secondsPerRun: options.seconds,
    contestants: present.map(({ name, about, version }) => ({ name, about, version: version() })),
    missing,
    ...measured,
  }
  return conclude(result, options)
}

function absentPrograms(contestants: readonly Contestant[]): Absence[] {
  return contestants.flatMap(({ name, missing }) => {
    const how = missing()
    return how === undefined ? [] : [{ contestant: name, why: how }]
  })
}

function warnOfLoad(loadAtStart: number): void {
  if (loadAtStart <= loadAverageMax) return
  say(
    `load average is ${loadAtStart.toFixed(1)}: somebody else is at work, the figures will show it`,
  )
}

async function measure(
  { scenarios: wanted, measuresStart, rounds, seconds, isQuick }: Options,
  contestants: readonly Contestant[],
  directory: string,
): Promise<Pick<BenchResult, 'scenarios' | 'firstAnswers'>> {
  const where = { serverCpu, loadCpu, directory }
  const progress = (text: string) => say(`  ${text}`)
  const plan: ContestPlan = { ...where, rounds, secondsPerRun: seconds, progress }
  const starts = isQuick ? 2 : 5
  const firstAnswers = measuresStart
    ? await measureFirstAnswers({ ...where, starts }, contestants)
    : []
  for (const { contestant, medianMs } of firstAnswers)
    say(`  first answer, ${contestant}: ${medianMs} ms`)
  const scenarios: ScenarioResult[] = []
  for (const name of wanted) {
    try {
      scenarios.push(await compete(name, plan, contestants))
    } catch (error) {
      // The others are worth having. A scenario without a table makes the exit code 1.
      const absent = [{ contestant: 'all', why: String(error) }]
      say(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      scenarios.push({
        name,
        about: makeScenario(name).about,
        summaries: [],
        absent,
        idleRssBytes: {},
        runs: [],
      })
    }
  }
  return { scenarios, firstAnswers }
}

async function compete(
  name: ScenarioName,
  plan: ContestPlan,
  contestants: readonly Contestant[],
): Promise<ScenarioResult> {
  const scenario = makeScenario(name)
  say(`${name}: ${scenario.about}`)
  const { runs, absent, idleRssBytes } = await runContest(scenario, plan, contestants)
  const summaries = summarise(
    runs,
    contestants.map((contestant) => contestant.name),
  )
  const notes = [
    ...absent.map(({ contestant, why }) => `did not start: ${contestant}: ${why}`),
    ...invalidNotes(runs),
  ]
  const table = alignedTable(tableHead, tableRows(summaries))
  process.stdout.write(`\n${[`${name}: ${scenario.about}`, ...notes].join('\n')}\n\n${table}\n\n`)
  return { name, about: scenario.about, summaries, absent, idleRssBytes, runs }
}

function invalidNotes(runs: readonly Run[]): string[] {
  return runs
    .filter(({ invalid }) => invalid.length > 0)
    .map(
      ({ contestant, round, load, invalid }) =>
        `invalid: ${contestant}, round ${round}, ${load}: ${invalid.join(', ')}`,
    )
}

function conclude(result: BenchResult, { writesFile }: Options): number {
  const rows = verdicts(result).map(verdictRow)
  process.stdout.write(`${alignedTable(verdictHead, rows)}\n`)
  process.stdout.write(
    'bars for stalls, ten million queries and forced collections: bench:stall, bench:long, bench:gc-stress\n',
  )
  if (writesFile) {
    const files = writeResult('comparison', result, comparisonPlots(result))
    process.stdout.write(`${files.join('\n')}\nnow: node bench/document.ts\n`)
  } else process.stdout.write('not kept; --file keeps a quick run or a part\n')
  const isWhole = result.scenarios.every(
    ({ summaries, absent }) => absent.length === 0 && summaries.every(isUsable),
  )
  return isWhole ? 0 : 1
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

endOnSignals()
try {
  process.exitCode = await main()
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}\n${usage}`)
  process.exitCode = 1
}
