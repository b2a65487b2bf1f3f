/**
 * Do names that never come again (water torture) cost the names in use their place or their speed? A thousand hot names at a
 * tenth of the traffic, the rest new names at twice the rate that the daemon can resolve, for a minute. Bars of the
 * project: 99 of 100 hot look-ups are hits, memory grows by less than 1 MiB a minute once it is warm. One JSON line;
 * exit code 1 when a bar is missed. The 99th percentile of hot look-ups is told beside that without the flood: all
 * processes of this bench share the machine, so on few processors it is theirs as much as the daemon's.
 */
import { parseArgs } from 'node:util'
import { freePort } from '../test/support/free-port.ts'
import { Flood } from './support/flood.ts'
import { readProcess, Scrape } from './support/scrape.ts'
import { startNeardns, startResponder, startWrapped, unwrapped } from './support/servers.ts'
import { percentile } from './support/statistics.ts'
import { SteadyClient } from './support/steady-client.ts'

const hotNames = 1000
const hitShareMin = 0.99
const slopeMax = 1
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '0' },
    cache: { type: 'string', default: '' },
  },
})
const seconds = Number(values.seconds)

const responder = await startResponder()
const ports = { dns: await freePort(), admin: await freePort() }
const upstream = `127.0.0.1:${responder.port}`
const daemon = await startNeardns(
  [
    `--listen=127.0.0.1:${ports.dns}`,
    `--cluster-upstream=${upstream}`,
    `--upstream=${upstream}`,
    `--admin=127.0.0.1:${ports.admin}`,
    ...(values.cache === '' ? [] : [`--config=${values.cache}`]),
  ],
  unwrapped,
)
try {
  process.exitCode = await main()
} finally {
  await daemon.stop()
  await responder.child.stop()
}

async function main(): Promise<number> {
  const missesPerSecond = await missRate()
  const uniquePerSecond = Number(values.rate) || 2 * missesPerSecond
  const hotPerSecond = Math.round(uniquePerSecond / 9)
  const hot = await SteadyClient.open('127.1.0.8', ports.dns, hotQuery)
  await hot.run(2 * hotNames, 3000)
  hot.latenciesMs.length = 0
  await hot.run(hotPerSecond, 5000)
  const idleP99Ms = quantile(hot.latenciesMs, 0.99)
  hot.latenciesMs.length = 0
  const before = { ...hot.counts }
  const scrape = await Scrape.of(`http://127.0.0.1:${ports.admin}`)
  const args = [
    `${import.meta.dirname}/support/unique-main.ts`,
    ports.dns,
    uniquePerSecond,
    seconds,
  ]
  const unique = startWrapped(unwrapped, process.execPath, args.map(String))
  const rss: number[] = []
  const sampler = setInterval(() => rss.push(readProcess(daemon.pid).rssBytes / 1_048_576), 1000)
  await hot.run(hotPerSecond, seconds * 1000)
  clearInterval(sampler)
  const after = await Scrape.of(`http://127.0.0.1:${ports.admin}`)
  await unique.exited
  hot.close()
  const hits = after.sum('coredns_cache_hits_total') - scrape.sum('coredns_cache_hits_total')
  const answered = hot.counts.answered - before.answered
  const figures = {
    missesPerSecond,
    uniquePerSecond,
    hotPerSecond,
    hotAnswered: answered,
    hotLost: hot.counts.lost - before.lost,
    hitShare: Math.min(1, hits / answered),
    idleP99Ms: round(idleP99Ms),
    floodP50Ms: round(quantile(hot.latenciesMs, 0.5)),
    floodP99Ms: round(quantile(hot.latenciesMs, 0.99)),
    rssMiBPerMinute: round(slopePerMinute(rss.slice(Math.floor(rss.length / 3)))),
    rssMaxMiB: round(Math.max(...rss)),
    stallMaxMs: round(after.value('neardns_eventloop_delay_max_seconds') * 1000),
    unique: JSON.parse(unique.lines.at(-1) ?? '{}'),
  }
  const broken = [
    ...(figures.hitShare >= hitShareMin ? [] : ['hot names were pushed out']),
    ...(figures.rssMiBPerMinute < slopeMax ? [] : ['memory grows']),
  ]
  process.stdout.write(`${JSON.stringify({ broken, ...figures })}\n`)
  return broken.length === 0 ? 0 : 1
}

/** As fast as one client can be served that waits for its answers. */
async function missRate(): Promise<number> {
  const flood = new Flood({
    port: ports.dns,
    inFlight: 200,
    sockets: 16,
    total: Number.POSITIVE_INFINITY,
  })
  await flood.start()
  await new Promise((resolve) => setTimeout(resolve, 5000))
  flood.stop()
  await flood.ended
  return Math.round(flood.counts.right / 5)
}

function hotQuery(): Buffer {
  const label = `a1-hot${Math.floor(Math.random() * hotNames)}`
  const wire = Buffer.from(
    `${String.fromCharCode(label.length)}${label}\x05flood\x04test\0`,
    'latin1',
  )
  const query = Buffer.alloc(12 + wire.length + 4)
  query.writeUInt16BE(0x0100, 2)
  query.writeUInt16BE(1, 4)
  wire.copy(query, 12)
  query.writeUInt32BE(0x0001_0001, 12 + wire.length)
  return query
}

function quantile(values: readonly number[], share: number): number {
  return percentile(Float64Array.from(values).sort(), share)
}

/** Least squares over samples of one second. */
function slopePerMinute(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length
  let [over, under] = [0, 0]
  for (const [at, value] of samples.entries()) {
    over += (at - middle) * (value - mean)
    under += (at - middle) ** 2
  }
  return (60 * over) / under
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
