/**
 * One scenario: all contestants up on one CPU, load and upstream on the other, measured in turns over several rounds so that
 * whatever else the machine does meets all of them. The first round warms up and is not counted.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Contestant,
  type ContestantName,
  contestantNames,
  contestants,
} from './contestants.ts'
import { type DnsperfResult, dnsperf, type Latencies } from './dnsperf.ts'
import type { Scenario } from './scenarios.ts'
import { type ProcessReading, readProcess } from './scrape.ts'

export interface ContestPlan {
  readonly rounds: number
  readonly secondsPerRun: number
  /** Queries per second of the runs at a fixed rate. */
  readonly rates: readonly number[]
  readonly serverCpu: number
  readonly loadCpu: number
  readonly directory: string
  /** Told of each run as it ends. */
  readonly progress: (run: Run) => void
}

/** One dnsperf against one contestant. */
export interface Run {
  readonly contestant: ContestantName
  readonly round: number
  /** Absent: as fast as it answers. */
  readonly rate?: number
  readonly queriesPerSecond: number
  readonly userUsPerQuery: number
  readonly systemUsPerQuery: number
  /** Share of the server's CPU that the contestant had; less than all at saturation means that something else was the limit. */
  readonly cpuShare: number
  readonly lost: number
  readonly sent: number
  readonly latencies?: Latencies
  readonly rssBytes: number
  /** Why it does not count; empty when it does. */
  readonly invalid: readonly string[]
}

/** A server that is so busy is the limit itself. */
const saturatedShareMin = 0.9
const lostShareMax = 0.001
/** The generator may send this much less than it was told. */
const behindShareMax = 0.01

export async function runContest(scenario: Scenario, plan: ContestPlan): Promise<Run[]> {
  const { serverCpu, loadCpu, directory } = plan
  const upstream = await scenario.upstream({ cpu: loadCpu, directory })
  const field: Contestant[] = []
  try {
    for (const name of contestantNames) {
      const { ttlMaxSeconds } = scenario
      const setup = { cpu: serverCpu, upstreamPort: upstream.port, ttlMaxSeconds, directory }
      field.push(await contestants[name](setup))
    }
    return await new Contest(scenario, plan, field).run()
  } finally {
    for (const contestant of field) await contestant.stop()
    await upstream.stop()
  }
}

export function isSaturated(run: Run): boolean {
  return run.cpuShare >= saturatedShareMin
}

class Contest {
  private readonly scenario: Scenario
  private readonly plan: ContestPlan
  private readonly field: readonly Contestant[]
  private readonly queryFile: string
  private readonly warmFile: string
  private runNumber = 0

  constructor(scenario: Scenario, plan: ContestPlan, field: readonly Contestant[]) {
    this.scenario = scenario
    this.plan = plan
    this.field = field
    this.queryFile = join(plan.directory, `${scenario.name}.txt`)
    this.warmFile = join(plan.directory, `${scenario.name}-warm.txt`)
  }

  async run(): Promise<Run[]> {
    writeLines(this.warmFile, this.scenario.warm)
    const runs: Run[] = []
    for (let round = 0; round <= this.plan.rounds; round++) {
      const done = await this.round(round)
      if (round > 0) runs.push(...done)
    }
    return runs
  }

  private async round(round: number): Promise<Run[]> {
    const runs: Run[] = []
    for (const rate of [undefined, ...this.plan.rates]) {
      writeLines(this.queryFile, this.scenario.lines(this.runNumber))
      this.runNumber += 1
      for (const contestant of inTurn(this.field, round)) {
        const run = await this.once(contestant, round, rate)
        if (round > 0) this.plan.progress(run)
        runs.push(run)
      }
    }
    return runs
  }

  private async once(
    contestant: Contestant,
    round: number,
    rate: number | undefined,
  ): Promise<Run> {
    const { secondsPerRun: seconds, loadCpu: cpu } = this.plan
    const { port, pid } = contestant
    await this.warm(port)
    const before = readProcess(pid)
    const result = await dnsperf({
      port,
      queryFile: this.queryFile,
      seconds,
      cpu,
      once: this.scenario.isUnique,
      ...(rate !== undefined && { rate }),
    })
    const after = readProcess(pid)
    return judged({ contestant: contestant.name, round, ...(rate && { rate }) }, result, {
      before,
      after,
    })
  }

  private async warm(port: number): Promise<void> {
    if (this.scenario.warm.length === 0) return
    const { loadCpu: cpu } = this.plan
    await dnsperf({ port, queryFile: this.warmFile, seconds: 20, cpu, once: true })
  }
}

/** Who goes first changes from round to round. */
function inTurn<T>(items: readonly T[], round: number): T[] {
  const first = round % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}

export interface RunIdentity {
  readonly contestant: ContestantName
  readonly round: number
  readonly rate?: number
}

/** Makes a run of what was read, and says whether it counts. */
export function judged(
  identity: RunIdentity,
  result: DnsperfResult,
  cpu: { readonly before: ProcessReading; readonly after: ProcessReading },
): Run {
  const { sent, completed, lost, seconds, queriesPerSecond, rcodes, latencies } = result
  const userUs = cpu.after.userUs - cpu.before.userUs
  const systemUs = cpu.after.systemUs - cpu.before.systemUs
  const failed = (rcodes['SERVFAIL'] ?? 0) + (rcodes['REFUSED'] ?? 0)
  const invalid: string[] = []
  if (lost > sent * lostShareMax) invalid.push(`${lost} of ${sent} lost`)
  if (failed > sent * lostShareMax) invalid.push(`${failed} of ${sent} failed`)
  if (identity.rate !== undefined && sent < identity.rate * seconds * (1 - behindShareMax)) {
    invalid.push(`load generator sent ${Math.round(sent / seconds)} q/s`)
  }
  return {
    ...identity,
    queriesPerSecond: Math.round(queriesPerSecond),
    userUsPerQuery: userUs / completed,
    systemUsPerQuery: systemUs / completed,
    cpuShare: (userUs + systemUs) / (seconds * 1e6),
    lost,
    sent,
    ...(latencies && { latencies }),
    rssBytes: cpu.after.rssBytes,
    invalid,
  }
}

function writeLines(file: string, lines: readonly string[]): void {
  writeFileSync(file, `${lines.join('\n')}\n`)
}
