/**
 * One scenario: all contestants up on one CPU, load and authority on the other, measured in turns over several rounds so that
 * whatever else the machine does meets all of them. A warm-up at saturation comes first and is not counted.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contestant } from '../peers/contestant.ts'
import { type LoadReport, type LoadSpec, load } from '../support/load.ts'
import { type Asked, writeQueries } from '../support/query-mix.ts'
import { type ProcessReading, readProcess } from '../support/scrape.ts'
import { type CalmGate, gapUsMax } from './calm-gate.ts'
import { type Absence, type Field, type Runner, startField } from './field.ts'
import { isSaturating, type Load, windows } from './loads.ts'
import type { Scenario } from './scenarios.ts'

export interface ContestPlan {
  readonly rounds: number
  readonly secondsPerRun: number
  readonly serverCpu: number
  readonly loadCpu: number
  readonly directory: string
  /** Undefined where gaps cannot be seen. */
  readonly gate: CalmGate | undefined
  /** Told of each run as it ends. */
  readonly progress: (text: string) => void
}

/** One load on one contestant. */
export interface Run {
  readonly contestant: string
  readonly round: number
  readonly load: Load
  readonly queriesPerSecond: number
  readonly cpuUsPerQuery: number
  /** Of that, from ticks of 10 ms: rough where little was done. */
  readonly userUsPerQuery: number
  readonly systemUsPerQuery: number
  /** Share of its CPU that the contestant used; less than all at saturation means that something else was the limit. */
  readonly cpuShare: number
  readonly lost: number
  /** With SERVFAIL; absent in older results. */
  readonly failed?: number
  readonly sent: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
  readonly rssBytes: number
  /** The longest time for which a CPU was not to be had; undefined where nobody looked. */
  readonly gapUs?: number
  /** Why it does not count; empty when it does. */
  readonly invalid: readonly string[]
}

export interface ContestResult {
  readonly runs: readonly Run[]
  readonly absent: readonly Absence[]
  /** Resident memory of each, started and asked one question some seconds ago. */
  readonly idleRssBytes: Readonly<Record<string, number>>
  /** CPU time of each in a second without a query, where the scenario waits for it; milliseconds. */
  readonly idleCpuMs: Readonly<Record<string, number>>
}

const lostShareMax = 0.001
/** The generator may send this much less than it was told, and one query in a hundred may leave so late. */
const behindShareMax = 0.01
const lateP99UsMax = 2000
/** At saturation, of the seconds of a run: CPU time a query varies less than a latency. */
const saturatedShare = 0.5
const socketsMax = 16
/** The first 20,000 misses of a new neardns cost twice the later ones: V8 compiles. Servers run for months. */
const warmUpSeconds = 3
const warmSecondsMax = 40
/** Until a server counts as idle: what it does after its start is done. */
const settleMs = 5000
/** So far apart are the names that are new each time in two runs. */
const uniquePerRun = 4_000_000

export async function runContest(
  scenario: Scenario,
  plan: ContestPlan,
  contestants: readonly Contestant[],
): Promise<ContestResult> {
  const suited = contestants.filter((contestant) => scenario.suits(contestant))
  const serverCpus = scenario.isFree === true ? [plan.serverCpu, plan.loadCpu] : [plan.serverCpu]
  const field = await startField({ ...plan, ...scenario, serverCpus }, suited)
  await sleep(scenario.idleMs ?? settleMs)
  const idle = field.runners.map(readingOf)
  const idleRssBytes = Object.fromEntries(idle.map(({ name, rssBytes }) => [name, rssBytes]))
  const idleCpuMs = await idleCpuOf(field, scenario.idleMs ?? 0)
  try {
    const runs = await new Contest(scenario, plan, field).run()
    return { runs, absent: field.absent, idleRssBytes, idleCpuMs }
  } finally {
    await field.stop()
  }
}

function readingOf({ contestant, child }: Runner) {
  return { name: contestant.name, ...readProcess(child.pid) }
}

