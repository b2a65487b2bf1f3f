/** Keeps results: one JSON file for each bench, with everything that the figures depend on. Never makes pages of them. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'

const resultDirectory = join(import.meta.dirname, '..', 'results')

/** What every result file has, whatever was measured. */
export interface Circumstances {
  readonly date: string
  readonly command: string
  readonly machine: {
    readonly cpu: string
    readonly cpus: number
    readonly memoryMiB: number
    readonly kernel: string
    /** Load average of the last minute when the bench began; above half a CPU the figures are doubtful. */
    readonly loadAtStart: number
  }
  readonly versions: {
    readonly commit: string
    /** Sources differ from the commit. */
    readonly isModified: boolean
    readonly node: string
  }
}

/** Call it before the bench puts load on the machine. */
export function describeCircumstances(script: string): Circumstances {
  const changes = git('status', '--porcelain', '--', 'src', 'bench', ':!bench/results')
  return {
    date: new Date().toISOString(),
    command: [`npm run ${script} --`, ...process.argv.slice(2)].join(' ').replace(/ --$/, ''),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cpus: cpus().length,
      memoryMiB: Math.round(totalmem() / 1_048_576),
      kernel: release(),
      loadAtStart: loadavg()[0] ?? Number.NaN,
    },
    versions: {
      commit: git('rev-parse', '--short=10', 'HEAD') || 'unknown',
      isModified: changes !== '',
      node: process.version,
    },
  }
}

/** @returns what was kept last, or undefined */
export function keptResult(kind: string): unknown {
  const file = join(resultDirectory, `${kind}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** What it replaces is in the history of the repository. */
export function writeResult<Result extends Circumstances>(kind: string, result: Result): void {
  mkdirSync(resultDirectory, { recursive: true })
  writeFileSync(join(resultDirectory, `${kind}.json`), `${JSON.stringify(result, undefined, 1)}\n`)
  process.stdout.write(`kept in bench/results/${kind}.json; now: npm run bench:report\n`)
}

/** Ends this process, and with it everything that it started, when it is told to. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(1))
  }
}

/** For `--help`. */
export function endWithUsage(usage: string): never {
  process.stdout.write(`${usage}\n`)
  process.exit(0)
}

/** Runs a bench; an error is printed and ends it with 2, and what it has started with it. */
export async function exitWith(name: string, main: () => Promise<number> | number): Promise<void> {
  try {
    process.exitCode = await main()
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(2)
  }
}

/** @returns empty when git is missing or fails */
function git(...args: string[]): string {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const
    return execFileSync('git', args, { encoding: 'utf8', stdio: [...stdio] }).trim()
  } catch {
    return ''
  }
}
