/**
 * Does memory grow with the number of queries? Ten million of pods' look-ups at a fixed rate, one in ten for a name that was never
 * asked before, all replies checked; resident memory every second. Prints whether it is flat after the first quarter.
 */
import { join } from 'node:path'
import type { LongResult, RssSample } from './report/long-results.ts'
import { longPlots } from './report/plots.ts'
import { describeCircumstances, writeResult } from './report/record.ts'
import { judge, type Verdict } from './report/verdict.ts'
import { load } from './support/load.ts'
import {
  countsOf,
  loadCpu,
  printBars,
  readLongOptions,
  sampling,
  startRig,
} from './support/long-run.ts'
import { podTraffic, uniqueNames, writeQueries } from './support/query-mix.ts'
import { readProcess, Scrape } from './support/scrape.ts'
import { growthShare, significant } from './support/statistics.ts'

const questions = 90_000
const uniqueOneIn = 10
const sampleMs = 1000
const warmSecondsMax = 60
/** Names that the warming has not asked. */
const uniqueFrom = 1_000_000
const warmUpShare = 0.25
const growthShareMax = 0.03

async function main(): Promise<number> {
  const options = readLongOptions('bench:long', { minutes: 8.5, rate: 20_000 })
  const { minutes, rate, io } = options
  const circumstances = describeCircumstances('bench:long')
  const rig = await startRig(options)
  const queryFile = join(rig.directory, 'queries')
  const [first, second] = uniqueNames()
  const asked = podTraffic(questions, 1).flatMap((each, at) => {
    const unique = at % (2 * uniqueOneIn) === 0 ? first : second
    return at % (uniqueOneIn - 1) === 0 && unique ? [each, unique] : [each]
  })
  writeQueries(queryFile, asked, 2)
  const samples: RssSample[] = []
  try {
    // A cold cache cannot take the rate; who asks in a closed loop waits for it.
    await load({ port: rig.port, queryFile, seconds: warmSecondsMax, cpu: loadCpu, once: true })
    const before = readProcess(rig.daemon.pid)
    const seconds = minutes * 60
    const playing = load({
      ...{ port: rig.port, queryFile, seconds, rate, cpu: loadCpu, uniqueFrom },
    })
    const report = await sampling(playing, sampleMs, (at) => {
      const { rssBytes } = readProcess(rig.daemon.pid)
      samples.push({ seconds: significant(at), rssBytes })
    })
    const cpuUs = readProcess(rig.daemon.pid).cpuUs - before.cpuUs
    const scrape = await Scrape.of(rig.admin)
    const late = samples.slice(Math.floor(samples.length * warmUpShare))
    const verdict: LongResult['verdict'] = {
      ...countsOf(report),
      rate,
      seconds,
      cpuUsPerQuery: significant(cpuUs / report.received),
      rssMaxBytes: Math.max(...samples.map(({ rssBytes }) => rssBytes)),
      rssGrowthShare: growthShare(late.map((each) => [each.seconds, each.rssBytes])),
      cacheEntries: scrape.sum('neardns_cache_entries'),
      cacheBytes: scrape.value('neardns_cache_bytes'),
    }
    const bars = barsOf(verdict)
    const result: LongResult = { ...circumstances, kind: 'long', io, bars, verdict, samples }
    process.stdout.write(`${JSON.stringify(verdict)}\n`)
    const code = printBars(bars)
    if (options.writesFile) {
      process.stdout.write(`${writeResult('long', result, longPlots(result)).join('\n')}\n`)
    }
    return code
  } finally {
    await rig.stop()
  }
}

function barsOf({ sent, lost, wrong, servfail, rssGrowthShare }: LongResult['verdict']): Verdict[] {
  const atMost = { isAtMost: true } as const
  return [
    {
      ...atMost,
      unit: '%' as const,
      what: `RSS, growth over the last three quarters of ${sent.toLocaleString('en-US')} queries`,
      bar: growthShareMax * 100,
      measured: rssGrowthShare * 100,
    },
    { ...atMost, unit: '' as const, what: 'wrong replies', bar: 0, measured: wrong },
    {
      ...atMost,
      unit: '' as const,
      what: 'lost or failed',
      bar: Math.floor(sent / 1000),
      measured: lost + servfail,
    },
  ].map(judge)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`bench:long: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
