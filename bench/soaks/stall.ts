/**
 * Does anything hold up the event loop? Cache hits at 10,000 queries a second, metrics scraped every second; answers live 30 s, so that
 * they are fetched anew all the time. In windows of 20 s, in turns with unbound under the same load, which is not scraped. Seen from
 * inside (the daemon's own delay metric) and from outside (a query every 0.1 ms); once a second the soak reads the CPU time that the
 * hypervisor took, how long the daemon waited for its CPU, and how long V8 collected.
 */
import { startContestant } from '../comparison/field.ts'
import { unbound } from '../peers/unbound.ts'
import { slowMs, stallMsMax, windowSeconds } from '../report/stall-page.ts'
import { atMost, type Verdict } from '../support/bars.ts'
import { knownNames } from '../support/query-mix.ts'
import { type Scrape, stolenMs, waitedMs } from '../support/scrape.ts'
import { median } from '../support/statistics.ts'
import {
  type Counts,
  countsOf,
  type Flags,
  loadCpu,
  type Rig,
  runSoak,
  type SoakResult,
  sampling,
  serverCpu,
  ttlMaxSeconds,
} from './rig.ts'

const names = 1000
const scrapeMs = 1000
const warmSeconds = 5
/** What p99.9 leaves. */
const slowPercentMax = 0.1
const p99RatioMax = 1.2

export interface StallResult extends SoakResult {
  readonly kind: 'stall'
  readonly minutes: number
  readonly rate: number
  readonly slowMs: number
  readonly segments: readonly StallSegment[]
  readonly samples: readonly StallSample[]
}

/** One generator run; those of the daemon and of unbound take turns. */
export interface StallSegment extends Counts {
  readonly contestant: 'neardns' | 'unbound'
  /** Later than `StallResult.slowMs`. */
  readonly slow: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
  readonly lateP99Us: number
  /** CPU time of both CPUs that the hypervisor took. */
  readonly stolenMs: number
}

/** Since the sample before. */
export interface StallSample {
  readonly seconds: number
  /** Longest event-loop delay, by the daemon's own account. */
  readonly stallMs: number
  /** CPU time of the daemon's CPU that the hypervisor took; the kernel counts it in steps of 10 ms. */
  readonly stolenMs: number
  /** Time in which the daemon could have run and others had its CPU, threads of its own included. */
  readonly waitedMs: number
  /** Major collections of V8. */
  readonly collectedMs: number
}

/** What is read once a second. */
interface Reading {
  readonly atMs: number
  readonly scrape: Scrape
  readonly stolenMs: number
  readonly waitedMs: number
}

async function measure(rig: Rig, { minutes, rate }: Flags<'minutes' | 'rate'>) {
  const queryFile = rig.queries('queries', knownNames(names))
  const peer = await startPeer(rig)
  const play = (port: number, seconds: number) =>
    rig.load({ port, queryFile, seconds, rate, slowUs: slowMs * 1000 })
  const segments: StallSegment[] = []
  const samples: StallSample[] = []
  try {
    // The compiler's work and the first answers are no part of it.
    for (const port of [rig.port, ...(peer ? [peer.port] : [])]) await play(port, warmSeconds)
    // The first scrape loads what writes metrics.
    await read(rig)
    for (let left = minutes * 60; left > 0; left -= windowSeconds) {
      const seconds = Math.min(windowSeconds, left)
      const readings: Reading[] = []
      const keepReading = async () => {
        readings.push(await read(rig))
      }
      const watched = () => sampling(play(rig.port, seconds), scrapeMs, keepReading)
      segments.push(await segment('neardns', watched))
      await keepReading()
      // The first reading empties the daemon's histogram of what was before.
      samples.push(...samplesBetween(readings, samples.at(-1)?.seconds ?? 0))
      if (peer) segments.push(await segment('unbound', () => play(peer.port, seconds)))
    }
  } finally {
    await peer?.child.stop()
  }
  return { minutes, rate, slowMs, bars: barsOf(segments, samples), segments, samples }
}

