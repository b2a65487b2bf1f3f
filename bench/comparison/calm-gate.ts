/**
 * The calm gate: a latency is the server's only while the CPUs were there for it. Beside each run a thread at real-time priority
 * (programs/gaps.c) sees the time that the hypervisor took; a run in which it took too much at once is repeated, and not published.
 */
import { startProgram } from '../support/programs.ts'
import { unwrapped } from '../support/servers.ts'

export interface Watched<T> {
  readonly result: T
  /** By how much the latest wake-up on any of the CPUs was late, microseconds. */
  readonly gapUs: number
}

export type WatchGaps = <T>(run: () => Promise<T>) => Promise<Watched<T>>

/** Longer than what the kernel's own work takes at a time (0.3-1.8 ms in quiet minutes), far below the collections that are looked for. */
export const gapUsMax = 2000
/** Of one run. When the last was disturbed as well, the machine is too busy for this figure. */
const triesMax = 6

/** One for all runs of a comparison: what it repeats is bounded, so that a busy machine makes the comparison longer but not endless. */
export class CalmGate {
  repeats = 0
  private readonly watch: WatchGaps
  private readonly repeatsMax: number

  constructor(watch: WatchGaps, repeatsMax: number) {
    this.watch = watch
    this.repeatsMax = repeatsMax
  }

  /** @returns the first calm result, or the last one, with the gap that was seen beside it */
  async untilCalm<T>(run: () => Promise<T>): Promise<Watched<T>> {
    for (let attempt = 1; ; attempt++) {
      const watched = await this.watch(run)
      const isLast = attempt === triesMax || this.repeats === this.repeatsMax
      if (watched.gapUs <= gapUsMax || isLast) return watched
      this.repeats++
    }
  }
}

/** @returns undefined when there is no real-time priority to be had: nothing can be seen then, and every run counts as calm */
export async function gapWatch(cpus: readonly number[]): Promise<WatchGaps | undefined> {
  const watch: WatchGaps = async (run) => {
    const child = await startProgram('gaps', cpus.map(String), unwrapped)
    try {
      const result = await run()
      await child.stop()
      return { result, gapUs: longestUs(child.lines) }
    } finally {
      await child.stop()
    }
  }
  const isAllowed = await watch(async () => true).catch(() => undefined)
  return isAllowed === undefined ? undefined : watch
}

function longestUs(lines: readonly string[]): number {
  const line = lines.findLast((each) => each.startsWith('{')) ?? '{"longestUs":[]}'
  const { longestUs: all } = JSON.parse(line) as { longestUs: number[] }
  return Math.max(...all)
}
