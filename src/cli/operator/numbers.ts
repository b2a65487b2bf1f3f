/** Numbers of a daemon for people: rates between two looks, percentiles of a histogram, and their texts. Pure. */
import type { Summary as DaemonSummary } from '../../daemon/operator/summary.ts'
import { durationBoundsSeconds } from '../../platform/duration-buckets.ts'

/** What `/v1/status` says of a daemon, or of all its workers. */
export interface Summary extends Omit<DaemonSummary, 'reload'> {
  readonly reload: Pick<DaemonSummary['reload'], 'isLastGood' | 'appliedSeconds'>
  readonly workers: number
  /** Workers that did not answer. */
  readonly missing: number
}

/** What has happened between two looks. */
export interface Between {
  readonly seconds: number
  readonly queriesPerSecond: number
  /** Shares of the queries, percent; undefined while there are none. */
  readonly hitPercent: number | undefined
  readonly stalePercent: number | undefined
  readonly sparedPerSecond: number
  readonly byRcode: readonly { readonly key: string; readonly perSecond: number }[]
  /** Upper bounds; undefined while there are no queries. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  readonly cpuPercent: number
}

/** @param before undefined: since the start */
export function between(before: Summary | undefined, now: Summary): Between {
  const seconds = before === undefined ? now.upSeconds : (now.atMs - before.atMs) / 1000
  const rate = (count: number) => (seconds > 0 ? Math.max(0, count) / seconds : 0)
  const queries = now.queries - (before?.queries ?? 0)
  const ofSource = (name: string) => (now.bySource[name] ?? 0) - (before?.bySource[name] ?? 0)
  const percent = (count: number) => (queries > 0 ? (100 * count) / queries : undefined)
  const durations = now.durations.map((count, at) => count - (before?.durations[at] ?? 0))
  return {
    seconds,
    queriesPerSecond: rate(queries),
    hitPercent: percent(ofSource('cacheSuccess') + ofSource('cacheDenial')),
    stalePercent: percent(ofSource('stale')),
    sparedPerSecond: rate(now.spared - (before?.spared ?? 0)),
    byRcode: Object.entries(now.byRcode)
      .map(([key, count]) => ({ key, perSecond: rate(count - (before?.byRcode[key] ?? 0)) }))
      .toSorted((a, b) => b.perSecond - a.perSecond),
    p50Ms: quantileMs(durations, 0.5),
    p99Ms: quantileMs(durations, 0.99),
    cpuPercent: rate(now.cpuMs - (before?.cpuMs ?? 0)) / 10,
  }
}

const lastBoundSeconds = Math.max(...durationBoundsSeconds)

/** @returns the upper bound of the bucket that holds it; the last bucket has none, and gives that of the one before */
export function quantileMs(counts: readonly number[], share: number): number | undefined {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all <= 0) return undefined
  let seen = 0
  for (const [at, count] of counts.entries()) {
    seen += count
    if (seen >= share * all) return (durationBoundsSeconds[at] ?? lastBoundSeconds) * 1000
  }
  return undefined
}

export function percentText(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(1)} %`
}

export function msText(value: number | undefined): string {
  return value === undefined ? '-' : `<= ${value} ms`
}

export function bytesText(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(bytes < 10_485_760 ? 1 : 0)} MiB`
}

/** With a digit after the point below ten. */
export function rateText(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : grouped(Math.round(perSecond))
}

export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

const units = [
  { seconds: 86_400, text: 'd' },
  { seconds: 3600, text: 'h' },
  { seconds: 60, text: 'min' },
  { seconds: 1, text: 's' },
] as const

/** In the largest unit and the next. */
export function agoText(seconds: number): string {
  const from = units.findIndex((unit) => seconds >= unit.seconds)
  if (from < 0) return '0 s'
  let left = seconds
  const parts = units.slice(from, from + 2).map((unit) => {
    const count = Math.floor(left / unit.seconds)
    left -= count * unit.seconds
    return count === 0 ? '' : `${count} ${unit.text}`
  })
  return parts.filter((part) => part !== '').join(' ')
}
