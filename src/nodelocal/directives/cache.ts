/**
 * `cache [TTL] [ZONES...] { success denial prefetch serve_stale serve_stale_policy servfail disable keepttl }`. Source: plugin/cache/setup.go
 * of CoreDNS 1.14; `serve_stale` with the arguments that came after 1.14.4.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Word, Words } from '../../corefile/words.ts'
import {
  duration,
  integer,
  namesOf,
  quoted,
  type Reading,
  refuse,
  refuseCount,
  refuseSecond,
  zonesOf,
} from '../reading.ts'

export interface CacheDirective {
  readonly place: CorefilePlace
  /** Only names in these zones are kept; as in `CorefileLabel.zones`. */
  readonly zones: readonly string[]
  readonly success: CacheShare
  readonly denial: CacheShare
  readonly prefetch?: Prefetch
  readonly serveStale?: ServeStale
  /** How long SERVFAIL is kept; 0 not at all. */
  readonly servfailMs?: number
}

/** One of the two caches of a server block. */
export interface CacheShare {
  readonly entries: number
  /** Bounds of how long answers are kept; the most is never below the least. */
  readonly secondsMin: number
  readonly secondsMax: number
  /** Nothing at or below these names is kept. */
  readonly disabled: readonly string[]
}

export interface Prefetch {
  readonly place: CorefilePlace
  readonly hits: number
  readonly percent: number
}

export interface ServeStale {
  readonly place: CorefilePlace
  /** 0 turns it off. */
  readonly seconds: number
  /** Ask first; else the stale answer is given at once. */
  readonly verify: boolean
  /** How long `verify` waits for upstreams; 0 for as long as they may take. */
  readonly verifyMs: number
  /** TTL of stale answers. */
  readonly replyTtlSeconds: number
  /** Pause after a failure before upstreams are asked again; 0: unsaid. */
  readonly recheckSeconds: number
  /** Stale data go before denials. */
  readonly overDenials: boolean
}

/** CoreDNS keeps 4 entries in each of its 256 shards at the least. */
const entriesMin = 1024
const defaults = { entries: 9984, secondsMin: 5 }

export function readCache(words: Words, reading: Reading): CacheDirective {
  const draft = new CacheDraft(reading)
  for (let times = 0; words.next(); times++) {
    if (times > 0) refuseSecond(words, 'cache')
    draft.place = words.place
    const args = words.rest()
    if (args[0] !== undefined && /^[+-]?\d{1,18}$/.test(args[0].text)) {
      const seconds = ttl(args[0])
      draft.success.most = seconds
      draft.denial.most = seconds
      args.shift()
    }
    if (args.length > 0) draft.zones = zonesOf(args, reading)
    while (words.nextInBlock()) draft.option(words)
  }
  return draft.finish()
}

interface ShareDraft {
  entries: number
  least: number
  most: number
  disabled: readonly string[]
}

class CacheDraft {
  place: CorefilePlace = { line: 1 }
  zones: readonly string[]
  readonly success: ShareDraft = share(3600)
  readonly denial: ShareDraft = share(1800)
  private prefetch: Prefetch | undefined
  private serveStale: ServeStale | undefined
  private policyPlace: CorefilePlace | undefined
  private servfailMs: number | undefined
  private readonly reading: Reading

  constructor(reading: Reading) {
    this.zones = reading.zones
    this.reading = reading
  }

  option(words: Words): void {
    const { text, place } = words
    switch (text) {
      case 'success':
        return readShare(words, this.success)
      case 'denial':
        return readShare(words, this.denial)
      case 'prefetch':
        this.prefetch = readPrefetch(words, this.reading)
        return
      case 'serve_stale':
        this.serveStale = readServeStale(words)
        return
      case 'serve_stale_policy':
        return this.policy(words, place)
      case 'servfail':
        this.servfailMs = readServfail(words)
        return
      case 'disable':
        return this.disable(words)
      case 'keepttl':
        if (words.rest().length > 0) refuseCount(words, 'keepttl')
        this.reading.note(place, '`keepttl`: TTLs count down here as they do everywhere else')
        return
      default: {
        const cure =
          'success, denial, prefetch, serve_stale, serve_stale_policy, servfail, disable and keepttl are known'
        refuse(place, `\`cache\` has no option ${quoted(text)}`, cure)
      }
    }
  }

  finish(): CacheDirective {
    const { place, zones, prefetch, serveStale, servfailMs } = this
    if (this.policyPlace !== undefined && serveStale === undefined) {
      refuse(this.policyPlace, '`serve_stale_policy` needs `serve_stale`', 'add `serve_stale`')
    }
    return {
      place,
      zones,
      success: finished(this.success),
      denial: finished(this.denial),
      ...(prefetch && { prefetch }),
      ...(serveStale && {
        serveStale: { ...serveStale, overDenials: this.policyPlace !== undefined },
      }),
      ...(servfailMs !== undefined && { servfailMs }),
    }
  }

