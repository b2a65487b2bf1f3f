/** Reads numbers from a `/metrics` page and from `/proc`. */
import { readdirSync, readFileSync } from 'node:fs'
import { readExposition, sampleOf, seriesOf } from '../../test/support/exposition.ts'

/** One scrape: asks it for a value, or for the sum over all label sets of a family. The text is parsed when first asked, after the load. */
export class Scrape {
  private readonly text: string
  private families: ReturnType<typeof readExposition> | undefined

  constructor(text: string) {
    this.text = text
  }

  static async of(url: string): Promise<Scrape> {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5000) })
    return new Scrape(await response.text())
  }

  value(name: string): number {
    return sampleOf(this.parsed(), name)
  }

  /** @returns 0 when there is no series with these labels */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return seriesOf(this.parsed(), name, labels).reduce((sum, { value }) => sum + value, 0)
  }

  private parsed(): ReturnType<typeof readExposition> {
    this.families ??= readExposition(this.text)
    return this.families
  }
}

/** @returns time in which a process's first thread could have run and others had its CPU, since it began */
export function waitedMs(pid: number): number {
  const [, ns] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')
  return Number(ns) / 1e6
}

/** @returns for each CPU the time that the hypervisor took from it since the machine began, in steps of 10 ms (proc_stat(5)) */
export function stolenMs(): number[] {
  const lines = readFileSync('/proc/stat', 'latin1').split('\n')
  return lines
    .filter((line) => /^cpu\d/.test(line))
    .map((line) => (Number(line.split(/ +/)[8]) * 1000) / ticksPerSecond)
}

export interface ProcessReading {
  /** CPU time of all living threads since their start, microseconds, to the nanosecond (`schedstat`). */
  readonly cpuUs: number
  /** The same in two parts; the kernel gives them in ticks of 10 ms. */
  readonly userUs: number
  readonly systemUs: number
  readonly rssBytes: number
}

/** What `sysconf(_SC_CLK_TCK)` is on every Linux that Node runs on. */
const ticksPerSecond = 100

export function readProcess(pid: number): ProcessReading {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name in parentheses may hold anything; the fields are counted from behind it (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = (at: number) => (Number(fields[at - 3]) * 1e6) / ticksPerSecond
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const rssKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN)
  const [userUs, systemUs] = [ticks(14), ticks(15)]
  return { cpuUs: scheduledUs(pid) ?? userUs + systemUs, userUs, systemUs, rssBytes: rssKib * 1024 }
}

/** @returns undefined where the kernel keeps no such account */
function scheduledUs(pid: number): number | undefined {
  const ns = readdirSync(`/proc/${pid}/task`).map((thread) => {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1')
      return Number(text.split(' ')[0])
    } catch {
      // The thread has just ended.
      return 0
    }
  })
  const sum = ns.reduce((all, each) => all + each, 0)
  return sum > 0 ? sum / 1000 : undefined
}
