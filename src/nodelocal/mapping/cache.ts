/** The settings of the one cache that takes the place of the caches of all server blocks. */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Block } from '../blocks.ts'
import type { CacheDirective, ServeStale } from '../directives/cache.ts'
import type { Remark } from '../reading.ts'
import type { PlainSection } from './plain.ts'

/** Bounds of the settings. */
const entriesMax = 10_000_000
const stalenessSecondsMax = 604_800
const clientTimeoutMsMax = 10_000
const failureSecondsMax = 300
const replyTtlSecondsMax = 3600
const recheckSecondsMax = 300

export interface CacheMapping {
  readonly settings: PlainSection
  readonly notes: readonly Remark[]
}

export function cacheSettings(blocks: readonly Block[]): CacheMapping {
  const caches = blocks.flatMap(({ has }) => has.cache ?? [])
  if (caches.length === 0) return { settings: {}, notes: [] }
  const entries = caches.reduce(
    (sum, { success, denial }) => sum + success.entries + denial.entries,
    0,
  )
  const notes: Remark[] = []
  const settings = {
    entriesMax: Math.min(entries, entriesMax),
    ...prefetchOf(caches, notes),
    ...staleOf(caches, notes),
    ...failureOf(caches, notes),
  }
  return { settings, notes }
}

/** `prefetch 0` turns it off. */
function prefetchOf(caches: readonly CacheDirective[], notes: Remark[]): PlainSection {
  const all = caches.flatMap(({ prefetch }) => prefetch ?? [])
  const [first] = all
  if (first === undefined) return {}
  noteDifferences(all, ({ hits, percent }) => `${hits} ${percent}`, { name: 'prefetch', notes })
  const on = all.filter(({ hits }) => hits > 0)
  if (on.length === 0) return { prefetch: { hitsMin: 0 } }
  const hitsMin = Math.min(...on.map(({ hits }) => hits), 1_000_000)
  const remainingPercent = Math.max(...on.map(({ percent }) => percent))
  return { prefetch: { hitsMin, remainingPercent } }
}

/** Stale answers of CoreDNS have the TTL 0 unless it is told another. */
function staleOf(caches: readonly CacheDirective[], notes: Remark[]): PlainSection {
  const all = caches.flatMap(({ serveStale }) => serveStale ?? [])
  if (all.length === 0) return {}
  const how = ({ place: _, ...rest }: ServeStale) => JSON.stringify(rest)
  noteDifferences(all, how, { name: 'serve_stale', notes })
  const on = all.filter(({ seconds }) => seconds > 0)
  if (on.length === 0) return { serveStale: { enabled: false } }
  const seconds = Math.ceil(Math.max(...on.map((one) => one.seconds)))
  return {
    serveStale: {
      stalenessMaxSeconds: Math.min(seconds, stalenessSecondsMax),
      ...waitOf(on),
      replyTtlSeconds: Math.min(
        Math.ceil(Math.max(...on.map(({ replyTtlSeconds }) => replyTtlSeconds))),
        replyTtlSecondsMax,
      ),
      ...recheckOf(on),
      ...(on.some(({ overDenials }) => overDenials) && { overDenials: true }),
    },
  }
}

function recheckOf(on: readonly ServeStale[]): PlainSection {
  const seconds = Math.ceil(Math.max(...on.map(({ recheckSeconds }) => recheckSeconds)))
  return seconds === 0 ? {} : { failureRecheckSeconds: Math.min(seconds, recheckSecondsMax) }
}

/** Immediate: the stale answer at once, while upstreams are asked. */
function waitOf(on: readonly ServeStale[]): PlainSection {
  const isVerified = on.some(({ verify }) => verify)
  if (!isVerified) return { clientTimeoutMs: 0, clusterClientTimeoutMs: 0 }
  const ms = Math.ceil(Math.max(...on.map(({ verifyMs }) => verifyMs)))
  if (ms === 0) return {}
  const wait = Math.min(ms, clientTimeoutMsMax)
  return { clientTimeoutMs: wait, clusterClientTimeoutMs: wait }
}

function failureOf(caches: readonly CacheDirective[], notes: Remark[]): PlainSection {
  const all = caches.flatMap(({ servfailMs, place }) =>
    servfailMs === undefined ? [] : [{ servfailMs, place }],
  )
  const [first] = all
  if (first === undefined) return {}
  noteDifferences(all, ({ servfailMs }) => `${servfailMs}`, { name: 'servfail', notes })
  const seconds = Math.ceil(Math.max(...all.map(({ servfailMs }) => servfailMs)) / 1000)
  if (seconds === 0) {
    const message = '`servfail 0`: a failure is remembered for 1 s all the same (RFC 9520 3.2)'
    notes.push({ ...first.place, message })
  }
  return { failureTtl: { maxSeconds: Math.min(Math.max(seconds, 1), failureSecondsMax) } }
}

interface Difference {
  readonly name: string
  readonly notes: Remark[]
}

function noteDifferences<T extends { readonly place: CorefilePlace }>(
  all: readonly T[],
  text: (one: T) => string,
  { name, notes }: Difference,
): void {
  const [first, ...more] = all
  const other = first && more.find((one) => text(one) !== text(first))
  if (other === undefined) return
  const message = `\`${name}\` differs from block to block; here the strongest counts for all`
  notes.push({ ...other.place, message })
}
