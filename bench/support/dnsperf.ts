/**
 * Runs dnsperf and reads what it reports: as fast as the server answers (a bounded number of queries out), or at a fixed
 * rate whatever comes back, with the latency of each query. https://www.dns-oarc.net/tools/dnsperf
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { percentile } from './statistics.ts'

export interface DnsperfSpec {
  readonly port: number
  /** Lines `name type`. */
  readonly queryFile: string
  readonly seconds: number
  /** Queries per second; as fast as possible when absent. */
  readonly rate?: number
  readonly cpu: number
  /** The file is used once; otherwise it is repeated until time is up. */
  readonly once?: boolean
}

export interface Latencies {
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
}

export interface DnsperfResult {
  readonly sent: number
  readonly completed: number
  readonly lost: number
  readonly seconds: number
  readonly queriesPerSecond: number
  readonly rcodes: Readonly<Record<string, number>>
  /** Only of runs at a fixed rate. */
  readonly latencies?: Latencies
}

/** Few enough for a node's pods, many enough to keep a server busy. */
const outstandingWhenSaturating = 100
/** More than a second's worth at the highest rate: the generator never waits for the server. */
const outstandingAtRate = 20_000
const sockets = 20
let counter = 0

export async function dnsperf(spec: DnsperfSpec): Promise<DnsperfResult> {
  counter += 1
  const outFile = join(tmpdir(), `neardns-dnsperf-${process.pid}-${counter}.txt`)
  const out = openSync(outFile, 'w')
  try {
    await runInto(out, spec)
    return readReport(readFileSync(outFile, 'latin1'))
  } finally {
    closeSync(out)
    rmSync(outFile, { force: true })
  }
}

function argumentsOf({ port, queryFile, seconds, rate, once }: DnsperfSpec): string[] {
  const paced = rate === undefined ? [] : ['-Q', String(rate), '-v']
  const outstanding = rate === undefined ? outstandingWhenSaturating : outstandingAtRate
  return [
    ...['-s', '127.0.0.1', '-p', String(port), '-d', queryFile, '-l', String(seconds)],
    ...['-c', String(sockets), '-q', String(outstanding), '-t', '2'],
    ...(once === true ? ['-n', '1'] : []),
    ...paced,
  ]
}

async function runInto(out: number, spec: DnsperfSpec): Promise<void> {
  const command = ['-c', String(spec.cpu), 'dnsperf', ...argumentsOf(spec)]
  const child = spawn('taskset', command, { stdio: ['ignore', out, out] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  process.removeListener('exit', kill)
  if (code !== 0) throw new Error(`dnsperf ${command.join(' ')}: exit ${code}`)
}

/** Reads dnsperf's standard output, that of `-v` included. Throws when the statistics are not there. */
export function readReport(text: string): DnsperfResult {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(text)?.[1]
    if (found === undefined) throw new Error(`dnsperf did not report ${pattern}: ${tail(text)}`)
    return Number(found)
  }
  const latencies = readLatencies(text)
  return {
    sent: number(/Queries sent:\s+(\d+)/),
    completed: number(/Queries completed:\s+(\d+)/),
    lost: number(/Queries lost:\s+(\d+)/),
    seconds: number(/Run time \(s\):\s+([\d.]+)/),
    queriesPerSecond: number(/Queries per second:\s+([\d.]+)/),
    rcodes: readRcodes(/Response codes:\s+(.*)/.exec(text)?.[1] ?? ''),
    ...(latencies && { latencies }),
  }
}

function readRcodes(list: string): Record<string, number> {
  return Object.fromEntries(
    [...list.matchAll(/(\w+) (\d+)/g)].map(([, rcode = '', count]) => [rcode, Number(count)]),
  )
}

function readLatencies(text: string): Latencies | undefined {
  const found = [...text.matchAll(/^> \w+ \S+ \S+ (\d+\.\d+)$/gm)]
  if (found.length === 0) return undefined
  const sorted = Float64Array.from(found, ([, seconds]) => Number(seconds) * 1e6).sort()
  return {
    p50Us: Math.round(percentile(sorted, 0.5)),
    p99Us: Math.round(percentile(sorted, 0.99)),
    p999Us: Math.round(percentile(sorted, 0.999)),
    maxUs: Math.round(percentile(sorted, 1)),
  }
}

function tail(text: string): string {
  return text.slice(-500)
}
