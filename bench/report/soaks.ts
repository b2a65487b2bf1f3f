/** What is told of each soak: on the terminal at its end, and in docs/performance.md. Pure. */
import type { GcStressResult } from '../soaks/gc-stress.ts'
import type { LeastMemoryResult } from '../soaks/least-memory.ts'
import type { LongResult } from '../soaks/long.ts'
import type { SoakResult } from '../soaks/rig.ts'
import type { SoakMemoryResult } from '../soaks/soak-memory.ts'
import type { StallResult } from '../soaks/stall.ts'
import { delaysText, stallTable, windowSeconds } from './stall-page.ts'
import { barsTable, circumstancesText, count, fixed } from './text.ts'

export interface SoakResults {
  readonly stall?: StallResult
  readonly long?: LongResult
  readonly 'gc-stress'?: GcStressResult
  /** The oldest results have no bars. */
  readonly 'soak-memory'?: Pick<SoakMemoryResult, 'date' | 'verdict'>
  readonly 'least-memory'?: LeastMemoryResult
}

/** The bars, and the figures beside them. */
export function pageOf(result: SoakResult): string {
  if (isStall(result)) return stallText(result)
  const { bars, ...figures } = result
  const { verdict } = figures as { verdict?: unknown }
  return `${circumstancesText(result)}\n\n${barsTable(bars)}\n\n${JSON.stringify(verdict)}`
}

function isStall(result: SoakResult): result is StallResult {
  return result.kind === 'stall'
}

/** @param plots names of the files beside the results */
export function soaksText(all: SoakResults, plots: readonly string[]): string[] {
  const { stall, long, 'gc-stress': stress, 'soak-memory': memory, 'least-memory': least } = all
  const image = (file: string, what: string) =>
    plots.includes(file) ? `\n\n![${what}](../bench/results/${file})` : ''
  const runs = [
    stall && `${stallText(stall)}${image('stall-delay.svg', 'Event-loop delay')}`,
    long && `${longText(long)}${image('long-rss.svg', 'Resident memory')}`,
    stress && stressText(stress),
  ].filter((part) => part !== undefined)
  return [
    ...(runs.length === 0 ? [] : ['## Long runs', ...runs]),
    ...(memory || least ? ['## Memory under a limit'] : []),
    ...(memory === undefined ? [] : [memoryText(memory)]),
    ...(least === undefined ? [] : [leastText(least)]),
  ]
}

function stallText(result: StallResult): string {
  const { minutes, rate, bars } = result
  return `**${minutes} minutes at ${count(rate)} q/s, a scrape every second.** ${circumstancesText(result)} unbound had the same load in turns with it, ${windowSeconds} s each; nobody scrapes it.

${barsTable(bars)}

${stallTable(result)}

${delaysText(result)}`
}

function longText(result: LongResult): string {
  const { sent, cpuUsPerQuery, rate, rssMaxBytes, limitBytes, anonMaxBytes } = result.verdict
  // The oldest results were made without a limit.
  const limit =
    limitBytes === undefined
      ? ''
      : ` under a limit of ${limitBytes / 1_048_576} MiB, ${fixed(anonMaxBytes / 1e6, 0)} MB of them anonymous`
  return `**${count(sent)} queries.** ${circumstancesText(result)} ${fixed(cpuUsPerQuery, 1)} us CPU a query at ${count(rate)} q/s, at most ${fixed(rssMaxBytes / 1e6, 0)} MB${limit}.

${barsTable(result.bars)}`
}

function stressText(result: GcStressResult): string {
  const { minutes, queriesPerSecond, collections } = result.verdict
  return `**${minutes} minutes of forced collections.** ${circumstancesText(result)} ${count(queriesPerSecond)} q/s between ${count(collections)} collections.

${barsTable(result.bars)}`
}

function memoryText({ date, verdict }: Pick<SoakMemoryResult, 'date' | 'verdict'>): string {
  const { minutes, sent, right, limitHits, oomKills, stallMaxMs } = verdict
  const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`
  return `\`npm run bench:soak-memory -- --minutes ${minutes}\` (${date.slice(0, 10)}): in a cgroup of ${mebibytes(verdict.limitBytes)}, names that never come twice. ${count(sent)} misses,
${count(sent - right)} of them not answered or wrong, ${oomKills} OOM kills, the limit hit ${limitHits} times; at most ${mebibytes(verdict.cgroupMaxBytes)} charged, the cache at most
${mebibytes(verdict.cacheMaxBytes)} of the ${mebibytes(verdict.cacheBoundBytes)} it may have. With less memory, lower \`cache.bytesMax\`. Longest stall of the event loop: ${(stallMaxMs / 1000).toFixed(1)} s.`
}

function leastText(result: LeastMemoryResult): string {
  const { minutes, rate, sent, limitBytes, anonMaxBytes, p99Us, refusal } = result.verdict
  const megabytes = fixed(anonMaxBytes / 1e6, 0)
  return `**The least, ${limitBytes / 1_048_576} MiB.** ${circumstancesText(result)} ${minutes} minutes of pods' look-ups at ${count(rate)} q/s, one in ten for a new name: ${count(sent)} queries, at most ${megabytes} MB
anonymous, p99 ${count(p99Us)} us. With a MiB less it ends with exit code ${refusal.code}: \`${refusal.text}\`

${barsTable(result.bars)}`
}
