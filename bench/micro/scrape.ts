/**
 * What a scrape costs: CPU, the longest time that the event loop is held up, and the memory that the code of a metrics library takes.
 * Compares these sources with those of another revision and with prom-client behind its public API (docs/decisions/0034).
 *
 *   node bench/micro/scrape.ts [--base REV] [--runs 8]     fresh processes in turn; prints medians
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { ReplySource } from '../../src/core/facts.ts'
import { textOf } from '../../src/observe/exposition.ts'
import { allFamilies, emptySources, type MetricSources } from '../../src/observe/families/all.ts'
import type { Family } from '../../src/observe/families/family.ts'
import { mergeReadings } from '../../src/observe/merge-readings.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { QueryCounters } from '../../src/observe/query-counters.ts'
import { inOneGo } from '../../src/observe/time-slices.ts'
import { Random } from '../../test/fuzz/random.ts'
import { group, upstream } from '../../test/observe/support.ts'
import { table } from '../report/text.ts'
import { median } from '../support/statistics.ts'

const repository = join(import.meta.dirname, '..', '..')
const scrapes = 200
const warmUpScrapes = 50
/** Queries between two scrapes: they decide how many series have changed. */
const queriesBetween = 1000
const workers = 4

/** The families of a node with two addresses, two zones and four upstreams: some 1,000 series. */
function node() {
  const counters = new QueryCounters(
    ['dns://169.254.20.10:53', 'dns://10.96.0.10:53'],
    ['cluster.local.', '.'],
  )
  const random = new Random(1)
  const serve = (queries: number) => {
    for (let n = 0; n < queries; n++) counters.replied(randomFacts(random))
  }
  serve(20_000)
  let sent = 0
  const upstreams = ['10.0.0.1:53', '10.0.0.2:53', '10.0.0.3:53', '1.1.1.1:53']
  const sources: MetricSources = {
    ...emptySources(),
    counters: () => counters,
    upstreams: () =>
      upstreams.map((address) => {
        const one = upstream(address)
        return { ...one, roundTripMs: 1 + (sent++ % 7), counters: { ...one.counters, sent } }
      }),
    groups: () => [group],
  }
  return { families: allFamilies(sources), serve }
}

function randomFacts(random: Random): Parameters<QueryCounters['replied']>[0] {
  return {
    serverIndex: random.below(2),
    zoneIndex: random.below(3) - 1,
    transport: random.below(10) === 0 ? 1 : 0,
    family: 4,
    qtype: random.pick([1, 28, 1, 28, 33, 12, 16, 65]),
    rcode: random.pick([0, 0, 0, 3, 3, 2]),
    source: random.pick(Object.values(ReplySource)),
    queryBytes: 40 + random.below(60),
    replyBytes: 60 + random.below(500),
    dnssecOk: random.below(5) === 0,
    tookMs: random.below(1000) / 100,
  }
}

/** What one process does for a page. */
type Work = () => Promise<unknown>

interface Way {
  /** A process without workers. */
  readonly alone: Work
  /** One of several workers, the one that a scraper asks. */
  readonly asked?: Work
  /** The supervisor of these workers. */
  readonly supervisor?: Work
}

/** @param tree the sources of the other revision */
type MakeWay = (families: readonly Family[], tree: string) => Promise<Way>

const ways: Readonly<Record<string, MakeWay>> = {
  branch: async (families) => {
    const metrics = new Metrics()
    metrics.add(families)
    const answers = messages(await metrics.read())
    const page = serialize((await metrics.scrape()).body)
    return {
      alone: async () => Buffer.from((await metrics.scrape()).body),
      asked: async () => {
        serialize(await metrics.read())
        return Buffer.from(deserialize(page))
      },
      supervisor: async () => {
        const parts = answers.map((one, n) => ({ worker: String(n), families: deserialize(one) }))
        return serialize(inOneGo(textOf(mergeReadings(parts))))
      },
    }
  },
  /** The revision before docs/decisions/0034. Later ones have no such files. */
  base: async (families, tree) => {
    const load = (file: string): Promise<BaseModule> => import(join(tree, 'src/observe', file))
    const { Metrics: BaseMetrics } = await load('metrics.ts')
    const { mergeExpositions } = await load('merge-expositions.ts')
    const metrics = new BaseMetrics()
    metrics.add(families)
    const answers = messages((await metrics.scrape()).body)
    return {
      alone: async () => Buffer.from((await metrics.scrape()).body),
      asked: async () => {
        const own = (await metrics.scrape()).body
        serialize(own)
        const texts: string[] = [own, ...answers.slice(1).map((one) => deserialize(one))]
        const parts = texts.map((text, n) => ({ worker: String(n), text }))
        return Buffer.from(await mergeExpositions(parts))
      },
      supervisor: async () => serialize(answers.map((one) => deserialize(one))),
    }
  },
  /** `AggregatorRegistry.aggregate`: the only public way to samples that were counted elsewhere, those of histograms included. */
  'prom-client, aggregate': async (families) => {
    const { AggregatorRegistry } = await import('prom-client')
    const read = () => families.map(asPromClient)
    const answers = messages(read())
    return {
      alone: async () => Buffer.from(await AggregatorRegistry.aggregate([read()]).metrics()),
      supervisor: async () => {
        const pages: object[] = answers.map((one) => deserialize(one))
        return serialize(await AggregatorRegistry.aggregate(pages).metrics())
      },
    }
  },
  /** `collect`, all as gauges and without histograms, which accept nothing but single values. So its figures are too low. */
  'prom-client, collect': async (families) => {
    const { Gauge, Registry } = await import('prom-client')
    const registry = new Registry()
    for (const { name, help, kind, labelNames, collect } of families) {
      if (kind === 'histogram') continue
      const refill = () => {
        gauge.reset()
        for (const { labels, value } of collect()) gauge.set(labels, value)
      }
      const gauge = new Gauge({ name, help, labelNames, registers: [registry], collect: refill })
    }
    return { alone: async () => Buffer.from(await registry.metrics()) }
  },
}

