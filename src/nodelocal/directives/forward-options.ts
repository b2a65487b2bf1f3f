/** The options of `forward`. Source: plugin/forward/setup.go of CoreDNS 1.14.7. */
import { parseCorefileLabel } from '../../corefile/label.ts'
import type { Word, Words } from '../../corefile/words.ts'
import {
  duration,
  integer,
  onlyArgument,
  quoted,
  type Reading,
  refuse,
  refuseCount,
  zonesOf,
} from '../reading.ts'

export interface ForwardOptions {
  /** Zones that go on to the next plugin. */
  except: string[]
  forceTcp: boolean
  preferUdp: boolean
  policy: 'random' | 'round_robin' | 'sequential' | undefined
  /** 0: without limit. */
  maxConcurrent: number
  tls: readonly Word[] | undefined
  tlsServerName: Word | undefined
  expireMs: number
  /** 0: without limit. */
  maxAgeMs: number
  readTimeoutMs: number | undefined
  maxAttempts: number | undefined
  /** Rcodes after which the next `forward` is asked. */
  next: readonly string[]
  failover: readonly string[]
}

const expireMsDefault = 10_000

export function forwardDefaults(): ForwardOptions {
  return {
    except: [],
    forceTcp: false,
    preferUdp: false,
    policy: undefined,
    maxConcurrent: 0,
    tls: undefined,
    tlsServerName: undefined,
    expireMs: expireMsDefault,
    maxAgeMs: 0,
    readTimeoutMs: undefined,
    maxAttempts: undefined,
    next: [],
    failover: [],
  }
}

type Reader = (words: Words, options: ForwardOptions, reading: Reading) => void

/** Reads the option that is the current word. */
export function readForwardOption(words: Words, options: ForwardOptions, reading: Reading): void {
  const reader = readers.get(words.text)
  if (reader === undefined) {
    const cure = `known are ${[...readers.keys()].join(', ')}`
    return refuse(words.place, `\`forward\` has no option ${quoted(words.text)}`, cure)
  }
  reader(words, options, reading)
}

/** After these our next upstream is asked (`exchange.failover`). */
export const failures: ReadonlySet<string> = new Set(['SERVFAIL', 'REFUSED', 'NOTIMP', 'FORMERR'])

const rcodes: ReadonlySet<string> = new Set(
  'NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE DSOTYPENI BADSIG BADVERS BADKEY BADTIME BADMODE BADNAME BADALG BADTRUNC BADCOOKIE'.split(
    ' ',
  ),
)

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['except', readExcept],
  [
    'max_fails',
    (words, _options, reading) => {
      const { place } = words
      count(onlyArgument(words, 'max_fails NUMBER'), 'a number of failures')
      reading.note(place, '`max_fails`: upstreams are judged by their answers, without checks')
    },
  ],
  [
    'max_connect_attempts',
    (words, options) => {
      options.maxAttempts = count(onlyArgument(words, 'max_connect_attempts NUMBER'), 'a number')
    },
  ],
  ['health_check', readHealthCheck],
  ['force_tcp', flag((options) => (options.forceTcp = true))],
  ['prefer_udp', flag((options) => (options.preferUdp = true))],
  [
    'tls',
    (words, options) => {
      options.tls = words.rest()
      if (options.tls.length > 3) refuseCount(words, 'tls [CERT KEY] [CA]')
    },
  ],
  [
    'tls_servername',
    (words, options) => {
      options.tlsServerName = onlyArgument(words, 'tls_servername NAME')
    },
  ],
  [
    'expire',
    (words, options, reading) => {
      const { place } = words
      options.expireMs = time(words, 0)
      if (options.expireMs > expireMsDefault)
        reading.note(place, '`expire`: connections that idle are closed before CoreDNS closes them')
    },
  ],
  [
    'max_age',
    (words, options) => {
      options.maxAgeMs = time(words, 0)
    },
  ],
  [
    'max_idle_conns',
    (words, _options, reading) => {
      const { place } = words
      natural(onlyArgument(words, 'max_idle_conns NUMBER'), 'a number of connections')
      reading.note(
        place,
        '`max_idle_conns`: questions share connections, few of which idle (`exchange.stream`)',
      )
    },
  ],
  [
    'read_timeout',
    (words, options) => {
      options.readTimeoutMs = time(words, Number.MIN_VALUE)
    },
  ],
  ['doh_method', readDohMethod],
  ['policy', readPolicy],
  [
    'max_concurrent',
    (words, options, reading) => {
      const { place } = words
      options.maxConcurrent = natural(onlyArgument(words, 'max_concurrent NUMBER'), 'a number')
      if (options.maxConcurrent > 0)
        reading.note(
          place,
          '`max_concurrent`: `inFlight.questionsMax`, and in it shares of each client, domain and group of upstreams, bound what is in flight',
        )
    },
  ],
  [
    'next',
    (words, options) => {
      options.next = rcodeList(words)
    },
  ],
  [
    'next_on_nodata',
    (words, options) => {
      if (words.nextArgument()) refuseCount(words, 'next_on_nodata')
      options.next = [...options.next, 'NODATA']
    },
  ],
  [
    'failover',
    (words, options) => {
      const { place } = words
      options.failover = rcodeList(words)
      if (options.failover.includes('NOERROR')) {
        refuse(place, '`failover NOERROR` would leave every answer', 'name rcodes of failures')
      }
      const other = options.failover.find((rcode) => !failures.has(rcode))
      if (other !== undefined) {
        const cure =
          'name only servers that know the names; after SERVFAIL, REFUSED, NOTIMP and FORMERR the next one is asked anyhow'
        refuse(place, `\`failover ${other}\` is not supported: it is an answer here`, cure)
      }
    },
  ],
  [
    'failfast_all_unhealthy_upstreams',
    (words, _options, reading) => {
      const { place } = words
      if (words.rest().length > 0) refuseCount(words, 'failfast_all_unhealthy_upstreams')
      reading.note(
        place,
        '`failfast_all_unhealthy_upstreams`: a failure is remembered for 1 to 5 s, in which equal questions get it at once',
      )
    },
  ],
  ['resolver', readResolver],
  ['source_address', readSourceAddress],
])

