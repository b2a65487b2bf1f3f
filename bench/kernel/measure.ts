/** What is measured of hits in the kernel: each figure in turns, contestant after contestant and round after round, and the median told. */
import { join } from 'node:path'
import { knownNames, podTraffic, writeQueries } from '../support/query-mix.ts'
import { median } from '../support/statistics.ts'
import {
  type Cost,
  type KernelHitsFigures,
  kinds,
  type Latency,
  manyNames,
  names,
  type Paired,
  rhythms,
  type Traffic,
} from './figures.ts'
import { anHour, Contestant, type PodLoad, warmUp } from './lab.ts'

const rate = 10_000
const trafficQuestions = 20_000
const trafficSeed = 1
/** V8 compiles for the first 150,000 queries or so, in threads whose time counts: with the mode on the daemon sees half of them. */
const trafficWarmUpSeconds = 30
/** Turns are so many times as long as those of the closed loop: a turn without a collection is no measure. */
const trafficPerTurn = 30
/** As CoreDNS gives in a cluster. */
const clusterTtlSeconds = 30
/** Room for all names at once; the default is 2,048. */
const manyEntriesMax = 131_072

export interface Plan {
  readonly directory: string
  readonly rounds: number
  /** Of a run in a closed loop. */
  readonly seconds: number
  readonly onProgress: (text: string) => void
}

export async function measureAll(plan: Plan, only: readonly string[]): Promise<KernelHitsFigures> {
  const wants = (part: string) => only.length === 0 || only.includes(part)
  const servers: Contestant[] = []
  try {
    for (const name of ['echo', 'limit', 'off', 'on'] as const)
      servers.push(await Contestant.start(name, { entriesMax: 2048, ttlSeconds: anHour }))
    const daemons = servers.filter(({ isDaemon }) => isDaemon)
    const known = queryFile(plan, 'known', names, 0)
    for (const one of daemons)
      await warmUp(one, { queryFile: known, seconds: 0.3, window: 32 }, names)
    return {
      costs: wants('cost') ? await costsOf(plan, servers) : [],
      latencies: wants('latency') ? await latenciesOf(plan, servers) : [],
      miss: wants('miss') ? await missOf(plan, daemons) : undefined,
      traffic: wants('traffic') ? await trafficOf(plan) : [],
      growth: wants('growth') ? await growthOf(plan) : undefined,
    }
  } finally {
    for (const one of servers) await one.stop()
  }
}

function queryFile({ directory }: Plan, name: string, count: number, ednsOneIn: number): string {
  const file = join(directory, `${name}-${ednsOneIn}`)
  writeQueries(file, knownNames(count), ednsOneIn)
  return file
}

interface Reading {
  readonly cpuUs: number
  readonly podUs: number
  readonly lost: number
  readonly wrong: number
}

/** @returns CPU a reply */
async function costOf(one: Contestant, load: PodLoad): Promise<Reading> {
  const before = one.cpuUs()
  const report = await one.load(load)
  const serverUs = one.cpuUs() - before
  const { cpuUs, received, sent, wrong } = report
  return {
    ...{ cpuUs: (cpuUs + serverUs) / received, podUs: cpuUs / received },
    ...{ lost: sent - received, wrong },
  }
}

async function costsOf(plan: Plan, servers: readonly Contestant[]): Promise<Cost[]> {
  const rows: Cost[] = []
  for (const { rhythm, window, spins } of rhythms) {
    for (const { kind, family, edns } of kinds) {
      plan.onProgress(`${rhythm}, ${kind}`)
      const file = queryFile(plan, 'known', names, edns)
      const load = { queryFile: file, seconds: plan.seconds, window, spins, family }
      const readings = await inTurns(plan.rounds, servers, (one) => costOf(one, load))
      for (const [at, { name }] of servers.entries())
        rows.push({ rhythm, kind, contestant: name, ...summary(readings[at] ?? []) })
    }
  }
  return rows
}

/** @returns what each contestant gave, round after round */
async function inTurns<T>(
  rounds: number,
  servers: readonly Contestant[],
  run: (one: Contestant) => Promise<T>,
): Promise<T[][]> {
  const results: T[][] = servers.map(() => [])
  for (let round = 0; round < rounds; round++) {
    // The order changes: what one leaves in the CPU's caches is not always the same one's.
    for (let i = 0; i < servers.length; i++) {
      const at = (i + round) % servers.length
      const one = servers[at]
      if (one !== undefined) results[at]?.push(await run(one))
    }
  }
  return results
}

function summary(readings: readonly Reading[]): Reading {
  const sum = (of: (one: Reading) => number) => readings.reduce((all, one) => all + of(one), 0)
  return {
    cpuUs: median(readings.map(({ cpuUs }) => cpuUs)),
    podUs: median(readings.map(({ podUs }) => podUs)),
    lost: sum(({ lost }) => lost),
    wrong: sum(({ wrong }) => wrong),
  }
}