async function read(rig: Rig): Promise<Reading> {
  return {
    scrape: await rig.scrape(),
    atMs: performance.now(),
    stolenMs: stolenMs()[serverCpu] ?? Number.NaN,
    waitedMs: waitedMs(rig.daemon.pid),
  }
}

async function segment(
  contestant: StallSegment['contestant'],
  run: () => ReturnType<Rig['load']>,
): Promise<StallSegment> {
  const before = sumOf(stolenMs())
  const report = await run()
  const { slow, p50Us, p99Us, p999Us, maxUs, lateP99Us } = report
  const stolen = sumOf(stolenMs()) - before
  process.stderr.write(`  ${contestant}: p99 ${p99Us} us, longest ${maxUs} us, ${slow} slow\n`)
  const figures = { slow, p50Us, p99Us, p999Us, maxUs, lateP99Us }
  return { contestant, ...countsOf(report), ...figures, stolenMs: stolen }
}

function samplesBetween(readings: readonly Reading[], sinceSeconds: number): StallSample[] {
  const [first] = readings
  return readings.slice(1).flatMap((reading, n) => {
    const before = readings[n]
    if (first === undefined || before === undefined) return []
    return {
      seconds: sinceSeconds + (reading.atMs - first.atMs) / 1000,
      stallMs: reading.scrape.value('nodejs_eventloop_lag_max_seconds') * 1000,
      stolenMs: reading.stolenMs - before.stolenMs,
      waitedMs: reading.waitedMs - before.waitedMs,
      collectedMs: collectedMs(reading) - collectedMs(before),
    }
  })
}

function collectedMs({ scrape }: Reading): number {
  const seconds = (kind: string) => scrape.sum('nodejs_gc_duration_seconds_sum', { kind })
  return 1000 * (seconds('major') + seconds('incremental'))
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function barsOf(segments: readonly StallSegment[], samples: readonly StallSample[]): Verdict[] {
  const own = segments.filter(({ contestant }) => contestant === 'neardns')
  const peer = segments.filter(({ contestant }) => contestant === 'unbound')
  const p99 = (of: readonly StallSegment[]) => median(of.map(({ p99Us }) => p99Us))
  const sum = (value: (each: StallSegment) => number) => sumOf(own.map(value))
  const sent = sum((each) => each.sent)
  const late = sum(({ slow, lost }) => slow + lost)
  const bad = sum(({ lost, wrong, servfail }) => lost + wrong + servfail)
  const longestMs = Math.max(...own.map(({ maxUs }) => maxUs)) / 1000
  const delayMs = Math.max(...samples.map(({ stallMs }) => stallMs))
  const lateWhat = `replies later than ${slowMs} ms or lost, scraped every second`
  return [
    atMost('longest event-loop delay, by its own metric', stallMsMax, delayMs, 'ms'),
    atMost('longest reply, a query every 0.1 ms', stallMsMax, longestMs, 'ms'),
    atMost(lateWhat, slowPercentMax, (100 * late) / sent, '%'),
    atMost("p99, median of the windows, to unbound's", p99RatioMax, p99(own) / p99(peer), 'x'),
    atMost(`lost, failed or wrong of ${sent}`, Math.floor(sent / 1000), bad),
  ]
}

/** Without unbound only the comparison is missing. */
async function startPeer({ directory, upstreamPort }: Rig) {
  const how = unbound.missing()
  if (how !== undefined) {
    process.stderr.write(`unbound is missing, nothing is compared: ${how}\n`)
    return undefined
  }
  const plan = { serverCpus: [serverCpu], loadCpu, directory, ttlMaxSeconds, entriesMax: 10_000 }
  return await startContestant(unbound, plan, { upstreamPort })
}

await runSoak({ kind: 'stall', flags: { minutes: 10, rate: 10_000 }, measure })
