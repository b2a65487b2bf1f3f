/**
 * Is a small memory limit kept? The daemon in a memory cgroup (128 MiB unless told otherwise), for minutes (30) nothing but
 * misses for names that never come twice, as fast as it can answer. One JSON line every five seconds, a verdict at the
 * end, exit code 1 when it is broken. Needs root, for the cgroup.
 */
import { parseArgs } from 'node:util'
import { freePort } from '../test/support/free-port.ts'
import type { Child } from '../test/support/process.ts'
import type { SoakResult, SoakSample, SoakVerdict } from './report/memory-results.ts'
import { describeCircumstances, writeResult } from './report/record.ts'
import { Flood } from './support/flood.ts'
import { MemoryCgroup } from './support/memory-cgroup.ts'
import { readProcess, Scrape } from './support/scrape.ts'
import { inCgroup, startNeardns, startResponder } from './support/servers.ts'

const usage =
  'npm run bench:soak-memory -- [--minutes 30] [--mebibytes 128] [--in-flight 400] [--no-file]'
const sampleMs = 5000
/** Every twelfth sample, one a minute, is kept in the file. */
const keptSampleEvery = 12
/** Queries that may go unanswered or be answered with SERVFAIL: one in a thousand. */
const failedShareMax = 0.001

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    mebibytes: { type: 'string', default: '128' },
    'in-flight': { type: 'string', default: '400' },
    'no-file': { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
const limitBytes = Number(values.mebibytes) * 1_048_576
const inFlight = Number(values['in-flight'])
if (![minutes, limitBytes, inFlight].every((number) => number > 0)) {
  process.stderr.write(`${usage}\n`)
  process.exit(2)
}

class Soak {
  readonly cgroup: MemoryCgroup
  readonly flood: Flood
  readonly samples: SoakSample[] = []
  private readonly daemon: Child
  private readonly admin: string
  private readonly startMs = performance.now()

  constructor(daemon: Child, ports: { dns: number; admin: number }, cgroup: MemoryCgroup) {
    this.daemon = daemon
    this.cgroup = cgroup
    this.admin = `http://127.0.0.1:${ports.admin}`
    this.flood = new Flood({
      port: ports.dns,
      inFlight,
      sockets: 16,
      total: Number.POSITIVE_INFINITY,
    })
  }

  async run(): Promise<void> {
    await this.flood.start()
    const endMs = performance.now() + minutes * 60_000
    while (performance.now() < endMs && this.daemon.running) {
      await new Promise((resolve) => setTimeout(resolve, sampleMs))
      if (this.daemon.running) await this.sample()
    }
    this.flood.stop()
    await this.flood.ended
  }

  private async sample(): Promise<void> {
    const scrape = await Scrape.of(this.admin).catch(() => undefined)
    if (scrape === undefined) return
    const counts = { ...this.flood.counts }
    const seconds = (performance.now() - this.startMs) / 1000
    const before = this.samples.at(-1)
    const answered = counts.right - (before?.counts.right ?? 0)
    const sample: SoakSample = {
      seconds: round(seconds),
      queriesPerSecond: Math.round(answered / (seconds - (before?.seconds ?? 0))),
      counts,
      rssBytes: readProcess(this.daemon.pid).rssBytes,
      cgroup: this.cgroup.read(),
      cacheBytes: scrape.value('neardns_cache_bytes'),
      cacheBytesMax: scrape.value('neardns_cache_bytes_max'),
      cacheEntries: scrape.sum('neardns_cache_entries'),
      heapUsedBytes: scrape.value('nodejs_heap_size_used_bytes'),
      heapLimitBytes: scrape.value('neardns_heap_limit_bytes'),
      externalBytes: scrape.value('nodejs_external_memory_bytes'),
      inFlightQuestions: scrape.value('neardns_in_flight_questions'),
      stallMs: round(scrape.value('nodejs_eventloop_lag_max_seconds') * 1000),
    }
    this.samples.push(sample)
    process.stdout.write(`${JSON.stringify(sample)}\n`)
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** @returns what is broken, nothing when all is well */
function faults({ samples, flood, cgroup }: Soak, hasEndedEarly: boolean): string[] {
  const { sent, right, wrong } = flood.counts
  const found: string[] = []
  if (hasEndedEarly) found.push('the daemon ended')
  if (samples.length < 2) found.push('fewer than two samples')
  const { oomKills } = cgroup.read()
  if (oomKills !== 0) found.push(`${oomKills} OOM kills`)
  if (samples.some((sample) => !(sample.cacheBytes <= sample.cacheBytesMax))) {
    found.push('the cache was above its bound')
  }
  if (wrong > 0) found.push(`${wrong} wrong answers`)
  if (right < sent * (1 - failedShareMax)) found.push(`${sent - right} of ${sent} not answered`)
  return found
}

function verdict(soak: Soak, broken: readonly string[]): SoakVerdict {
  const largest = (read: (sample: SoakSample) => number) => Math.max(...soak.samples.map(read))
  const reading = soak.cgroup.read()
  return {
    verdict: broken.length === 0 ? 'kept' : 'broken',
    broken,
    minutes,
    limitBytes,
    ...soak.flood.counts,
    queriesPerSecond: Math.round(soak.flood.counts.right / (minutes * 60)),
    rssMaxBytes: largest(({ rssBytes }) => rssBytes),
    cgroupMaxBytes: reading.usageMaxBytes,
    anonMaxBytes: largest(({ cgroup }) => cgroup.anonBytes),
    limitHits: reading.limitHits,
    oomKills: reading.oomKills,
    cacheMaxBytes: largest(({ cacheBytes }) => cacheBytes),
    cacheBoundBytes: largest(({ cacheBytesMax }) => cacheBytesMax),
    heapLimitBytes: largest(({ heapLimitBytes }) => heapLimitBytes),
    stallMaxMs: largest(({ stallMs }) => stallMs),
  }
}

async function main(): Promise<number> {
  const circumstances = describeCircumstances('bench:soak-memory')
  const cgroup = MemoryCgroup.create(`neardns-soak-${process.pid}`, limitBytes)
  const responder = await startResponder()
  const ports = { dns: await freePort(), admin: await freePort() }
  const upstream = `127.0.0.1:${responder.port}`
  const args = [
    `--listen=127.0.0.1:${ports.dns}`,
    `--cluster-upstream=${upstream}`,
    `--upstream=${upstream}`,
    `--admin=127.0.0.1:${ports.admin}`,
  ]
  const daemon = await startNeardns(args, inCgroup(cgroup.procsFile))
  const soak = new Soak(daemon, ports, cgroup)
  await soak.run()
  const hasEndedEarly = !daemon.running
  const broken = faults(soak, hasEndedEarly)
  const result: SoakResult = {
    ...circumstances,
    verdict: verdict(soak, broken),
    samples: soak.samples.filter((_, n) => (n + 1) % keptSampleEvery === 0),
  }
  process.stdout.write(`${JSON.stringify(result.verdict)}\n`)
  if (!values['no-file']) process.stdout.write(`${writeResult('soak-memory', result)}\n`)
  if (broken.length > 0) process.stderr.write(`${daemon.tail(30)}\n`)
  await daemon.stop()
  await responder.child.stop()
  cgroup.remove()
  return broken.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`soak-memory: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
