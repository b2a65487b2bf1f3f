/**
 * The set-up of every soak: flags, the daemon on one CPU, its upstream and the load on the other, samples while the load runs, the result
 * file, and the bars as exit code. Never says what is asked or what is measured.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { freePort } from '../../test/support/free-port.ts'
import { howToGet } from '../../test/support/needs.ts'
import type { Child } from '../../test/support/process.ts'
import { startAuthority } from '../comparison/field.ts'
import { pageOf } from '../report/soaks.ts'
import { atMost, type Verdict } from '../support/bars.ts'
import { type LoadReport, type LoadSpec, load } from '../support/load.ts'
import { type Asked, writeQueries } from '../support/query-mix.ts'
import {
  type Circumstances,
  describeCircumstances,
  endOnSignals,
  endWithUsage,
  exitWith,
  writeResult,
} from '../support/record.ts'
import { type ProcessReading, readProcess, Scrape } from '../support/scrape.ts'
import { inCgroup, onCpu, startNeardns } from '../support/servers.ts'
import { type MemoryCgroup, makeMemoryCgroup } from './memory-cgroup.ts'

/** Runs a soak as this process: the one call of each soak's file. */
export async function runSoak<Name extends string>(soak: Soak<Name>): Promise<void> {
  const script = `bench:${soak.kind}`
  await exitWith(script, async () => {
    const { flags, io, writesFile } = readFlags(soak)
    const circumstances = describeCircumstances(script)
    const rig = await startRig(io, soak.env, soak.memoryBytesMax?.(flags))
    try {
      const measured = await soak.measure(rig, flags)
      const result = { ...circumstances, kind: soak.kind, io, ...measured }
      process.stdout.write(`${pageOf(result)}\n`)
      if (writesFile) writeResult(soak.kind, result)
      return result.bars.every(({ verdict }) => verdict === 'met') ? 0 : 1
    } finally {
      await rig.stop()
    }
  })
}

export interface Soak<Name extends string> {
  readonly kind: SoakKind
  /** Numbers above 0, by their flags, with their defaults. A run with less than these is kept only with `--file`. */
  readonly flags: Flags<Name>
  readonly env?: Readonly<Record<string, string>>
  /** Of the daemon's memory, page cache included; needs root. */
  memoryBytesMax?(flags: Flags<Name>): number
  measure(rig: Rig, flags: Flags<Name>): Promise<{ readonly bars: readonly Verdict[] }>
}

export const serverCpu = 0
export const loadCpu = 1
/** As NodeLocal DNSCache keeps answers; an answer in use is fetched anew, as in life. */
export const ttlMaxSeconds = 30

export interface SoakResult extends Circumstances {
  readonly kind: SoakKind
  /** How the daemon reads and writes datagrams. */
  readonly io: string
  readonly bars: readonly Verdict[]
}

/** What a soak keeps, by what its `measure` returns. */
export type ResultOf<
  Kind extends SoakKind,
  Measure extends (...given: never[]) => Promise<unknown>,
> = SoakResult & Awaited<ReturnType<Measure>> & { readonly kind: Kind }

export type SoakKind =
  | 'stall'
  | 'long'
  | 'gc-stress'
  | 'soak-memory'
  | 'least-memory'
  | 'million-names'
  | 'water-torture'

export type Flags<Name extends string> = Readonly<Record<Name, number>>

export interface Rig {
  readonly daemon: Child
  readonly port: number
  readonly upstreamPort: number
  /** Goes away with this process. */
  readonly directory: string
  readonly cgroup: MemoryCgroup | undefined
  /** @returns the file of queries for `load` */
  queries(name: string, asked: readonly Asked[], ednsOneIn?: number): string
  /** The generator, on the daemon unless another port is given; wrong replies are shown. */
  load(spec: Omit<LoadSpec, 'port' | 'cpu'> & { port?: number }): Promise<LoadReport>
  /** @throws an Error with the daemon's last words when it has ended */
  read(): ProcessReading
  scrape(): Promise<Scrape>
  stop(): Promise<void>
}

