/** Runs the load generator (programs/load.c) and reads what it reports. */
import { buildProgram } from './programs.ts'
import { onCpu, startWrapped } from './servers.ts'

export interface LoadSpec {
  readonly port: number
  /** As `writeQueries` makes it. */
  readonly queryFile: string
  readonly seconds: number
  readonly cpu: number
  /** Queries per second, whatever comes back; absent: as fast as replies come, `window` queries out. */
  readonly rate?: number
  readonly window?: number
  /** At most as many as queries are out; 16 when absent. */
  readonly sockets?: number
  /** How replies are judged; loosely when absent. */
  readonly check?: 'loose' | 'strict' | 'none'
  /** The file is played once, each query answered or given up before the next takes its place. */
  readonly once?: boolean
  /** So many queries, in the same way. */
  readonly total?: number
  /** The first number of the names that are new each time. */
  readonly uniqueFrom?: number
  /** Time to live that the authority gives; no answer may have more. */
  readonly ttlMaxSeconds?: number
  /** Replies that take longer are counted as slow; 5 ms when absent. */
  readonly slowUs?: number
}

export interface LoadReport {
  readonly sent: number
  readonly received: number
  /** Not answered within two seconds, or a second after the end. */
  readonly lost: number
  readonly wrong: number
  readonly servfail: number
  /** Of those received. */
  readonly slow: number
  readonly sendErrors: number
  readonly seconds: number
  readonly queriesPerSecond: number
  /** The generator's own. */
  readonly cpuUs: number
  readonly nextUnique: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
  /** How late queries left, at a fixed rate. */
  readonly lateP99Us: number
  readonly lateMaxUs: number
  /** What the generator printed of the first wrong replies. */
  readonly examples: readonly string[]
}

/** What the generator may take longer than it was told to. */
const graceMs = 15_000

/** @throws an Error with the generator's last words when it fails or hangs */
export async function load(spec: LoadSpec): Promise<LoadReport> {
  const child = startWrapped(onCpu(spec.cpu), await buildProgram('load'), argumentsOf(spec))
  const timer = setTimeout(() => child.process.kill('SIGKILL'), spec.seconds * 1000 + graceMs)
  const { code } = await child.exited
  clearTimeout(timer)
  const line = child.lines.findLast((each) => each.startsWith('{'))
  if (code !== 0 || line === undefined) {
    throw new Error(`the load generator ended with ${code}: ${child.tail(3)}`)
  }
  const examples = child.lines.filter((each) => each.startsWith('wrong reply'))
  return { ...JSON.parse(line), examples } as LoadReport
}

/** Flags are the names of the spec in lower case with hyphens. */
function argumentsOf({ queryFile, ttlMaxSeconds, seconds, once, cpu: _, ...rest }: LoadSpec) {
  const values = { ...rest, queries: queryFile, seconds, ttlMax: ttlMaxSeconds }
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  const flag = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return [
    ...given.map(([name, value]) => `--${flag(name)}=${value}`),
    ...(once === true ? ['--once'] : []),
  ]
}
