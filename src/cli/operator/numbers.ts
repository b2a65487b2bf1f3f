/** Numbers of a daemon for people: rates between two looks, percentiles of a histogram, and their texts. Pure. */

/** What the commands read of a daemon's summary; it may have more. */
export interface Summary {
  readonly version: string
  readonly atMs: number
  readonly upSeconds: number
  readonly notReady: readonly string[]
  readonly listening: readonly string[]
  readonly intercepted: readonly string[]
  readonly wanted: readonly string[]
  readonly queries: number
  readonly drops: number
  readonly bySource: Readonly<Record<string, number>>
  readonly byRcode: Readonly<Record<string, number>>
  readonly durations: readonly number[]
  readonly searchLevel: string
  readonly spared: number
  readonly cache: Readonly<
    Record<'answers' | 'denials' | 'bytes' | 'bytesMax' | 'evictions', number>
  >
  readonly inFlight: Readonly<Record<'questions' | 'questionsMax' | 'waiters' | 'refused', number>>
  readonly upstreams: readonly Upstream[]
  readonly rssBytes: number
  readonly memoryLimitBytes: number
  readonly cpuMs: number
  readonly reload: { readonly isLastGood: boolean; readonly appliedSeconds: number }
  readonly workers: number
  readonly missing: number
}

export interface Upstream {
  readonly group: string
  readonly name: string
  readonly isUp: boolean
  readonly inFlight: number
  readonly roundTripMs: number
  readonly sent: number
  readonly failures: number
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

/** Of CoreDNS's buckets: 0.25 ms, doubled fifteen times. */
const firstBoundMs = 0.25

/** @returns the upper bound of the bucket that holds it; the last bucket has none, and gives that of the one before */
export function quantileMs(counts: readonly number[], share: number): number | undefined {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all <= 0) return undefined
  let seen = 0
  for (const [at, count] of counts.entries()) {
    seen += count
    if (seen >= share * all) return firstBoundMs * 2 ** Math.min(at, 15)
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
