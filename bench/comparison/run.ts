/**
 * The comparison in one command: neardns with both of its UDP endpoints, the resolvers and caches that Debian has, CoreDNS configured
 * like NodeLocal DNSCache, and a C echo server as the limit; all on one CPU, load and authority on another one. Writes
 * bench/results/comparison.json, and prints its tables. Installs nothing; says what is missing and how to get it.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { howToGet } from '../../test/support/needs.ts'
import { allContestants } from '../peers/all.ts'
import type { Contestant } from '../peers/contestant.ts'
import { olderNeardns } from '../peers/neardns.ts'
import { comparisonBars } from '../report/bars.ts'
import { scenarioText } from '../report/comparison.ts'
import { barsTable } from '../report/text.ts'
import { olderTree } from '../support/older-tree.ts'
import {
  describeCircumstances,
  endOnSignals,
  endWithUsage,
  exitWith,
  keptResult,
  writeResult,
} from '../support/record.ts'
import { builtMain } from '../support/servers.ts'
import { CalmGate, gapUsMax, gapWatch } from './calm-gate.ts'
import { type ContestPlan, runContest } from './contest.ts'
import type { Absence } from './field.ts'
import { measureFirstAnswers } from './first-answers.ts'
import { isSameMachine, merged } from './merge.ts'
import { makeScenario, type ScenarioName, scenarioNames } from './scenarios.ts'
import {
  type ComparisonResult,
  isUsable,
  measuredIn,
  type ScenarioResult,
  summarise,
} from './summary.ts'

const usage = `npm run bench -- [--quick] [--only hit,miss,mixed,memory,start] [--servers NAME,...]
                 [--rounds N] [--seconds N] [--against COMMIT] [--file | --no-file]
A part (--only) with --file takes its place in the kept result, with its own build and date.
scenarios: ${[...scenarioNames, 'start'].join(' ')} (or how their names begin)
servers:   ${allContestants.map(({ name }) => name).join(' ')}`
const loadCpu = 1
const serverCpu = 0
/** Of disturbed runs: with two seconds a run, 80 seconds. */
const repeatsMax = 40
/** Of the last minute, in CPUs: above it somebody else is at work here. */
const loadAverageMax = 0.5

type Options = ReturnType<typeof readOptions>

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      servers: { type: 'string', default: '' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      against: { type: 'string' },
      file: { type: 'boolean', default: false },
      'no-file': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) endWithUsage(usage)
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
  const { against } = values
  const isWhole = !isQuick && only.length === 0 && servers.length === 0 && against === undefined
  return {
    isQuick,
    isWhole,
    scenarios: scenarioNames.filter(isWanted),
    measuresStart: isWanted('start'),
    contestants: allContestants.filter(
      ({ name }) => servers.length === 0 || servers.includes(name),
    ),
    against,
    rounds: positive('--rounds', values.rounds, isQuick ? 1 : 5),
    seconds: positive('--seconds', values.seconds, isQuick ? 1 : 2),
    // What is quick or a part is kept only when it is asked for; a part beside the others.
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
  if (availableParallelism() < 2) throw new Error('two CPUs: servers on one, load on the other')
  const how = howToGet('gcc')
  if (how !== undefined) throw new Error(`gcc is missing: ${how}`)
  const { against } = options
  const older = against === undefined ? [] : [await olderNeardns(olderTree(against))]
  const contestants = [...options.contestants, ...older]
  const missing = absentPrograms(contestants)
  for (const { contestant, why } of missing) say(`${contestant} is missing: ${why}`)
  execFileSync('taskset', ['-apc', String(loadCpu), String(process.pid)], { stdio: 'ignore' })
  const circumstances = describeCircumstances('bench')
  warnOfLoad(circumstances.machine.loadAtStart)
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const present = contestants.filter(
    ({ name }) => !missing.some(({ contestant }) => contestant === name),
  )
  // Before anything is timed.
  await builtMain()
  const measured = await measure(options, present, directory)
  const kept = {
    ...circumstances,
    isQuick: options.isQuick,
    rounds: options.rounds,
    secondsPerRun: options.seconds,
    contestants: present.map(({ name, about, version }) => ({ name, about, version: version() })),
    missing,
  }
  const of = measuredIn(kept)
  const result: ComparisonResult = {
    ...kept,
    ...measured,
    scenarios: measured.scenarios.map((scenario) => ({ measured: of, ...scenario })),
    firstAnswersMeasured: of,
  }
  process.stdout.write(`${barsTable(comparisonBars(result))}\n`)
  if (options.writesFile) writeResult('comparison', options.isWhole ? result : withKept(result))
  const isWhole = result.scenarios.every(
    ({ summaries, absent }) => absent.length === 0 && summaries.every(isUsable),
  )
  return isWhole ? 0 : 1
}

/** A part takes its place among those that were kept before. */
function withKept(part: ComparisonResult): ComparisonResult {
  const kept = keptResult('comparison') as ComparisonResult | undefined
  if (kept === undefined) return part
  if (isSameMachine(kept, part)) return merged(kept, part)
  say('what was kept is of another machine, kernel or Node: this part replaces all of it')
  return part
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
): Promise<Pick<ComparisonResult, 'scenarios' | 'firstAnswers' | 'calm'>> {
  const where = { serverCpu, loadCpu, directory }
  const progress = (text: string) => say(`  ${text}`)
  const watch = await gapWatch([serverCpu, loadCpu])
  const gate = watch && new CalmGate(watch, repeatsMax)
  if (gate === undefined) say('no real-time priority: runs that the hypervisor disturbed are kept')
  const plan: ContestPlan = { ...where, rounds, secondsPerRun: seconds, gate, progress }
  const starts = isQuick ? 2 : 5
  const firstAnswers = measuresStart
    ? await measureFirstAnswers({ ...where, serverCpus: [serverCpu] }, starts, contestants)
    : []
  for (const { contestant, medianMs } of firstAnswers)
    say(`  first answer, ${contestant}: ${medianMs} ms`)
  const scenarios: ScenarioResult[] = []
  for (const name of wanted) scenarios.push(await compete(name, plan, contestants))
  return { scenarios, firstAnswers, ...(gate && { calm: { gapUsMax, repeats: gate.repeats } }) }
}

/** A scenario that fails is kept without a table, which makes the exit code 1: the others are worth having. */
async function compete(
  name: ScenarioName,
  plan: ContestPlan,
  contestants: readonly Contestant[],
): Promise<ScenarioResult> {
  const scenario = makeScenario(name)
  const { about } = scenario
  say(`${name}: ${about}`)
  try {
    const contest = await runContest(scenario, plan, contestants)
    const order = contestants.map((contestant) => contestant.name)
    const result = { name, about, summaries: summarise(contest.runs, order), ...contest }
    for (const { contestant, why } of contest.absent) say(`did not start: ${contestant}: ${why}`)
    process.stdout.write(`\n${scenarioText(result)}\n\n`)
    return result
  } catch (error) {
    const absent = [{ contestant: 'all', why: String(error) }]
    say(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return { name, about, summaries: [], absent, idleRssBytes: {}, idleCpuMs: {}, runs: [] }
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

endOnSignals()
await exitWith('bench', main)
