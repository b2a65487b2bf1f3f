/**
 * Makes one exposition of those of several workers. What is counted is added up; what would lie as a sum is the worst of them, or the
 * same in all, or shown for each worker under a label. Reads the text format as metrics.ts writes it.
 */
import { TimeSlices } from './time-slices.ts'

export interface WorkerText {
  /** Value of the label `worker`. */
  readonly worker: string
  readonly text: string
}

/** Each says what the supervisor has told it last, and the first has been told just now. */
const ofTheGroup = [
  /^neardns_workers/,
  /^neardns_worker_restarts_total$/,
  /^neardns_handover_/,
  /^neardns_config_/,
  /^coredns_reload_/,
]
/** The same in every worker, or the worst of them. Sockets are held by all, so each sees the drops of all. */
const largest = [
  /_info$/,
  /^coredns_plugin_enabled$/,
  /^neardns_memory_limit_bytes$/,
  /^neardns_interception_active$/,
  /^neardns_udp_receive_(drops_total|buffer_bytes)$/,
  /^neardns_upstream_round_trip_seconds$/,
  // All learn the same, each for itself.
  /^neardns_search_(cuts|breakers_open)$/,
]
/** Not well unless all are. */
const smallest = [/^neardns_ready$/, /^neardns_upstream_up$/]
/** Gauges that are amounts; of limits each worker has its share. */
const amounts = [
  /^coredns_cache_entries$/,
  /^neardns_cache_(bytes|entries)(_max)?$/,
  /^neardns_in_flight_/,
  /_connections_open$/,
]

/** `each`: of every worker under its label. Gauges nobody has thought of come to that, too: it is never wrong. */
type Rule = 'sum' | 'largest' | 'smallest' | 'first' | 'each'

interface MergedFamily {
  readonly head: string[]
  readonly series: Map<string, number>
  kind: string
  rule: Rule
}

/** Lines taken in without looking at the clock: some 0.05 ms. */
const pieceLines = 50

/** Lets packets through in between. @param parts one at least; the first is of the worker that was asked */
export async function mergeExpositions(parts: readonly WorkerText[]): Promise<string> {
  const families = new Map<string, MergedFamily>()
  const slices = new TimeSlices()
  for (const _ of addAll(families, parts)) await slices.giveWay()
  return textOf(families)
}

/** @returns after each piece of the work */
function* addAll(
  families: Map<string, MergedFamily>,
  parts: readonly WorkerText[],
): Generator<void> {
  for (const [part, { worker, text }] of parts.entries()) {
    const lines = text.split('\n')
    const source = { worker, isFirst: part === 0 }
    let name = ''
    for (const [number, line] of lines.entries()) {
      if (line.startsWith('# ')) name = addHead(families, line)
      else if (line !== '') addSeries(families.get(name), source, line)
      if (number % pieceLines === 0) yield
    }
  }
}

/**
 * What must not be forgotten when workers have died: a sum that shrank would be taken for a restart, and all of it counted anew.
 * In one go: for a process that serves no packets.
 */
export function countsOf(texts: readonly string[]): string {
  const families = new Map<string, MergedFamily>()
  const parts = texts.map((text) => ({ worker: '', text }))
  for (const _ of addAll(families, parts));
  for (const [name, { kind, rule }] of families) {
    if (kind === 'gauge' || rule === 'first') families.delete(name)
  }
  return textOf(families)
}

/** @param line `# HELP name ...` or `# TYPE name kind` */
function addHead(families: Map<string, MergedFamily>, line: string): string {
  const [, what, name = '', kind = ''] = line.split(' ', 4)
  let family = families.get(name)
  if (family === undefined) {
    family = { head: [], series: new Map(), kind: '', rule: 'each' }
    families.set(name, family)
  }
  if (!family.head.includes(line)) family.head.push(line)
  if (what === 'TYPE') {
    family.kind = kind
    family.rule = ruleFor(name, kind)
  }
  return name
}

function ruleFor(name: string, kind: string): Rule {
  const isOneOf = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(name))
  if (isOneOf(ofTheGroup)) return 'first'
  if (isOneOf(largest)) return 'largest'
  if (isOneOf(smallest)) return 'smallest'
  return kind !== 'gauge' || isOneOf(amounts) ? 'sum' : 'each'
}

interface Source {
  readonly worker: string
  readonly isFirst: boolean
}

function addSeries(
  family: MergedFamily | undefined,
  { worker, isFirst }: Source,
  line: string,
): void {
  if (family === undefined || (family.rule === 'first' && !isFirst)) return
  const { rule, series } = family
  const space = line.lastIndexOf(' ')
  const own = line.slice(0, space)
  const key = rule === 'each' ? labelled(own, worker) : own
  const value = Number(line.slice(space + 1))
  const before = series.get(key)
  series.set(key, before === undefined ? value : merged(rule, before, value))
}

/** @param key `name` or `name{a="b"}` */
function labelled(key: string, worker: string): string {
  const label = `worker="${worker}"`
  return key.endsWith('}') ? `${key.slice(0, -1)},${label}}` : `${key}{${label}}`
}

function merged(rule: Rule, one: number, other: number): number {
  if (rule === 'largest') return Math.max(one, other)
  if (rule === 'smallest') return Math.min(one, other)
  return rule === 'sum' ? one + other : one
}

function textOf(families: ReadonlyMap<string, MergedFamily>): string {
  const texts = [...families.values()].map(({ head, series }) =>
    [...head, ...[...series].map(([key, value]) => `${key} ${value}`)].join('\n'),
  )
  return `${texts.join('\n')}\n`
}
