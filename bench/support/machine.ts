/** What the figures depend on: machine, kernel, versions, commit. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cpus: number
  readonly memoryMiB: number
  readonly kernel: string
  /** Load average of the last minute when the bench began; above half a CPU the figures are doubtful. */
  readonly loadAtStart: number
}

export function describeMachine(): Machine {
  const [first] = cpus()
  return {
    cpu: modelOf() ?? first?.model ?? 'unknown',
    cpus: cpus().length,
    memoryMiB: Math.round(totalmem() / 1_048_576),
    kernel: release(),
    loadAtStart: loadavg()[0] ?? Number.NaN,
  }
}

export interface Versions {
  readonly commit: string
  /** Sources differ from the commit. */
  readonly isModified: boolean
  readonly node: string
}

export function describeVersions(): Versions {
  return {
    commit: output('git', ['rev-parse', '--short=10', 'HEAD']) || 'unknown',
    isModified:
      output('git', ['status', '--porcelain', '--', 'src', 'bench', ':!bench/results']) !== '',
    node: process.version,
  }
}

/** @returns empty when the command is missing or fails */
function output(command: string, args: readonly string[]): string {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const
    return execFileSync(command, args, { encoding: 'utf8', stdio: [...stdio] }).trim()
  } catch {
    return ''
  }
}

function modelOf(): string | undefined {
  try {
    return /^model name\s+: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1]
  } catch {
    return undefined
  }
}