/** The same answer from each worker. */
function messages(answer: unknown): Buffer[] {
  return Array.from({ length: workers }, () => serialize(answer))
}

/** What is used of the two files that `base` loads. */
interface BaseModule {
  readonly Metrics: new () => {
    add(families: readonly Family[]): void
    scrape(): Promise<{ readonly body: string }>
  }
  mergeExpositions(parts: readonly { worker: string; text: string }[]): Promise<string>
}

function asPromClient({ name, kind, help, collect }: Family): object {
  const values = collect().map(({ labels, bound, suffix, value }) => ({
    labels: { ...bound, ...labels },
    value,
    ...(suffix && { metricName: `${name}${suffix}` }),
  }))
  return { name, help, type: kind, aggregator: 'sum', values }
}

type Cost = Readonly<Record<'cpuMs' | 'blockedMs', number>>
type OneRun = Readonly<Partial<Record<keyof Way, Cost>>>

async function measureWay(name: string, tree: string): Promise<OneRun> {
  const makeWay = ways[name]
  if (makeWay === undefined) throw new Error(`no such way: ${name}`)
  const { families, serve } = node()
  const { alone, asked, supervisor } = await makeWay(families, tree)
  return {
    alone: await usual(alone, serve),
    ...(asked && { asked: await usual(asked, serve) }),
    ...(supervisor && { supervisor: await usual(supervisor, serve) }),
  }
}

async function usual(work: Work, serve: (queries: number) => void): Promise<Cost> {
  const costs: Cost[] = []
  for (let n = 0; n < warmUpScrapes + scrapes; n++) {
    serve(queriesBetween)
    const cost = await costOf(work)
    if (n >= warmUpScrapes) costs.push(cost)
  }
  const middle = (of: keyof Cost) => median(costs.map((cost) => cost[of]))
  return { cpuMs: middle('cpuMs'), blockedMs: middle('blockedMs') }
}

/** `blockedMs`: the most CPU time between two turns of the event loop, so that other processes on the machine do not count. */
async function costOf(work: Work): Promise<Cost> {
  let blockedMs = 0
  let isDone = false
  await new Promise((resolve) => setImmediate(resolve))
  const startMs = cpuMs()
  let lastMs = startMs
  const turn = () => {
    const nowMs = cpuMs()
    blockedMs = Math.max(blockedMs, nowMs - lastMs)
    lastMs = nowMs
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  isDone = true
  const endMs = cpuMs()
  return { cpuMs: endMs - startMs, blockedMs: Math.max(blockedMs, endMs - lastMs) }
}

function cpuMs(): number {
  // Not `threadCpuUsage`: Linux brings that up to date only once a tick.
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Resident memory that loading a module adds to a process that has node:http. */
function loadedMb(module: string): number {
  const script = `process.getBuiltinModule('node:http'); gc(); const before = process.memoryUsage.rss()
    await import('${module}'); gc(); console.log((process.memoryUsage.rss() - before) / 2 ** 20)`
  const args = ['--expose-gc', '--input-type=module', '-e', script]
  return Number(execFileSync(process.execPath, args, { cwd: repository, encoding: 'utf8' }))
}

function compareWays(base: string | undefined, runs: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-scrape-'))
  const tree = join(folder, 'base')
  const git = (...args: string[]) => execFileSync('git', args, { cwd: repository })
  const names = Object.keys(ways).filter((name) => name !== 'base' || base !== undefined)
  try {
    if (base !== undefined) {
      git('worktree', 'add', '--quiet', '--detach', tree, base)
      symlinkSync(join(repository, 'node_modules'), join(tree, 'node_modules'))
    }
    const results = new Map(names.map((name) => [name, [] as OneRun[]]))
    for (let run = 0; run < runs; run++) {
      for (const name of run % 2 === 0 ? names : names.toReversed()) {
        const args = [import.meta.filename, '--way', name, '--tree', tree]
        const result: OneRun = JSON.parse(
          execFileSync(process.execPath, args, { encoding: 'utf8' }),
        )
        results.get(name)?.push(result)
      }
    }
    process.stdout.write(`${table(head, [...results].map(rowOf))}\n\n`)
  } finally {
    if (base !== undefined) git('worktree', 'remove', '--force', tree)
    rmSync(folder, { recursive: true, force: true })
  }
  for (const module of ['prom-client', 'prom-client/lib/registry.js']) {
    const mb = median(Array.from({ length: runs }, () => loadedMb(module)))
    process.stdout.write(`RSS added by ${module}: ${mb.toFixed(1)} MiB\n`)
  }
}

const head = ['ms', 'alone', 'blocked', `asked of ${workers}`, 'blocked', 'supervisor', 'blocked']

function rowOf([name, runs]: readonly [string, readonly OneRun[]]): string[] {
  const figure = (who: keyof Way, cost: keyof Cost) => {
    const ms = median(runs.flatMap((run) => run[who]?.[cost] ?? []))
    return Number.isNaN(ms) ? '-' : ms.toFixed(2)
  }
  const whos = ['alone', 'asked', 'supervisor'] as const
  return [name, ...whos.flatMap((who) => [figure(who, 'cpuMs'), figure(who, 'blockedMs')])]
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      base: { type: 'string' },
      runs: { type: 'string', default: '8' },
      way: { type: 'string' },
      tree: { type: 'string', default: '' },
    },
  })
  if (values.way === undefined) compareWays(values.base, Number(values.runs))
  else process.stdout.write(JSON.stringify(await measureWay(values.way, values.tree)))
}
