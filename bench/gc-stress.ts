/**
 * Does a garbage collection take memory away that the kernel still uses? A whole collection every 50 ms, queries as fast as they are
 * answered (hits, misses, denials, with and without EDNS), every reply checked octet by octet against what the authority said. Prints
 * whether all were right.
 */
import { join } from 'node:path'
import type { GcStressResult } from './report/long-results.ts'
import { describeCircumstances, writeResult } from './report/record.ts'
import { judge, type Verdict } from './report/verdict.ts'
import { loadReport, startLoad, wrongExamples } from './support/load.ts'
import {
  countsOf,
  loadCpu,
  printBars,
  readLongOptions,
  sampling,
  startRig,
  ttlMaxSeconds,
} from './support/long-run.ts'
import { knownNames, uniqueNames, writeQueries } from './support/query-mix.ts'
import { readProcess, Scrape } from './support/scrape.ts'

const names = 2000
const uniqueOneIn = 20
const sampleMs = 1000
/** Of the 20 a second that are asked for, under full load. */
const collectionsPerSecondMin = 5

async function main(): Promise<number> {
  // Saturation: the rate is how fast it answers.
  const options = readLongOptions('bench:gc-stress', { minutes: 10, rate: 1 })
  const { minutes, io } = options
  const circumstances = describeCircumstances('bench:gc-stress')
  const hook = new URL('./support/force-gc.mjs', import.meta.url)
  const rig = await startRig(options, { NODE_OPTIONS: `--import=${hook}` })
  const queryFile = join(rig.directory, 'queries')
  const unique = uniqueNames()
  const asked = knownNames(names).flatMap((each, at) =>
    at % uniqueOneIn === 0 ? [each, ...unique] : [each],
  )
  writeQueries(queryFile, asked, 2)
  try {
    const seconds = minutes * 60
    const generator = await startLoad({
      ...{ port: rig.port, queryFile, seconds, ttlMaxSeconds, cpu: loadCpu, check: 'strict' },
    })
    let rssMaxBytes = 0
    const report = await sampling(loadReport(generator, seconds), sampleMs, () => {
      if (!rig.daemon.running) throw new Error(`the daemon ended: ${rig.daemon.tail(10)}`)
      rssMaxBytes = Math.max(rssMaxBytes, readProcess(rig.daemon.pid).rssBytes)
    })
    for (const example of wrongExamples(generator)) process.stderr.write(`${example}\n`)
    const collections = (await Scrape.of(rig.admin)).sum('nodejs_gc_duration_seconds_count')
    const verdict: GcStressResult['verdict'] = {
      ...countsOf(report),
      minutes,
      queriesPerSecond: Math.round(report.queriesPerSecond),
      collections,
      rssMaxBytes,
    }
    const bars = barsOf(verdict)
    const result: GcStressResult = { ...circumstances, kind: 'gc-stress', io, bars, verdict }
    process.stdout.write(`${JSON.stringify(verdict)}\n`)
    const code = printBars(bars)
    if (options.writesFile) process.stdout.write(`${writeResult('gc-stress', result).join('\n')}\n`)
    return code
  } finally {
    await rig.stop()
  }
}

function barsOf({
  sent,
  lost,
  wrong,
  servfail,
  collections,
  minutes,
}: GcStressResult['verdict']): Verdict[] {
  const none = { isAtMost: true, unit: '', bar: 0 } as const
  return [
    {
      ...none,
      what: `wrong of ${sent.toLocaleString('en-US')} replies, octet by octet`,
      measured: wrong,
    },
    { ...none, what: 'SERVFAIL', measured: servfail },
    { ...none, what: 'lost', measured: lost },
    {
      isAtMost: false,
      unit: '' as const,
      what: 'collections',
      bar: Math.floor(collectionsPerSecondMin * minutes * 60),
      measured: collections,
    },
  ].map(judge)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(
    `bench:gc-stress: ${error instanceof Error ? error.message : String(error)}\n`,
  )
  process.exitCode = 1
}
