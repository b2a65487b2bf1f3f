/** What the figures depend on: machine, kernel, versions, commit. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { corednsPath } from '../../test/support/needs.ts'

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
  readonly coredns: string
  readonly unbound: string
  readonly dnsperf: string
}

export function describeVersions(): Versions {
  return {
    commit: output('git', ['rev-parse', '--short=10', 'HEAD']) || 'unknown',
    isModified:
      output('git', ['status', '--porcelain', '--', 'src', 'bench', ':!bench/results']) !== '',
    node: process.version,
    coredns: /CoreDNS-(\S+)/.exec(output(corednsPath() ?? 'coredns', ['-version']))?.[1] ?? '',
    unbound: /Version (\S+)/.exec(output('unbound', ['-V']))?.[1] ?? '',
    dnsperf: /Version (\S+)/.exec(output('dnsperf', ['-h']))?.[1] ?? '',
  }
}

/** @returns the first output of a command that may be missing or may end with an error */
function output(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout).trim() : ''
  }
}

function modelOf(): string | undefined {
  try {
    return /^model name\s+: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1]
  } catch {
    return undefined
  }
}
