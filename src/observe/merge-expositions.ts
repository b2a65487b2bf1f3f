/**
 * Makes one exposition of those of several workers: counters and amounts are added, what is the same or an extreme is not. Pure.
 * Reads the text format as metrics.ts writes it.
 */

/** Not amounts: the same in every worker, or a moment, or the worst of them. */
const largest = [
  /_info$/,
  /_timestamp_seconds$/,
  /^process_start_time_seconds$/,
  /^process_max_fds$/,
  /^neardns_workers/,
  /^neardns_worker_restarts_total$/,
  /^neardns_memory_limit_bytes$/,
  /^nodejs_eventloop_lag_/,
  /^neardns_eventloop_delay_max_seconds$/,
  /_plugin_enabled$/,
]
/** Not well unless all are. */
const smallest = [/^neardns_ready$/, /_last_reload_successful$/]

interface MergedFamily {
  readonly head: string[]
  readonly series: Map<string, number>
  readonly merge: (one: number, other: number) => number
}

/** @param texts one at least */
export function mergeExpositions(texts: readonly string[]): string {
  const families = new Map<string, MergedFamily>()
  for (const text of texts) {
    let family: MergedFamily | undefined
    for (const line of text.split('\n')) {
      if (line.startsWith('# ')) family = familyOf(families, line)
      else if (family !== undefined && line !== '') addSeries(family, line)
    }
  }
  return `${[...families.values()].map(textOf).join('\n')}\n`
}

/** @param line `# HELP name ...` or `# TYPE name ...` */
function familyOf(families: Map<string, MergedFamily>, line: string): MergedFamily {
  const name = line.split(' ', 3)[2] ?? ''
  let family = families.get(name)
  if (family === undefined) {
    family = { head: [], series: new Map(), merge: mergeFor(name) }
    families.set(name, family)
  }
  if (!family.head.includes(line)) family.head.push(line)
  return family
}

function mergeFor(name: string): (one: number, other: number) => number {
  if (largest.some((pattern) => pattern.test(name))) return Math.max
  if (smallest.some((pattern) => pattern.test(name))) return Math.min
  return (one, other) => one + other
}

function addSeries({ series, merge }: MergedFamily, line: string): void {
  const space = line.lastIndexOf(' ')
  const key = line.slice(0, space)
  const value = Number(line.slice(space + 1))
  const before = series.get(key)
  series.set(key, before === undefined ? value : merge(before, value))
}

function textOf({ head, series }: MergedFamily): string {
  return [...head, ...[...series].map(([key, value]) => `${key} ${value}`)].join('\n')
}
