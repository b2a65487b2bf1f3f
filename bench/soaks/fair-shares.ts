/**
 * Does a flood of one client, or of many for one domain, cost the others answers or time? Quick names of one client are asked at a steady
 * rate, alone and beside floods for names that never answer or take three seconds, with upstreams over UDP and TCP. Success and p99
 * are told for each and held against the run without a flood. Clients are addresses of 127.0.0.0/8, so it has its own load and upstream and
 * not those of rig.ts; the upstream runs on the load's CPU.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { UdpClient } from '../../test/support/client/dns-client.ts'
import { writeQuery } from '../../test/support/client/dns-message.ts'
import { freePort } from '../../test/support/free-port.ts'
import { FakeUpstream, oneByOne } from '../../test/upstream/fake-upstream.ts'
import { atLeast, atMost, type Verdict } from '../support/bars.ts'
import { endOnSignals, exitWith } from '../support/record.ts'
import { onCpu, startNeardns } from '../support/servers.ts'
import { type Asked, askSteadily, Sender } from '../support/steady.ts'

const slowMs = 3000
/** Longer than a run. */
const silentMs = 600_000
const quickPerSecond = 200
/** Longer than the deadline of a question, so that floods reach their full number in flight. */
const warmUpMs = 5000
const serverCpu = 0
const loadCpu = 1

interface Flood {
  readonly what: string
  readonly perSecond: number
  readonly clients: number
  name(i: number): string
}

const floods: readonly Flood[] = [
  { what: 'no flood', perSecond: 0, clients: 0, name: () => '' },
  {
    what: 'one client, silent names',
    perSecond: 300,
    clients: 1,
    name: (i) => `n${i}.silent.test0`,
  },
  { what: 'one client, names of 3 s', perSecond: 300, clients: 1, name: (i) => `n${i}.slow.test0` },
  {
    what: 'one client, silent domains',
    perSecond: 300,
    clients: 1,
    name: (i) => `www.silent.n${i}.test0`,
  },
  {
    what: '20 clients, one silent domain',
    perSecond: 1000,
    clients: 20,
    name: (i) => `n${i}.silent.test0`,
  },
]

interface Row extends Asked {
  readonly transport: string
  readonly what: string
}

async function withFlood(port: number, flood: Flood, run: string, seconds: number) {
  const clients = await Promise.all(
    Array.from({ length: flood.clients }, (_, i) =>
      UdpClient.open({ host: '127.0.0.1', port }, `127.0.0.${i + 2}`),
    ),
  )
  const sender = new Sender(flood.perSecond, (i) =>
    clients[i % clients.length]?.send(
      writeQuery(`${flood.name(i)}.${run}`, 'A', { id: i & 0xffff }),
    ),
  )
  await sleep(flood.perSecond > 0 ? warmUpMs : 500)
  const way = { port, client: '127.0.0.200' }
  const pace = { perSecond: quickPerSecond, seconds }
  const result = await askSteadily(way, pace, (i) => `q${i}.${run}.quick.test`)
  await sender.stop()
  for (const client of clients) await client.close()
  return result
}

async function measure(transport: 'udp' | 'tcp', seconds: number): Promise<Row[]> {
  // One question of a connection after the other, as CoreDNS answers them.
  const upstream = await FakeUpstream.start(
    oneByOne(({ qname }) => {
      if (qname.includes('silent.')) return silentMs
      return qname.includes('slow.') ? slowMs : 0
    }),
  )
  const port = await freePort()
  const address = `${transport}://127.0.0.1:${upstream.port}`
  const args = [`--listen=127.0.0.1:${port}`, `--upstream=${address}`]
  const daemon = await startNeardns(args, onCpu(serverCpu))
  const rows: Row[] = []
  try {
    for (const [i, flood] of floods.entries()) {
      const asked = await withFlood(port, flood, `r${i}`, seconds)
      const row = { transport, what: flood.what, ...asked }
      rows.push(row)
      process.stdout.write(`${lineOf(row)}\n`)
      // What is left of the flood would be the next one's.
      await sleep(warmUpMs)
    }
  } finally {
    await daemon.stop()
    await upstream.stop()
  }
  return rows
}

function lineOf({ transport, what, asked, answered, p50Ms, p99Ms }: Row): string {
  const times = `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`
  return `${transport}  ${what.padEnd(30)} ${answered} of ${asked} answered, ${times}`
}

function barsOf(rows: readonly Row[]): Verdict[] {
  const [alone, ...flooded] = rows
  return flooded.flatMap(({ transport, what, asked, answered, p99Ms }) => [
    atLeast(`${transport}, ${what}: answered`, 100, (100 * answered) / asked, '%'),
    atMost(`${transport}, ${what}: p99`, 1.5, p99Ms / (alone?.p99Ms ?? Number.NaN), 'x'),
  ])
}

await exitWith('bench:fair-shares', async () => {
  const options = {
    seconds: { type: 'string', default: '10' },
    transport: { type: 'string', default: 'udp,tcp' },
  } as const
  const { values } = parseArgs({ options })
  endOnSignals()
  process.stdout.write(`${quickPerSecond} quick questions a second, load on CPU ${loadCpu}\n`)
  const verdicts: Verdict[] = []
  for (const transport of ['udp', 'tcp'] as const) {
    if (!values.transport.split(',').includes(transport)) continue
    verdicts.push(...barsOf(await measure(transport, Number(values.seconds))))
  }
  for (const { what, measured, unit, verdict } of verdicts)
    process.stdout.write(`${verdict.padEnd(8)} ${what} ${measured?.toFixed(2)} ${unit}\n`)
  return verdicts.every(({ verdict }) => verdict === 'met') ? 0 : 1
})
