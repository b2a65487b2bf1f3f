/**
 * Does anything hold up the event loop? Ten minutes of cache hits at 10,000 queries a second, metrics scraped every second; answers
 * live 30 s, so they are fetched anew all the time. Between the minutes, unbound gets the same load for ten seconds. Seen from
 * inside (the daemon's own delay metric) and from outside (a query every 0.1 ms). Prints whether the bars were met.
 */
import { join } from 'node:path'
import { unbound } from './peers/unbound.ts'
import { type Runner, startContestant } from './support/field.ts'
import { type LoadReport, load } from './support/load.ts'
import type { StallResult, StallSample, StallSegment } from './support/long-results.ts'
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
import { stallPlots } from './support/plots.ts'
import { knownNames, writeQueries } from './support/query-mix.ts'
import { describeCircumstances, writeResult } from './support/record.ts'
import { Scrape } from './support/scrape.ts'
import { median } from './support/statistics.ts'
import { judge, type Verdict } from './support/verdict.ts'

const names = 1000
const unboundSeconds = 10
const scrapeMs = 1000
const warmSeconds = 5
const stallMsMax = 10
const p999MsMax = 5
const p99RatioMax = 1.2

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
    // The compiler's work and the first answers are no part of it; the scrape empties the delay histogram.
    for (const port of [rig.port, ...(peer ? [peer.port] : [])]) await this.play(port, warmSeconds)
    await Scrape.of(rig.admin)
    let left = this.options.minutes * 60
    while (left > 0) {
      const seconds = Math.min(60, left)
      left -= seconds
      this.keep('neardns', await this.watched(seconds))
      if (peer) this.keep('unbound', await this.play(peer.port, Math.min(unboundSeconds, seconds)))
    }
  }

  private async watched(seconds: number): Promise<LoadReport> {
    const before = this.samples.at(-1)?.seconds ?? 0
    return await sampling(this.play(this.rig.port, seconds), scrapeMs, async (at) => {
      const scrape = await Scrape.of(this.rig.admin)
      const stallMs = scrape.value('nodejs_eventloop_lag_max_seconds') * 1000
      this.samples.push({ seconds: before + at, stallMs })
    })
  }

  private play(port: number, seconds: number): Promise<LoadReport> {
    const { rate } = this.options
    return load({ port, queryFile: this.queryFile, seconds, rate, cpu: loadCpu })
  }

  private keep(contestant: StallSegment['contestant'], report: LoadReport): void {
    const { p50Us, p99Us, p999Us, maxUs, lateP99Us } = report
    const segment = { contestant, ...countsOf(report), p50Us, p99Us, p999Us, maxUs, lateP99Us }
    this.segments.push(segment)
    process.stderr.write(
      `  ${contestant}: p99 ${p99Us} us, p99.9 ${p999Us} us, longest ${maxUs} us, ${report.lost} lost, ${report.wrong} wrong\n`,
    )
  }
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
      ...atMost,
      what: 'p99.9 of the worst minute, scraped every second',
      bar: p999MsMax,
      measured: worst(({ p999Us }) => p999Us) / 1000,
    },
    {
      isAtMost: true,
      unit: 'x' as const,
      what: "p99, median of the minutes, to unbound's",
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
    ...{ kind: 'stall', io, minutes, rate, bars, segments, samples },
  }
  const code = printBars(bars)
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