/** @returns milliseconds in a second, by contestant; none when it is not to be waited for */
async function idleCpuOf({ runners }: Field, forMs: number): Promise<Record<string, number>> {
  if (forMs === 0) return {}
  const before = runners.map(readingOf)
  await sleep(forMs)
  const after = runners.map(readingOf)
  return Object.fromEntries(
    after.map(({ name, cpuUs }, at) => [name, (cpuUs - (before[at]?.cpuUs ?? cpuUs)) / forMs]),
  )
}

class Contest {
  private readonly scenario: Scenario
  private readonly plan: ContestPlan
  private readonly field: Field
  private readonly queryFile: string
  private readonly warmFile: string
  private runNumber = 0

  constructor(scenario: Scenario, plan: ContestPlan, field: Field) {
    this.scenario = scenario
    this.plan = plan
    this.field = field
    this.queryFile = join(plan.directory, `${scenario.name}.queries`)
    this.warmFile = `${this.queryFile}.warm`
  }

  async run(): Promise<Run[]> {
    const { scenario, plan } = this
    const asked = scenario.asked()
    writeQueries(this.queryFile, asked, scenario.ednsOneIn)
    writeQueries(this.warmFile, distinct(asked))
    for (const runner of this.field.runners) await this.warm(runner)
    const runs: Run[] = []
    const rounds = Math.min(plan.rounds, scenario.roundsMax ?? plan.rounds)
    for (let round = 1; round <= rounds; round++) {
      for (const load of scenario.loads) {
        for (const runner of inTurn(this.field.runners, round)) {
          const run = await this.once(runner, round, load)
          plan.progress(progressLine(run, rounds))
          runs.push(run)
        }
      }
    }
    return runs
  }

  /** What goes wrong here shows in the runs that count. */
  private async warm(runner: Runner): Promise<void> {
    const once = { queryFile: this.warmFile, seconds: warmSecondsMax, once: true }
    try {
      if (this.scenario.isWarmed) {
        const { lost, servfail } = await this.play(runner, once)
        // A second time for what was lost in the first.
        if (lost + servfail > 0) await this.play(runner, once)
      }
      await this.play(runner, { queryFile: this.queryFile, seconds: warmUpSeconds })
    } catch (error) {
      this.plan.progress(`warming ${runner.contestant.name}: ${String(error)}`)
    }
  }

  private async once(runner: Runner, round: number, load: Load): Promise<Run> {
    const { contestant, child } = runner
    const identity = { contestant: contestant.name, round, load }
    const { secondsPerRun } = this.plan
    const wanted = isSaturating(load) ? secondsPerRun * saturatedShare : secondsPerRun
    const seconds = Math.max(wanted, this.scenario.secondsMin ?? 0)
    const pace = isSaturating(load) ? { window: windows[load] } : { rate: load }
    try {
      return await this.untilCalm(load, async () => {
        if (!child.running) throw new Error(`it has ended: ${child.tail(3)}`)
        const before = readProcess(child.pid)
        const playing = this.play(runner, { queryFile: this.queryFile, seconds, ...pace })
        const [report] = await Promise.all([playing, this.stall(seconds)])
        const readings = { before, after: readProcess(child.pid) }
        return judged(identity, report, readings, this.field.other === undefined)
      })
    } catch (error) {
      return failed(identity, error instanceof Error ? error.message : String(error))
    }
  }

  /** In the middle of a run, for half of it. */
  private async stall(seconds: number): Promise<void> {
    const { other } = this.field
    if (other === undefined) return
    await sleep((seconds * 1000) / 4)
    other.process.kill('SIGSTOP')
    await sleep((seconds * 1000) / 2)
    other.process.kill('SIGCONT')
  }

  /** At saturation a gap changes neither the CPU time of a query nor, by much, how many are answered. */
  private async untilCalm(load: Load, run: () => Promise<Run>): Promise<Run> {
    const { gate } = this.plan
    if (gate === undefined || isSaturating(load)) return run()
    const { result, gapUs } = await gate.untilCalm(run)
    if (gapUs <= gapUsMax) return { ...result, gapUs }
    const why = `a CPU was not to be had for ${Math.round(gapUs)} us`
    return { ...result, gapUs, invalid: [...result.invalid, why] }
  }

