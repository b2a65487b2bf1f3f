/** Reads numbers from a `/metrics` page and from `/proc`. */
import { readFileSync } from 'node:fs'
import { readExposition, sampleOf } from '../../test/support/exposition.ts'

/** One scrape: asks it for a value, or for the sum over all label sets of a family. */
export class Scrape {
  private readonly families: ReturnType<typeof readExposition>

  constructor(text: string) {
    this.families = readExposition(text)
  }

  static async of(url: string): Promise<Scrape> {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5000) })
    return new Scrape(await response.text())
  }

  value(name: string): number {
    return sampleOf(this.families, name)
  }

  sum(name: string): number {
    const family = this.families.get(name) ?? this.families.get(name.replace(/_(sum|count)$/, ''))
    const series = (family?.series ?? []).filter((one) => one.name === name)
    return series.reduce((sum, { value }) => sum + value, 0)
  }
}

export interface ProcessReading {
  /** CPU time since the start, microseconds; the kernel counts in ticks of 10 ms. */
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
  return { userUs: ticks(14), systemUs: ticks(15), rssBytes: rssKib * 1024 }
}
