/** What the long runs have in common: their flags, the daemon and its upstream, samples while the load runs. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from '../../test/support/free-port.ts'
import { howToGet } from '../../test/support/needs.ts'
import type { Child } from '../../test/support/process.ts'
import type { LongRunCounts } from '../report/long-results.ts'
import { endOnSignals } from '../report/record.ts'
import { alignedTable } from '../report/table.ts'
import { type Verdict, verdictHead, verdictRow } from '../report/verdict.ts'
import { startAuthority } from './field.ts'
import type { LoadReport } from './load.ts'
import { onCpu, startNeardns } from './servers.ts'

export const serverCpu = 0
export const loadCpu = 1
/** As NodeLocal DNSCache keeps answers; what is used is fetched anew, as it is in life. */
export const ttlMaxSeconds = 30

export interface LongOptions {
  readonly minutes: number
  readonly rate: number
  readonly io: string
  readonly writesFile: boolean
}

/** Reads the flags; what is wrong with them or with the machine ends the process with 2. */
export function readLongOptions(
  script: string,
  defaults: { readonly minutes: number; readonly rate: number },
): LongOptions {
  const usage = `npm run ${script} -- [--minutes ${defaults.minutes}] [--rate ${defaults.rate}] [--io auto|portable|batched] [--file | --no-file]`
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: String(defaults.minutes) },
        rate: { type: 'string', default: String(defaults.rate) },
        io: { type: 'string', default: 'batched' },
        file: { type: 'boolean', default: false },
        'no-file': { type: 'boolean', default: false },
      },
    })
    const [minutes, rate] = [Number(values.minutes), Number(values.rate)]
    if (!(minutes > 0) || !(rate > 0)) throw new Error('minutes and rate are numbers above 0')
    if (availableParallelism() < 2) throw new Error('two CPUs are needed')
    const how = howToGet('gcc')
    if (how !== undefined) throw new Error(`gcc is missing: ${how}`)
    // A shorter run must not replace the whole one.
    const isWhole = minutes >= defaults.minutes
    const writesFile = values.file || (isWhole && !values['no-file'])
    return { minutes, rate, io: values.io, writesFile }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`)
    return process.exit(2)
  }
}

export interface Rig {
  readonly daemon: Child
  readonly port: number
  /** Base of the admin pages. */
  readonly admin: string
  readonly upstreamPort: number
  /** Goes away with this process. */
  readonly directory: string
  stop(): Promise<void>
}

/** The daemon on one CPU, its upstream on the other, where this process moves too. */
export async function startRig(
  { io }: LongOptions,
  env: Readonly<Record<string, string>> = {},
): Promise<Rig> {
  endOnSignals()
  execFileSync('taskset', ['-apc', String(loadCpu), String(process.pid)], { stdio: 'ignore' })
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const authority = await startAuthority({ loadCpu, ttlMaxSeconds })
  const [port, adminPort] = [await freePort(), await freePort()]
  const upstream = `127.0.0.1:${authority.port}`
  const args = [
    ...[`--listen=127.0.0.1:${port}`, `--admin=127.0.0.1:${adminPort}`, `--io=${io}`],
    ...[`--cluster-upstream=${upstream}`, `--upstream=${upstream}`],
  ]
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const daemon = await startNeardns(args, [...onCpu(serverCpu), 'env', ...variables])
  const stop = async () => {
    await daemon.stop()
    await authority.child.stop()
  }
  const admin = `http://127.0.0.1:${adminPort}`
  return { daemon, port, admin, upstreamPort: authority.port, directory, stop }
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
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  })()
  const [result] = await Promise.all([done, watching])
  return result
}

export function countsOf({ sent, received, lost, wrong, servfail }: LoadReport): LongRunCounts {
  return { sent, received, lost, wrong, servfail }
}

/** @returns the exit code: 1 when a bar was not met */
export function printBars(bars: readonly Verdict[]): number {
  process.stdout.write(`${alignedTable(verdictHead, bars.map(verdictRow))}\n`)
  return bars.every(({ verdict }) => verdict === 'met') ? 0 : 1
}
