/**
 * Do random names that never come twice cost memory or stalls? A million of them, each a miss, through the daemon
 * without a memory limit. Memory must stay below the bound of the cache plus a stated base, the event loop below 50 ms.
 * Prints the figures as one JSON line, exit code 1 when something is broken.
 */
import { parseArgs } from 'node:util'
import { freePort } from '../test/support/free-port.ts'
import type { MillionResult, MillionVerdict } from './report/memory-results.ts'
import { describeCircumstances, writeResult } from './report/record.ts'
import { Flood } from './support/flood.ts'
import { readProcess, Scrape } from './support/scrape.ts'
import { startNeardns, startResponder, unwrapped } from './support/servers.ts'
import { significant } from './support/statistics.ts'

/**
 * What the process may need beside the cache: the program (a hundred when idle), a young generation of 24 MiB, and as much
 * garbage as half of what is alive before the next collection.
 */
const baseBytesMax = 160 * 1_048_576
const stallMsMax = 50
const failedShareMax = 0.001
const sampleMs = 1000

const { values } = parseArgs({
  options: {
    names: { type: 'string', default: '1000000' },
    'in-flight': { type: 'string', default: '200' },
    'no-file': { type: 'boolean', default: false },
  },
})
const names = Number(values.names)
const inFlight = Number(values['in-flight'])
if (!(names > 0) || !(inFlight > 0)) {
  process.stderr.write(
    'npm run bench:million-names -- [--names 1000000] [--in-flight 200] [--no-file]\n',
  )
  process.exit(2)
}

async function main(): Promise<number> {
  const circumstances = describeCircumstances('bench:million-names')
  const responder = await startResponder()
  const ports = { dns: await freePort(), admin: await freePort() }
  const upstream = `127.0.0.1:${responder.port}`
  const args = [
    `--listen=127.0.0.1:${ports.dns}`,
    `--cluster-upstream=${upstream}`,
    `--upstream=${upstream}`,
    `--admin=127.0.0.1:${ports.admin}`,
  ]
  const daemon = await startNeardns(args, unwrapped)
  const verdict = await flood(daemon.pid, ports)
  process.stdout.write(`${JSON.stringify(verdict)}\n`)
  const result: MillionResult = { ...circumstances, verdict }
  if (!values['no-file']) process.stdout.write(`${writeResult('million-names', result)}\n`)
  await daemon.stop()
  await responder.child.stop()
  return verdict.broken.length === 0 ? 0 : 1
}

async function flood(pid: number, ports: { dns: number; admin: number }): Promise<MillionVerdict> {
  const admin = `http://127.0.0.1:${ports.admin}`
  const idleRssBytes = readProcess(pid).rssBytes
  const load = new Flood({ port: ports.dns, inFlight, sockets: 16, total: names })
  const quarters = [0, 0, 0, 0]
  const sampler = setInterval(() => {
    const quarter = Math.min(3, Math.floor((4 * load.counts.sent) / names))
    quarters[quarter] = Math.max(quarters[quarter] ?? 0, readProcess(pid).rssBytes)
  }, sampleMs)
  const startMs = performance.now()
  await load.start()
  await load.ended
  const seconds = (performance.now() - startMs) / 1000
  clearInterval(sampler)
  const scrape = await Scrape.of(admin)
  const cacheBoundBytes = scrape.value('neardns_cache_bytes_max')
  const figures = {
    ...load.counts,
    names,
    seconds: Math.round(seconds),
    queriesPerSecond: Math.round(names / seconds),
    idleRssBytes,
    rssMaxByQuarterBytes: quarters,
    rssBoundBytes: cacheBoundBytes + baseBytesMax,
    cacheBytes: scrape.value('neardns_cache_bytes'),
    cacheBoundBytes,
    stallMaxMs: Math.round(scrape.value('neardns_eventloop_delay_max_seconds') * 10_000) / 10,
    collectionSeconds: significant(scrape.sum('nodejs_gc_duration_seconds_sum')),
  }
  const broken = faults(figures)
  return { verdict: broken.length === 0 ? 'kept' : 'broken', broken, ...figures }
}

function faults(figures: Omit<MillionVerdict, 'verdict' | 'broken'>): string[] {
  const { sent, right, wrong, cacheBytes, cacheBoundBytes, stallMaxMs } = figures
  const rssMaxBytes = Math.max(...figures.rssMaxByQuarterBytes)
  const found: string[] = []
  if (!(cacheBytes <= cacheBoundBytes)) found.push('the cache is above its bound')
  if (!(rssMaxBytes <= figures.rssBoundBytes)) found.push('memory is above its bound')
  if (!(stallMaxMs < stallMsMax)) found.push('the event loop stalled')
  if (wrong > 0) found.push(`${wrong} wrong answers`)
  if (right < sent * (1 - failedShareMax)) found.push(`${sent - right} of ${sent} not answered`)
  return found
}

process.exitCode = await main()
