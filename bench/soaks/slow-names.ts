/**
 * Do names that CoreDNS must ask others for hold up the cluster's own? A client asks new cluster names at a steady rate while another keeps
 * so many names open for which a resolver behind CoreDNS takes half a second, each asked once. Through neardns, and NodeLocal DNSCache's way:
 * CoreDNS with `force_tcp`, which has a connection for each open question. Each row begins with a fresh process that knows no slow name.
 * Slow names begin one after another: in step, their answers and the next questions would be bursts of the load's own CPU every half second.
 * What is asked of is on one CPU; CoreDNS, the slow resolver and the load are on the other. It has its own load: rig.ts's knows no slow names.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { freePort } from '../../test/support/free-port.ts'
import { corednsPath, howToGet } from '../../test/support/needs.ts'
import type { Child } from '../../test/support/process.ts'
import { delayed, FakeUpstream } from '../../test/upstream/fake-upstream.ts'
import { atMost, type Verdict } from '../support/bars.ts'
import { describeCircumstances, endOnSignals, endWithUsage, exitWith } from '../support/record.ts'
import { onCpu, startNeardns, startWrapped } from '../support/servers.ts'
import { type Asked, askSteadily, OpenQuestions } from '../support/steady.ts'
import { sampling } from './rig.ts'

const slowMs = 500
const quickPerSecond = 1000
const openCounts = [0, 5, 12, 32, 64]
const warmUpSeconds = 2
const sampleMs = 500
const serverCpu = 0
const loadCpu = 1
const ratioMax = 1.5

/** What the questions go through on their way to CoreDNS. */
interface Way {
  readonly name: string
  start(front: Front): Promise<Child>
}

interface Front {
  readonly port: number
  readonly corednsPort: number
  /** For configuration files; goes away with this process. */
  readonly directory: string
}

interface Row {
  readonly way: string
  readonly open: number
  readonly quick: Asked
  readonly slow: Asked
  /** At most at one time. */
  readonly connections: number
}

const ways: readonly Way[] = [
  { name: 'neardns', start: (front) => startDaemon(front, {}) },
  { name: 'tcp-only', start: (front) => startDaemon(front, { slowOverUdp: false }) },
  {
    name: 'nodelocal',
    start: ({ port, corednsPort, directory }) =>
      startCoredns(serverCpu, join(directory, 'front'), nodeLocalCorefile(port, corednsPort)),
  },
]

async function startDaemon({ port, corednsPort, directory }: Front, stream: object) {
  const file = join(directory, 'neardns.yaml')
  const upstreams = [`127.0.0.1:${corednsPort}`]
  // YAML 1.2 takes JSON.
  writeFileSync(file, JSON.stringify({ cluster: { upstreams, exchange: { stream } } }))
  const args = [`--config=${file}`, `--listen=127.0.0.1:${port}`, `--upstream=${upstreams[0]}`]
  return await startNeardns(args, onCpu(serverCpu))
}

async function startCoredns(cpu: number, file: string, corefile: string): Promise<Child> {
  writeFileSync(file, corefile)
  const child = startWrapped(onCpu(cpu), corednsPath() ?? 'coredns', ['-conf', file])
  await child.line((line) => line.startsWith('CoreDNS-'), 15_000)
  return child
}

/** Its own names and, in the cluster's domain as ExternalNames are, those that it asks another for. */
function corefile(port: number, resolverPort: number): string {
  return `.:${port} {
  bind 127.0.0.1
  template IN A cluster.local {
    match ^quick
    answer "{{ .Name }} 5 IN A 10.0.0.1"
    fallthrough
  }
  forward . 127.0.0.1:${resolverPort} {
    max_concurrent 1000
  }
}
`
}

function nodeLocalCorefile(port: number, corednsPort: number): string {
  return `cluster.local:${port} {
  errors
  bind 127.0.0.1
  cache {
    success 9984 30
    denial 9984 5
  }
  forward . 127.0.0.1:${corednsPort} {
    force_tcp
  }
}
`
}

async function measure(way: Way, open: number, world: Omit<Front, 'port'>, seconds: number) {
  const port = await freePort()
  const child = await way.start({ ...world, port })
  const run = `${way.name}${open}`
  const quickWay = { port, client: '127.0.0.2' }
  const quickName = (part: string) => (i: number) => `quick${i}.${part}${run}.svc.cluster.local`
  try {
    const pace = { perSecond: quickPerSecond, seconds }
    const warmUp = askSteadily(quickWay, { ...pace, seconds: warmUpSeconds }, quickName('warm'))
    const slowWay = { port, client: '127.0.0.3' }
    const openOnes = await OpenQuestions.start(
      slowWay,
      { count: open, forMs: slowMs },
      (i) => `slow${i}.${run}.svc.cluster.local`,
    )
    await warmUp
    let connections = 0
    const quick = await sampling(askSteadily(quickWay, pace, quickName('')), sampleMs, async () => {
      connections = Math.max(connections, await connectionsAt(world.corednsPort))
    })
    return { way: way.name, open, quick, slow: await openOnes.stop(), connections }
  } finally {
    await child.stop()
  }
}

