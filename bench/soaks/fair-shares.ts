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
import { percentile } from '../support/statistics.ts'

const slowMs = 3000
/** Longer than a run. */
const silentMs = 600_000
const quickPerSecond = 200
/** Longer than the deadline of a question, so that floods reach their full number in flight. */
const warmUpMs = 5000
const patienceMs = 5000
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

interface Row {
  readonly transport: string
  readonly what: string
  readonly asked: number
  readonly answered: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Sends at a steady rate until it is stopped. */
class Sender {
  private isOver = false
  private readonly done: Promise<void>

  constructor(perSecond: number, send: (i: number) => void) {
    this.done = this.run(perSecond, send)
  }

  async stop(): Promise<void> {
    this.isOver = true
    await this.done
  }

  private async run(perSecond: number, send: (i: number) => void): Promise<void> {
    const startMs = performance.now()
    for (let sent = 0; !this.isOver; await sleep(2)) {
      for (const due = ((performance.now() - startMs) * perSecond) / 1000; sent < due; sent++)
        send(sent)
    }
  }
}

/** @returns the time that each answered question took */
async function askQuick(port: number, run: string, seconds: number) {
  const client = await UdpClient.open({ host: '127.0.0.1', port }, '127.0.0.200')
  const sentMs = new Map<number, number>()
  const tookMs: number[] = []
  client.socket.on('message', (reply: Buffer) => {
    const id = reply.readUInt16BE(0)
    const at = sentMs.get(id)
    if (at === undefined) return
    if ((reply.readUInt8(3) & 0x0f) === 0) tookMs.push(performance.now() - at)
    sentMs.delete(id)
  })
  let asked = 0
  const sender = new Sender(quickPerSecond, (i) => {
    asked += 1
    sentMs.set(i, performance.now())
    client.send(writeQuery(`q${i}.${run}.quick.test`, 'A', { id: i }))
  })
  await sleep(seconds * 1000)
  await sender.stop()
  for (let waitedMs = 0; sentMs.size > 0 && waitedMs < patienceMs; waitedMs += 100) await sleep(100)
  await client.close()
  return { asked, tookMs: tookMs.toSorted((a, b) => a - b) }
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
  const result = await askQuick(port, run, seconds)
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
      const { asked, tookMs } = await withFlood(port, flood, `r${i}`, seconds)
      const [p50Ms, p99Ms] = [percentile(tookMs, 0.5), percentile(tookMs, 0.99)]
      const row = { transport, what: flood.what, asked, answered: tookMs.length, p50Ms, p99Ms }
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
