/**
 * Makes the metrics of several workers one. Counts are added up. Where a sum would mislead, the worst worker counts, or any of them because
 * all say the same, or each worker is shown under its own label. Runs in the supervisor, where no packet waits. Never reads a clock and
 * never writes text.
 */
import { type FamilyReading, withLabel } from './exposition.ts'

/** What one process says of itself. */
export interface WorkerReadings {
  /** Value of the label `worker`. */
  readonly worker: string
  readonly families: readonly FamilyReading[]
}

/** Numbers of the whole group, which the supervisor tells every worker. The first worker has the newest. */
const ofTheGroup = [
  /^neardns_workers/,
  /^neardns_worker_restarts_total$/,
  /^neardns_handover_/,
  /^neardns_config_/,
  /^coredns_reload_/,
]
/** The same in every worker, or the worst counts. All workers hold all sockets, so each sees the drops of all. */
const largest = [
  /_info$/,
  /^coredns_plugin_enabled$/,
  /^neardns_memory_limit_bytes$/,
  /^neardns_interception_active$/,
  /^neardns_udp_receive_(drops_total|buffer_bytes)$/,
  /^neardns_upstream_round_trip_seconds$/,
  // Every worker learns the same cuts by itself.
  /^neardns_search_(cuts|breakers_open)$/,
]
/** True only if it is true for every worker. */
const smallest = [/^neardns_ready$/, /^neardns_upstream_up$/]
/** Gauges that are amounts. Each worker has its share of a limit. */
const amounts = [
  /^coredns_cache_entries$/,
  /^neardns_cache_(bytes|entries)(_max)?$/,
  /^neardns_in_flight_/,
  /_connections_open$/,
]

/** `each`: shown for every worker under its label. Gauges without a rule get it too, because it is never wrong. */
type Rule = 'sum' | 'largest' | 'smallest' | 'first' | 'each'

/** @param parts the first is the worker that was asked; it decides the order of the output */
export function mergeReadings(parts: readonly WorkerReadings[]): readonly FamilyReading[] {
  const merged = new Map<string, MergedFamily>()
  for (const [index, { worker, families }] of parts.entries()) {
    for (const reading of families) {
      const known = merged.get(reading.name)
      const family = known ?? new MergedFamily(reading)
      if (known === undefined) merged.set(reading.name, family)
      if (index === 0 || family.rule !== 'first') family.add(worker, reading)
    }
  }
  return [...merged.values()].map(({ reading }) => reading)
}

/**
 * What has to be remembered of workers that have died: a sum that shrinks looks like a restart, and Prometheus would count all of it
 * again.
 */
export function countsOf(
  readings: readonly (readonly FamilyReading[])[],
): readonly FamilyReading[] {
  const parts = readings.map((families) => ({ worker: '', families: families.filter(isCount) }))
  return mergeReadings(parts)
}

function isCount({ name, kind }: FamilyReading): boolean {
  return kind !== 'gauge' && ruleFor(name, kind) !== 'first'
}

function ruleFor(name: string, kind: FamilyReading['kind']): Rule {
  const isOneOf = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(name))
  if (isOneOf(ofTheGroup)) return 'first'
  if (isOneOf(largest)) return 'largest'
  if (isOneOf(smallest)) return 'smallest'
  return kind !== 'gauge' || isOneOf(amounts) ? 'sum' : 'each'
}

class MergedFamily {
  readonly rule: Rule
  private readonly head: Pick<FamilyReading, 'name' | 'kind' | 'help'>
  /** Index of each series in the three columns. */
  private readonly indexOf = new Map<string, number>()
  private readonly labels: string[] = []
  private readonly suffixes: string[] = []
  private readonly values: number[] = []

  constructor({ name, kind, help }: FamilyReading) {
    this.head = { name, kind, help }
    this.rule = ruleFor(name, kind)
  }

  get reading(): FamilyReading {
    const { head, labels, suffixes, values } = this
    return { ...head, labels, suffixes, values }
  }

  add(worker: string, reading: FamilyReading): void {
    for (const [at, value] of reading.values.entries()) {
      const own = reading.labels[at] ?? ''
      const labels = this.rule === 'each' ? withLabel(own, 'worker', worker) : own
      this.addSeries(labels, reading.suffixes[at], value)
    }
  }

  private addSeries(labels: string, suffix: string | undefined, value: number): void {
    const key = suffix === undefined ? labels : `${suffix} ${labels}`
    const known = this.indexOf.get(key)
    if (known !== undefined) {
      this.values[known] = combined(this.rule, this.values[known] ?? 0, value)
      return
    }
    this.indexOf.set(key, this.values.length)
    this.labels.push(labels)
    if (suffix !== undefined) this.suffixes.push(suffix)
    this.values.push(value)
  }
}

function combined(rule: Rule, one: number, other: number): number {
  if (rule === 'largest') return Math.max(one, other)
  if (rule === 'smallest') return Math.min(one, other)
  return rule === 'sum' ? one + other : one
}