function readFlags<Name extends string>({ kind, flags: defaults }: Soak<Name>) {
  const names = Object.keys(defaults) as Name[]
  const known = names.map((name) => `[--${name} ${defaults[name]}]`).join(' ')
  const usage = `npm run bench:${kind} -- ${known} [--io auto|portable|batched] [--file | --no-file]`
  const numbers: ParseArgsOptionsConfig = Object.fromEntries(
    names.map((name) => [name, { type: 'string', default: String(defaults[name]) }]),
  )
  const texts: ParseArgsOptionsConfig = { io: { type: 'string', default: 'batched' } }
  const switches: ParseArgsOptionsConfig = Object.fromEntries(
    ['file', 'no-file', 'help'].map((name) => [name, { type: 'boolean', default: false }]),
  )
  const { values } = parseArgs({ options: { ...numbers, ...texts, ...switches } })
  const flags = Object.fromEntries(names.map((name) => [name, Number(values[name])])) as Flags<Name>
  const isWrong = names.some((name) => !(flags[name] > 0))
  if (values['help'] === true) endWithUsage(usage)
  if (isWrong) throw new Error(usage)
  if (availableParallelism() < 2) throw new Error('two CPUs are needed')
  const how = howToGet('gcc')
  if (how !== undefined) throw new Error(`gcc is missing: ${how}`)
  const isWhole = names.every((name) => flags[name] >= defaults[name])
  const writesFile = values['file'] === true || (isWhole && values['no-file'] !== true)
  return { flags, io: String(values['io']), writesFile }
}

async function startRig(
  io: string,
  env: Readonly<Record<string, string>> = {},
  memoryBytesMax?: number,
): Promise<Rig> {
  endOnSignals()
  execFileSync('taskset', ['-apc', String(loadCpu), String(process.pid)], { stdio: 'ignore' })
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const cgroup =
    memoryBytesMax === undefined
      ? undefined
      : makeMemoryCgroup(`neardns-soak-${process.pid}`, memoryBytesMax)
  const authority = await startAuthority({ loadCpu, ttlMaxSeconds })
  const [port, adminPort] = [await freePort(), await freePort()]
  const upstream = `127.0.0.1:${authority.port}`
  const args = [
    ...[`--listen=127.0.0.1:${port}`, `--admin=127.0.0.1:${adminPort}`, `--io=${io}`],
    ...[`--cluster-upstream=${upstream}`, `--upstream=${upstream}`],
  ]
  const limited = cgroup === undefined ? [] : inCgroup(cgroup.procsFile)
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const daemon = await startNeardns(args, [...limited, ...onCpu(serverCpu), 'env', ...variables])
  return {
    ...{ daemon, port, upstreamPort: authority.port, directory, cgroup },
    queries: (name, asked, ednsOneIn) => {
      const file = join(directory, name)
      writeQueries(file, asked, ednsOneIn)
      return file
    },
    load: async (spec) => {
      const report = await load({ port, cpu: loadCpu, ...spec })
      for (const example of report.examples) process.stderr.write(`${example}\n`)
      return report
    },
    read: () => {
      if (!daemon.running) throw new Error(`the daemon ended: ${daemon.tail(10)}`)
      return readProcess(daemon.pid)
    },
    scrape: () => Scrape.of(`http://127.0.0.1:${adminPort}`),
    stop: async () => {
      await daemon.stop()
      await authority.child.stop()
      cgroup?.remove()
    },
  }
}

/** Calls `sample` every so often until `over` settles; what it throws is passed on at the end. */
export async function sampling<T>(
  over: Promise<T>,
  everyMs: number,
  sample: (seconds: number) => Promise<void> | void,
): Promise<T> {
  const startMs = performance.now()
  let isOver = false
  const done = over.finally(() => {
    isOver = true
  })
  const watching = (async () => {
    while (!isOver) {
      await sample((performance.now() - startMs) / 1000)
      await sleep(everyMs)
    }
  })()
  const [result] = await Promise.all([done, watching])
  return result
}

/** What every soak counts. */
export interface Counts {
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly wrong: number
  readonly servfail: number
}

export function countsOf({ sent, received, lost, wrong, servfail }: LoadReport): Counts {
  return { sent, received, lost, wrong, servfail }
}

/** The bars that most soaks share: no wrong reply, one query in a thousand without its answer. */
export function replyBars({ sent, lost, wrong, servfail }: Counts): Verdict[] {
  return [
    atMost('wrong replies', 0, wrong),
    atMost('lost or failed', Math.floor(sent / 1000), lost + servfail),
  ]
}