  private policy(words: Words, place: CorefilePlace): void {
    if (this.policyPlace !== undefined) refuse(place, 'a second `serve_stale_policy`', 'remove it')
    this.policyPlace = place
    const [policy, ...more] = words.rest()
    if (policy === undefined || more.length > 0) {
      return refuseCount(words, 'serve_stale_policy prefer_positive')
    }
    if (policy.text.toLowerCase() !== 'prefer_positive') {
      refuse(policy.place, `${quoted(policy.text)} is no policy`, 'prefer_positive is known')
    }
  }

  private disable(words: Words): void {
    const [kind, ...zones] = words.rest()
    if (kind === undefined) return refuseCount(words, 'disable success|denial [ZONES]')
    if (kind.text !== 'success' && kind.text !== 'denial') {
      refuse(kind.place, `${quoted(kind.text)} cannot be disabled`, 'write success or denial')
    }
    const target = kind.text === 'success' ? this.success : this.denial
    target.disabled = zones.length === 0 ? ['.'] : namesOf(zones, this.reading)
  }
}

function share(most: number): ShareDraft {
  return { entries: defaults.entries, least: defaults.secondsMin, most, disabled: [] }
}

/** The ceiling wins over the floor, as in CoreDNS. */
function finished({ entries, least, most, disabled }: ShareDraft): CacheShare {
  return {
    entries: Math.max(entries, entriesMin),
    secondsMin: Math.min(least, most),
    secondsMax: most,
    disabled,
  }
}

function readShare(words: Words, share: ShareDraft): void {
  const name = words.text
  const [size, most, least] = words.rest()
  if (size === undefined) return refuseCount(words, `${name} SIZE [TTL [MINTTL]]`)
  share.entries = integer(size, 'a number of entries')
  if (most !== undefined) share.most = ttl(most)
  if (least === undefined) return
  share.least = integer(least, 'a TTL in seconds')
  if (share.least < 0) refuse(least.place, `the TTL ${least.text} is negative`, 'write 0 or more')
}

function ttl(word: Word): number {
  const seconds = integer(word, 'a TTL in seconds')
  if (seconds > 0) return seconds
  return refuse(word.place, `the TTL ${word.text} is not positive`, 'write at least 1')
}

function readPrefetch(words: Words, reading: Reading): Prefetch {
  const { place } = words
  const [amount, time, percentage, ...more] = words.rest()
  if (amount === undefined || more.length > 0) {
    return refuseCount(words, 'prefetch AMOUNT [DURATION [PERCENTAGE%]]')
  }
  const hits = integer(amount, 'a number of hits')
  if (hits < 0) refuse(amount.place, `the amount ${amount.text} is negative`, 'write 0 or more')
  if (time !== undefined) {
    duration(time, 'the time between two hits')
    reading.note(
      time.place,
      `\`prefetch\`: all hits since the answer was kept count, and not only those within ${time.text} of one another`,
    )
  }
  return { place, hits, percent: percentage === undefined ? 10 : percentOf(percentage) }
}

function percentOf({ text, place }: Word): number {
  const percent = /^[+-]?\d{1,18}%$/.test(text) ? Number(text.slice(0, -1)) : undefined
  if (percent !== undefined && percent >= 10 && percent <= 90) return percent
  return refuse(place, `${quoted(text)} is no percentage from 10% to 90%`, 'write it as 10%')
}

function readServeStale(words: Words): ServeStale {
  const { place } = words
  const args = words.rest()
  const [time, mode, ...times] = args
  if (args.length > 5) refuseCount(words, 'serve_stale [DURATION [immediate|verify]]')
  const seconds = time === undefined ? 3600 : atLeastZero(time) / 1000
  const how = mode?.text.toLowerCase() ?? 'immediate'
  if (mode !== undefined && how !== 'immediate' && how !== 'verify') {
    refuse(mode.place, `${quoted(mode.text)} is no mode`, 'write immediate or verify')
  }
  const verify = how === 'verify'
  if (!verify && times.length > 2) refuseCount(words, 'serve_stale DURATION immediate [TTL [TIME]]')
  const waits = times.map(atLeastZero)
  const [verifyMs = 0, ttlMs = 0, recheckMs = 0] = verify ? waits : [0, ...waits]
  const [ttlWord, recheckWord] = verify ? times.slice(1) : times
  if (ttlWord !== undefined && ttlMs % 1000 !== 0)
    refuse(ttlWord.place, `the TTL ${ttlWord.text} is not a number of seconds`, 'write it as 30s')
  if (recheckWord !== undefined && recheckMs > 300_000)
    refuse(recheckWord.place, `${recheckWord.text} is longer than 5m`, 'write at most 5m')
  return {
    place,
    seconds,
    verify,
    verifyMs,
    replyTtlSeconds: ttlMs / 1000,
    recheckSeconds: recheckMs / 1000,
    overDenials: false,
  }
}

function readServfail(words: Words): number {
  const [time, ...more] = words.rest()
  if (time === undefined || more.length > 0) return refuseCount(words, 'servfail DURATION')
  const ms = atLeastZero(time)
  if (ms > 300_000) refuse(time.place, `${time.text} is longer than 5m`, 'write at most 5m')
  return ms
}

function atLeastZero(word: Word): number {
  const ms = duration(word, 'a time')
  return ms >= 0 ? ms : refuse(word.place, `the time ${word.text} is negative`, 'write 0s or more')
}