function flag(set: (options: ForwardOptions) => void): Reader {
  return (words, options) => {
    const name = words.text
    if (words.nextArgument()) {
      const cure = words.text === '}' ? 'put the "}" on a line of its own' : 'remove what follows'
      refuse(words.place, `\`${name}\` stands alone in its line`, cure)
    }
    set(options)
  }
}

function readExcept(words: Words, options: ForwardOptions, reading: Reading): void {
  const names = words.rest()
  if (names.length === 0) refuseCount(words, 'except ZONES...')
  options.except.push(...zonesOf(names, reading))
}

function readHealthCheck(words: Words, _options: ForwardOptions, reading: Reading): void {
  const { place } = words
  time(words, 0)
  while (words.nextArgument()) {
    if (words.text === 'no_rec') continue
    if (words.text !== 'domain') {
      refuse(words.place, `\`health_check\` has no option ${quoted(words.text)}`, 'no_rec, domain')
    }
    if (!words.nextArgument()) refuseCount(words, 'domain NAME')
    const domain = parseCorefileLabel(words.text, 0)
    if (!domain.ok) refuse(words.place, domain.why, 'write the name that is asked, as example.org')
  }
  reading.note(
    place,
    '`health_check`: the health of upstreams is judged by their answers, without checks',
  )
}

function readDohMethod(words: Words, _options: ForwardOptions, reading: Reading): void {
  reading.note(words.place, '`doh_method`: nobody is asked over HTTPS')
  const method = onlyArgument(words, 'doh_method POST|GET')
  if (method.text === 'POST' || method.text === 'GET') return
  refuse(method.place, `${quoted(method.text)} is no method`, 'write POST or GET')
}

function readPolicy(words: Words, options: ForwardOptions): void {
  const { text, place } = onlyArgument(words, 'policy random|round_robin|sequential')
  if (text !== 'random' && text !== 'round_robin' && text !== 'sequential') {
    return refuse(place, `${quoted(text)} is no policy`, 'write random, round_robin or sequential')
  }
  options.policy = text
}

function readResolver(words: Words): void {
  const { place } = words
  if (words.rest().length === 0) refuseCount(words, 'resolver ADDRESS...')
  refuse(
    place,
    '`resolver` is for upstreams with host names, which are not taken',
    'write addresses',
  )
}

function readSourceAddress(words: Words): void {
  const { place } = words
  onlyArgument(words, 'source_address ADDRESS')
  const cure = 'remove it, and let the routing table choose, or give the route a source address'
  refuse(place, '`source_address` is not supported', cure)
}

function rcodeList(words: Words): string[] {
  const names = words.rest()
  if (names.length === 0) refuseCount(words, `${words.text} RCODE...`)
  return names.map(({ text, place }) => {
    const rcode = text.toUpperCase()
    if (rcodes.has(rcode)) return rcode
    return refuse(place, `${quoted(text)} is no rcode`, 'write names such as SERVFAIL')
  })
}

function time(words: Words, least: number): number {
  const name = words.text
  const word = onlyArgument(words, `${name} DURATION`)
  const ms = duration(word, 'a time')
  if (ms < least) refuse(word.place, `\`${name}\` is ${word.text}`, 'write a time above 0s')
  return ms
}

function natural(word: Word, what: string): number {
  const value = integer(word, what)
  return value >= 0 ? value : refuse(word.place, `${word.text} is negative`, 'write 0 or more')
}

/** Go's ParseUint takes no sign, and 32 bits. */
function count(word: Word, what: string): number {
  if (/^\d{1,10}$/.test(word.text) && Number(word.text) < 2 ** 32) return Number(word.text)
  return refuse(
    word.place,
    `${quoted(word.text)} is not a number; ${what} was expected`,
    'write 0 or more',
  )
}