async function latenciesOf(plan: Plan, servers: readonly Contestant[]): Promise<Latency[]> {
  plan.onProgress('latency')
  const load = { queryFile: queryFile(plan, 'known', names, 1), seconds: 4 * plan.seconds, rate }
  const reports = await inTurns(plan.rounds, servers, (one) => one.load(load))
  return servers.map(({ name }, at) => {
    const own = reports[at] ?? []
    const middle = (of: 'p50Us' | 'p99Us' | 'p999Us') => median(own.map((one) => one[of]))
    return {
      ...{
        contestant: name,
        p50Us: middle('p50Us'),
        p99Us: middle('p99Us'),
        p999Us: middle('p999Us'),
      },
      lost: own.reduce((sum, { sent, received }) => sum + sent - received, 0),
      wrong: own.reduce((sum, { wrong }) => sum + wrong, 0),
    }
  })
}

/** Names that never come twice, asked over TCP behind the daemon. */
async function missOf(plan: Plan, daemons: readonly Contestant[]): Promise<Paired> {
  plan.onProgress('miss')
  const file = join(plan.directory, 'unique')
  writeQueries(file, [{ name: 'u00000000.team-1.svc.cluster.local', type: 'A' }], 1)
  let uniqueFrom = 0
  const rounds = await inTurns(3 * plan.rounds, daemons, (one) => {
    uniqueFrom += 10_000_000
    return costOf(one, { queryFile: file, seconds: plan.seconds, window: 32, uniqueFrom })
  })
  return pairedOf(rounds)
}

function pairedOf([first = [], second = []]: readonly (readonly Reading[])[]): Paired {
  const ratios = first.map(({ cpuUs }, at) => (second[at]?.cpuUs ?? Number.NaN) / cpuUs)
  return {
    firstUs: summary(first).cpuUs,
    secondUs: summary(second).cpuUs,
    ratio: median(ratios),
    lost: summary(first).lost + summary(second).lost,
  }
}

/** In a daemon of its own with room for all, so that nothing but the number of names differs. */
async function growthOf(plan: Plan): Promise<Paired> {
  plan.onProgress('growth')
  const one = await Contestant.start('on', { entriesMax: manyEntriesMax, ttlSeconds: anHour })
  try {
    const many = { queryFile: queryFile(plan, 'many', manyNames, 1), window: 32 }
    const few = { queryFile: queryFile(plan, 'few', names, 1), window: 32 }
    await warmUp(one, { ...many, seconds: 4 }, manyNames)
    const readings: [Reading[], Reading[]] = [[], []]
    for (let round = 0; round < plan.rounds; round++) {
      readings[0].push(await costOf(one, { ...few, seconds: plan.seconds }))
      readings[1].push(await costOf(one, { ...many, seconds: 2 * plan.seconds }))
    }
    return pairedOf(readings)
  } finally {
    await one.stop()
  }
}

/** Look-ups of pods through three search domains, A and AAAA, at a steady rate. */
async function trafficOf(plan: Plan): Promise<Traffic[]> {
  plan.onProgress('pod traffic')
  const file = join(plan.directory, 'traffic')
  writeQueries(file, podTraffic(trafficQuestions, trafficSeed), 2)
  const load = { queryFile: file, rate, mustAnswer: false }
  const daemons: Contestant[] = []
  try {
    for (const name of ['off', 'on'] as const)
      daemons.push(
        await Contestant.start(name, { entriesMax: 2048, ttlSeconds: clusterTtlSeconds }),
      )
    for (const one of daemons) await one.load({ ...load, seconds: trafficWarmUpSeconds })
    const seconds = trafficPerTurn * plan.seconds
    const readings = await inTurns(plan.rounds, daemons, (one) =>
      trafficOn(one, { ...load, seconds }),
    )
    return daemons.map(({ name }, at) => trafficRow(name, readings[at] ?? []))
  } finally {
    for (const one of daemons) await one.stop()
  }
}

type TrafficReading = Omit<Traffic, 'contestant'>

async function trafficOn(one: Contestant, load: PodLoad): Promise<TrafficReading> {
  // What has expired meanwhile is asked for again.
  await one.load({ ...load, seconds: trafficQuestions / rate })
  const [hitsBefore, cpuBefore] = [await hitsOf(one), one.cpuUs()]
  const { sent, received, p99Us, seconds } = await one.load(load)
  const cpuUs = one.cpuUs() - cpuBefore
  return {
    ...{ sent, lost: sent - received, p99Us },
    cpuShare: cpuUs / 1e6 / seconds,
    kernelShare: ((await hitsOf(one)) - hitsBefore) / sent,
  }
}

function trafficRow(contestant: Traffic['contestant'], own: readonly TrafficReading[]): Traffic {
  const middle = (of: 'p99Us' | 'cpuShare' | 'kernelShare') => median(own.map((one) => one[of]))
  const sum = (of: 'sent' | 'lost') => own.reduce((all, one) => all + one[of], 0)
  return {
    ...{ contestant, sent: sum('sent'), lost: sum('lost'), p99Us: middle('p99Us') },
    ...{ cpuShare: middle('cpuShare'), kernelShare: middle('kernelShare') },
  }
}

async function hitsOf(one: Contestant): Promise<number> {
  return (await one.scrape()).sum('neardns_kernel_hits_total')
}
