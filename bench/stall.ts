/**
 * Does anything hold up the event loop? Ten minutes of cache hits at 10,000 queries a second, metrics scraped every second; answers
 * live 30 s, so they are fetched anew all the time. In windows of 20 s, in turns with unbound under the same load, whom nobody
 * scrapes. Seen from inside (the daemon's own delay metric) and from outside (a query every 0.1 ms); once a second it is read what
 * the hypervisor took, how long the daemon waited for its CPU, and how long V8 collected. Prints whether the bars were met.
 */
import { join } from 'node:path'
import { unbound } from './peers/unbound.ts'
import type { StallResult, StallSample, StallSegment } from './report/long-results.ts'
import { stallPlots } from './report/plots.ts'
import { describeCircumstances, writeResult } from './report/record.ts'
import {
  delaysText,
  slowMs,
  stallHead,
  stallMsMax,
  stallRows,
  windowSeconds,
} from './report/stall-page.ts'
import { alignedTable } from './report/table.ts'
import { judge, type Verdict } from './report/verdict.ts'
import { type Runner, startContestant } from './support/field.ts'
import { type LoadReport, load } from './support/load.ts'
import {
  countsOf,
  type LongOptions,
  loadCpu,
  printBars,
  type Rig,
  readLongOptions,
  sampling,
  serverCpu,
  startRig,
  ttlMaxSeconds,
} from './support/long-run.ts'
import { knownNames, writeQueries } from './support/query-mix.ts'
import { Scrape, stolenMs, waitedMs } from './support/scrape.ts'
import { median } from './support/statistics.ts'

const names = 1000
const scrapeMs = 1000
const warmSeconds = 5
/** What p99.9 leaves. */
const slowPercentMax = 0.1
const p99RatioMax = 1.2

/** What is read once a second, and made sense of when the load is over: it runs on the same CPU. */
interface Reading {
  readonly atMs: number
  readonly page: string
  readonly stolenMs: number
  readonly waitedMs: number
}

class StallWatch {
  readonly segments: StallSegment[] = []
  readonly samples: StallSample[] = []
  private readonly rig: Rig
  private readonly peer: Runner | undefined
  private readonly options: LongOptions
  private readonly queryFile: string

  constructor(rig: Rig, peer: Runner | undefined, options: LongOptions) {
    this.rig = rig
    this.peer = peer
    this.options = options
    this.queryFile = join(rig.directory, 'queries')
    writeQueries(this.queryFile, knownNames(names))
  }

  async run(): Promise<void> {
    const { rig, peer } = this
    // The compiler's work and the first answers are no part of it.
    for (const port of [rig.port, ...(peer ? [peer.port] : [])]) await this.play(port, warmSeconds)
    // The first scrape loads what writes metrics.
    await this.read()
    let left = this.options.minutes * 60
    while (left > 0) {
      const seconds = Math.min(windowSeconds, left)
      left -= seconds
      await this.keep('neardns', () => this.watched(seconds))
      if (peer) await this.keep('unbound', () => this.play(peer.port, seconds))
    }
  }

  private async watched(seconds: number): Promise<LoadReport> {
    const readings: Reading[] = []
    const read = async () => {
      readings.push(await this.read())
    }
    const report = await sampling(this.play(this.rig.port, seconds), scrapeMs, read)
    await read()
    // The first one empties the daemon's histogram of what was before.
    this.samples.push(...samplesBetween(readings, this.samples.at(-1)?.seconds ?? 0))
    return report
  }

  private async read(): Promise<Reading> {
    const { admin, daemon } = this.rig
    const response = await fetch(`${admin}/metrics`, { signal: AbortSignal.timeout(5000) })
    return {
      page: await response.text(),
      atMs: performance.now(),
      stolenMs: stolenMs()[serverCpu] ?? Number.NaN,
      waitedMs: waitedMs(daemon.process.pid ?? 0),
    }
  }

  private play(port: number, seconds: number): Promise<LoadReport> {
    const { rate } = this.options
    const slowUs = slowMs * 1000
    return load({ port, queryFile: this.queryFile, seconds, rate, slowUs, cpu: loadCpu })
  }

  private async keep(
    contestant: StallSegment['contestant'],
    run: () => Promise<LoadReport>,
  ): Promise<void> {
    const before = sumOf(stolenMs())
    const report = await run()
    const { slow, p50Us, p99Us, p999Us, maxUs, lateP99Us } = report
    const stolen = sumOf(stolenMs()) - before
    this.segments.push({
      contestant,
      ...countsOf(report),
      ...{ slow, p50Us, p99Us, p999Us, maxUs, lateP99Us, stolenMs: stolen },
    })
    process.stderr.write(
      `  ${contestant}: p99 ${p99Us} us, p99.9 ${p999Us} us, longest ${maxUs} us, ${slow} slow, ${report.lost} lost, ${report.wrong} wrong; ${stolen} ms stolen\n`,
    )
  }
}