  private play(
    { contestant, port }: Runner,
    spec: Pick<LoadSpec, 'queryFile' | 'seconds' | 'rate' | 'once' | 'window'>,
  ): Promise<LoadReport> {
    this.runNumber += 1
    const uniqueFrom = this.runNumber * uniquePerRun
    const check = contestant.isEcho === true ? 'none' : 'loose'
    const window = spec.window ?? windows.most
    const sockets = Math.min(window, socketsMax)
    return load({ ...spec, port, cpu: this.plan.loadCpu, window, sockets, check, uniqueFrom })
  }
}

function distinct(asked: readonly Asked[]): Asked[] {
  return [...new Map(asked.map((each) => [`${each.name} ${each.type}`, each])).values()]
}

/** Another one goes first in each round. */
function inTurn<T>(items: readonly T[], round: number): T[] {
  const first = round % Math.max(1, items.length)
  return [...items.slice(first), ...items.slice(0, first)]
}

export interface RunIdentity {
  readonly contestant: string
  readonly round: number
  readonly load: Load
}

/**
 * Makes a run of what was read, and says whether it counts.
 * @param mustAnswer whether one that left questions unanswered says nothing: not where that is what is measured
 */
export function judged(
  identity: RunIdentity,
  report: LoadReport,
  { before, after }: { readonly before: ProcessReading; readonly after: ProcessReading },
  mustAnswer = true,
): Run {
  const { sent, received, lost, seconds, p50Us, p99Us, p999Us, maxUs } = report
  const cpuUs = after.cpuUs - before.cpuUs
  const userTicks = after.userUs - before.userUs
  const allTicks = userTicks + after.systemUs - before.systemUs
  const userShare = allTicks > 0 ? userTicks / allTicks : Number.NaN
  return {
    ...identity,
    queriesPerSecond: Math.round(report.queriesPerSecond),
    cpuUsPerQuery: cpuUs / received,
    userUsPerQuery: (cpuUs * userShare) / received,
    systemUsPerQuery: (cpuUs * (1 - userShare)) / received,
    cpuShare: cpuUs / (seconds * 1e6),
    ...{ lost, failed: report.servfail, sent, p50Us, p99Us, p999Us, maxUs },
    rssBytes: after.rssBytes,
    invalid: [...complaints(identity, report, mustAnswer), ...report.examples],
  }
}

function complaints({ load }: RunIdentity, report: LoadReport, mustAnswer: boolean): string[] {
  const { sent, lost, wrong, servfail, seconds, lateP99Us } = report
  const found: string[] = []
  if (report.received === 0) found.push('no reply')
  if (mustAnswer && lost > sent * lostShareMax) found.push(`${lost} of ${sent} lost`)
  if (mustAnswer && servfail > sent * lostShareMax) found.push(`${servfail} of ${sent} failed`)
  if (wrong > 0) found.push(`${wrong} of ${sent} wrong`)
  if (isSaturating(load)) return found
  if (sent < load * seconds * (1 - behindShareMax)) {
    found.push(`the generator sent ${Math.round(sent / seconds)} q/s`)
  }
  if (lateP99Us > lateP99UsMax) found.push(`the generator was ${Math.round(lateP99Us)} us late`)
  return found
}

function failed(identity: RunIdentity, why: string): Run {
  const none = Number.NaN
  const latencies = { p50Us: none, p99Us: none, p999Us: none, maxUs: none }
  const cpu = { cpuUsPerQuery: none, userUsPerQuery: none, systemUsPerQuery: none, cpuShare: none }
  const counts = { queriesPerSecond: 0, lost: 0, sent: 0, rssBytes: none }
  return { ...identity, ...latencies, ...cpu, ...counts, invalid: [why] }
}

function progressLine(run: Run, rounds: number): string {
  const cpu = run.cpuUsPerQuery.toFixed(2)
  const load = isSaturating(run.load) ? run.load : `${run.load} q/s`
  const valid = run.invalid.length === 0 ? '' : `  INVALID: ${run.invalid.join('; ')}`
  return `round ${run.round}/${rounds} ${load} ${run.contestant}: ${run.queriesPerSecond} q/s, ${cpu} us CPU, p99 ${Math.round(run.p99Us)} us${valid}`
}