const execute = promisify(execFile)

/**
 * Not from /proc/net/tcp: with 8,000 connections of others in TIME-WAIT it takes 30 ms to read, in which this process sends and reads nothing.
 * @returns the connections that a server has open
 */
async function connectionsAt(port: number): Promise<number> {
  const { stdout } = await execute('ss', ['-Htn', 'state', 'established', `( sport = :${port} )`])
  return stdout.split('\n').filter((line) => line !== '').length
}

function lineOf({ way, open, quick, slow, connections }: Row, ratio: number): string {
  const cells = [
    way.padEnd(9),
    String(open).padStart(4),
    quick.p50Ms.toFixed(2).padStart(7),
    quick.p99Ms.toFixed(2).padStart(7),
    quick.secondP99Ms.toFixed(2).padStart(11),
    ratio.toFixed(2).padStart(6),
    String(quick.asked - quick.answered).padStart(6),
    open === 0
      ? ''.padStart(19)
      : `${slow.p50Ms.toFixed(0)}, ${slow.maxMs.toFixed(0)}`.padStart(12),
    open === 0 ? '' : String(slow.asked - slow.answered).padStart(6),
    String(connections).padStart(11),
  ]
  return cells.join(' ')
}

const heading =
  'way       open  p50 ms  p99 ms  of 1 s, ms  ratio failed slow p50, max failed connections at most'

function ratioOf(quick: Asked, alone: Asked): number {
  return quick.secondP99Ms / alone.secondP99Ms
}

function barsOf(rows: readonly Row[]): Verdict[] {
  const [alone] = rows
  return rows.flatMap(({ way, open, quick, slow }) => {
    const failed = quick.asked - quick.answered + slow.asked - slow.answered
    const none = atMost(`${way}, ${open} open: failed, slow ones included`, 0, failed)
    if (open === 0 || alone === undefined) return [none]
    return [
      none,
      atMost(`${way}, ${open} open: p99 of a second`, ratioMax, ratioOf(quick, alone.quick), 'x'),
      atMost(`${way}, ${open} open: p50 of slow names`, ratioMax * slowMs, slow.p50Ms, 'ms'),
    ]
  })
}

function readFlags() {
  const options = {
    seconds: { type: 'string', default: '5' },
    ways: { type: 'string', default: 'neardns,nodelocal' },
    help: { type: 'boolean', default: false },
  } as const
  const { values } = parseArgs({ options })
  const names = ways.map(({ name }) => name)
  const usage = `npm run bench:slow-names -- [--seconds 5] [--ways ${names.join(',')}]`
  if (values.help) endWithUsage(usage)
  const asked = values.ways.split(',')
  const seconds = Number(values.seconds)
  if (!(seconds > 0) || asked.some((name) => !names.includes(name))) throw new Error(usage)
  const how = howToGet('coredns')
  if (how !== undefined) throw new Error(`CoreDNS is missing: ${how}`)
  return { seconds, chosen: ways.filter(({ name }) => asked.includes(name)) }
}

await exitWith('bench:slow-names', async () => {
  const { seconds, chosen } = readFlags()
  const { machine, versions } = describeCircumstances('bench:slow-names')
  endOnSignals()
  execFileSync('taskset', ['-apc', String(loadCpu), String(process.pid)], { stdio: 'ignore' })
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const resolver = await FakeUpstream.start(delayed(slowMs))
  const corednsPort = await freePort()
  const served = corefile(corednsPort, resolver.port)
  const coredns = await startCoredns(loadCpu, join(directory, 'Corefile'), served)
  const where = `${machine.cpus} CPUs, load ${machine.loadAtStart} before, commit ${versions.commit}`
  process.stdout.write(`${quickPerSecond} cluster names a second; ${where}\n${heading}\n`)
  const verdicts: Verdict[] = []
  for (const way of chosen) {
    const rows: Row[] = []
    for (const open of openCounts) {
      const row = await measure(way, open, { corednsPort, directory }, seconds)
      rows.push(row)
      process.stdout.write(`${lineOf(row, ratioOf(row.quick, (rows[0] ?? row).quick))}\n`)
    }
    // The comparison's own failures are its own.
    if (way.name !== 'nodelocal') verdicts.push(...barsOf(rows))
  }
  await coredns.stop()
  await resolver.stop()
  for (const { what, measured, unit, verdict } of verdicts)
    process.stdout.write(`${verdict.padEnd(8)} ${what} ${measured?.toFixed(2)} ${unit}\n`)
  return verdicts.every(({ verdict }) => verdict === 'met') ? 0 : 1
})
