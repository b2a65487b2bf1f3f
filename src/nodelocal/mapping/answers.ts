/**
 * How the names of a server block are answered: its zones, and below them the zones for which a `forward`, `except`, `cache` or `disable`
 * says something else. Pure.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import { isWithin } from '../../corefile/label.ts'
import type { Block } from '../blocks.ts'
import type { CacheDirective, CacheShare } from '../directives/cache.ts'
import type { ForwardDirective } from '../directives/forward.ts'
import { failures } from '../directives/forward-options.ts'
import { refuse } from '../reading.ts'
import { exchangeOf } from './exchange.ts'
import type { PlainSection } from './plain.ts'
import { type UpstreamContext, type UpstreamsOf, upstreamsOf } from './upstreams.ts'

/** What the names of one zone get, as settings of a group of upstreams. */
export interface Answer {
  /** Absent: nobody is asked, and the answer is SERVFAIL. */
  readonly asks?: UpstreamsOf
  readonly ttl: PlainSection
  readonly exchange: PlainSection
  /** What `dns64`, `rewrite`, `template` and `hosts` of the block say, to be compared; absent without them. */
  readonly before?: string
}

export interface ZoneAnswer {
  /** As in `CorefileLabel.zones`. */
  readonly zone: string
  readonly place: CorefilePlace
  readonly answer: Answer
}

/** Throws a `DirectiveMistake` for an upstream that is none. */
export function answersOf(block: Block, context: UpstreamContext): ZoneAnswer[] {
  const tops = block.labels.flatMap(({ zones, place }) => zones.map((zone) => ({ zone, place })))
  const special = specialZones(block)
  return tops.flatMap(({ zone, place }) => {
    const inside = special.filter((one) => one !== zone && isWithin(one, zone))
    const all = [zone, ...new Set(inside)].toSorted((one, other) => labels(one) - labels(other))
    const answers: ZoneAnswer[] = []
    for (const name of all) {
      const answer = answerAt(name, block, context)
      const above = answers.findLast((one) => isWithin(name, one.zone))
      if (above !== undefined && isSame(above.answer, answer)) continue
      answers.push({ zone: name, place, answer })
    }
    return answers
  })
}

export function isSame(one: Answer, other: Answer): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** Zones that begin or end something within a block. */
function specialZones({ has }: Block): string[] {
  const { cache, forward = [] } = has
  const ofForward = forward.flatMap(({ from, options }) => [from, ...options.except])
  if (cache === undefined) return ofForward
  return [...ofForward, ...cache.zones, ...cache.success.disabled, ...cache.denial.disabled]
}

function answerAt(zone: string, { has }: Block, context: UpstreamContext): Answer {
  const [forward, next] = has.forward?.filter((one) => takes(one, zone)) ?? []
  const before = beforeOf(has)
  const ttl = ttlOf(zone, has.cache)
  if (forward === undefined) return { ttl, exchange: {}, ...before }
  const asks = upstreamsOf(forward, context)
  const options = has.rewrite?.flatMap(({ option }) => option ?? []) ?? []
  const exchange = {
    ...exchangeOf(forward, has.bufsize),
    ...(options.length > 0 && { ednsOptions: options }),
  }
  if (next === undefined || forward.options.next.length === 0)
    return { asks, ttl, exchange, ...before }
  return {
    asks: joined(asks, upstreamsOf(next, context), forward),
    ttl,
    exchange: { ...exchange, policy: 'sequential' },
    ...before,
  }
}

function beforeOf({ dns64, rewrite, template, hosts }: Block['has']): { readonly before?: string } {
  const all = [dns64, rewrite, template, hosts]
  if (all.every((one) => one === undefined)) return {}
  const isPlace = (key: string) => key === 'place'
  return {
    before: JSON.stringify(all, (key, value: unknown) => (isPlace(key) ? undefined : value)),
  }
}

/** `next` after failures: the upstreams of the next `forward` follow in an order. */
function joined(first: UpstreamsOf, second: UpstreamsOf, { options, place }: ForwardDirective) {
  const other = options.next.find((rcode) => !failures.has(rcode))
  if (other !== undefined || first.file !== undefined || second.file !== undefined) {
    const cure = 'give the names that the second servers know a block or a `forward` of their own'
    refuse(place, `\`next ${other ?? options.next.join(' ')}\` is not supported here`, cure)
  }
  return { ...first, upstreams: [...new Set([...first.upstreams, ...second.upstreams])] }
}

/** The zones of a block, and inside them those for which a `forward` says something else: with one that takes their names, and without. */
export function forwardedZones({ labels, has }: Block): {
  readonly forwarded: readonly string[]
  readonly others: readonly string[]
} {
  const { forward = [] } = has
  const tops = labels.flatMap(({ zones }) => zones)
  const inside = forward
    .flatMap(({ from, options }) => [from, ...options.except])
    .filter((zone) => tops.some((top) => isWithin(zone, top)))
  const all = [...new Set([...tops, ...inside])]
  const isTaken = (zone: string) => forward.some((one) => takes(one, zone))
  return { forwarded: all.filter(isTaken), others: all.filter((zone) => !isTaken(zone)) }
}

function takes({ from, options }: ForwardDirective, zone: string): boolean {
  return isWithin(zone, from) && !options.except.some((name) => isWithin(zone, name))
}

function ttlOf(zone: string, cache: CacheDirective | undefined): PlainSection {
  if (cache === undefined || !cache.zones.some((one) => isWithin(zone, one))) return notKept
  const isOff = (share: CacheShare) => share.disabled.some((one) => isWithin(zone, one))
  const { success, denial } = cache
  const keepsNone = isOff(success) && isOff(denial)
  // CoreDNS bounds the TTLs of what it does not keep as well; for one of the two our settings have no word.
  const positive = isOff(success) && !keepsNone ? nothing : bounds(success)
  const negative = isOff(denial) && !keepsNone ? nothing : bounds(denial)
  return {
    ...(keepsNone && { keep: false }),
    positiveMinSeconds: positive.min,
    positiveMaxSeconds: positive.max,
    negativeMinSeconds: negative.min,
    negativeMaxSeconds: negative.max,
  }
}

const nothing = { min: 0, max: 0 }
/** Ceiling of the setting. */
const secondsMax = 86_400
/** TTLs are passed on as they are. */
const notKept = { keep: false, positiveMaxSeconds: secondsMax, negativeMaxSeconds: secondsMax }

function bounds({ secondsMin, secondsMax: most }: CacheShare): { min: number; max: number } {
  return { min: Math.min(secondsMin, secondsMax), max: Math.min(most, secondsMax) }
}

function labels(zone: string): number {
  return zone === '.' ? 0 : zone.split('.').length
}