function samplesBetween(readings: readonly Reading[], sinceSeconds: number): StallSample[] {
  const scrapes = readings.map(({ page }) => new Scrape(page))
  const collected = (at: number) =>
    ['major', 'incremental'].reduce(
      (sum, kind) => sum + (scrapes[at]?.sum('nodejs_gc_duration_seconds_sum', { kind }) ?? 0),
      0,
    )
  const [first] = readings
  return readings.slice(1).flatMap((reading, n) => {
    const before = readings[n]
    if (first === undefined || before === undefined) return []
    return {
      seconds: sinceSeconds + (reading.atMs - first.atMs) / 1000,
      stallMs: (scrapes[n + 1]?.value('nodejs_eventloop_lag_max_seconds') ?? Number.NaN) * 1000,
      stolenMs: reading.stolenMs - before.stolenMs,
      waitedMs: reading.waitedMs - before.waitedMs,
      collectedMs: (collected(n + 1) - collected(n)) * 1000,
    }
  })
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function barsOf({ segments, samples }: StallWatch): Verdict[] {
  const own = segments.filter(({ contestant }) => contestant === 'neardns')
  const peer = segments.filter(({ contestant }) => contestant === 'unbound')
  const p99 = (of: readonly StallSegment[]) => median(of.map(({ p99Us }) => p99Us))
  const worst = (read: (segment: StallSegment) => number) => Math.max(...own.map(read))
  const atMost = { isAtMost: true, unit: 'ms' } as const
  const bad = own.reduce((sum, { lost, wrong, servfail }) => sum + lost + wrong + servfail, 0)
  const sent = own.reduce((sum, segment) => sum + segment.sent, 0)
  return [
    {
      ...atMost,
      what: 'longest event-loop delay, by its own metric',
      bar: stallMsMax,
      measured: Math.max(...samples.map(({ stallMs }) => stallMs)),
    },
    {
      ...atMost,
      what: 'longest reply, a query every 0.1 ms',
      bar: stallMsMax,
      measured: worst(({ maxUs }) => maxUs) / 1000,
    },
    {
      isAtMost: true,
      unit: '%' as const,
      what: `replies later than ${slowMs} ms or lost, scraped every second`,
      bar: slowPercentMax,
      measured: (100 * own.reduce((sum, { slow, lost }) => sum + slow + lost, 0)) / sent,
    },
    {
      isAtMost: true,
      unit: 'x' as const,
      what: "p99, median of the windows, to unbound's",
      bar: p99RatioMax,
      measured: p99(own) / p99(peer),
    },
    {
      isAtMost: true,
      unit: '' as const,
      what: `lost, failed or wrong of ${sent}`,
      bar: Math.floor(sent / 1000),
      measured: bad,
    },
  ].map(judge)
}

async function main(): Promise<number> {
  const options = readLongOptions('bench:stall', { minutes: 10, rate: 10_000 })
  const circumstances = describeCircumstances('bench:stall')
  const rig = await startRig(options)
  const peer = await startPeer(rig)
  const watch = new StallWatch(rig, peer, options)
  try {
    await watch.run()
  } finally {
    await peer?.child.stop()
    await rig.stop()
  }
  const { io, minutes, rate } = options
  const { segments, samples } = watch
  const bars = barsOf(watch)
  const result: StallResult = {
    ...circumstances,
    ...{ kind: 'stall', io, minutes, rate, slowMs, bars, segments, samples },
  }
  const code = printBars(bars)
  process.stdout.write(`\n${alignedTable(stallHead, stallRows(result))}\n\n${delaysText(result)}\n`)
  if (options.writesFile) {
    process.stdout.write(`${writeResult('stall', result, stallPlots(result)).join('\n')}\n`)
  }
  return code
}

/** Without it only the comparison is missing. */
async function startPeer({ directory, upstreamPort }: Rig): Promise<Runner | undefined> {
  const how = unbound.missing()
  if (how !== undefined) {
    process.stderr.write(`unbound is missing, nothing is compared: ${how}\n`)
    return undefined
  }
  const plan = { serverCpu, loadCpu, directory, ttlMaxSeconds, entriesMax: 10_000 }
  return await startContestant(unbound, plan, upstreamPort)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`bench:stall: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
