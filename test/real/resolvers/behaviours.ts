/** What a scripted upstream does with a question: small behaviours, and how to put them together. */
import type { Behaviour, FakeQuery, FakeUpstream } from '../../upstream/fake-upstream.ts'
import { type Content, message, type RecordText, typeNumberOf } from './message.ts'

/** Says `content`; over UDP no more than the question allows, else TC with nothing (RFC 2181 9). */
export function says(content: Content | ((query: FakeQuery) => Content)): Behaviour {
  return (query) => {
    const given = typeof content === 'function' ? content(query) : content
    const whole = message(query, given)
    const fits = query.transport === 'tcp' || whole.length <= udpMax(query)
    query.send(fits ? whole : message(query, { ...given, ...nothing, tc: true }))
  }
}

const nothing = { answers: [], authorities: [], additionals: [] }

/** Says it whole, whatever the transport and the size. */
export function saysWhole(content: Content): Behaviour {
  return (query) => query.send(message(query, content))
}

export interface ZoneOptions {
  /** Of denials; null for denials without SOA. */
  readonly soa?: string | null
  readonly compressed?: boolean
}

/**
 * A resolver that knows these records and denies everything else, with SOA. `*.a.example` stands for all names below it
 * that are not written down. Aliases are followed as far as the records lead.
 */
export function knows(records: readonly string[], options: ZoneOptions = {}): Behaviour {
  const { soa = 'example 60 SOA ns.example host.example 1 3600 600 86400 60', compressed } = options
  const authorities = soa === null ? [] : [soa]
  const more = compressed === undefined ? {} : { compressed }
  return says((query) => {
    const { answers, rcode } = find(records, query.qname.toLowerCase(), qtypeOf(query))
    const isData = answers.length > 0 && !isAlias(answers.at(-1) ?? '', qtypeOf(query))
    return { rcode, answers, ...(isData ? {} : { authorities }), ...more }
  })
}

interface Found {
  readonly answers: string[]
  readonly rcode: number
}

function find(records: readonly string[], name: string, qtype: number): Found {
  const own = ownedBy(records, name)
  const fitting = own.filter(
    (text) => typeOf(text) === qtype || typeOf(text) === typeNumberOf['CNAME'],
  )
  const alias = fitting.find((text) => isAlias(text, qtype))
  if (alias === undefined) return { answers: fitting, rcode: own.length === 0 ? 3 : 0 }
  const target = (alias.split(' ')[3] ?? '').toLowerCase()
  // Where the records say nothing of the target, the alias is all that is said.
  if (!records.some((text) => text.startsWith(`${target} `))) return { answers: fitting, rcode: 0 }
  const rest = find(records, target, qtype)
  return { answers: [...fitting, ...rest.answers], rcode: rest.rcode }
}

function ownedBy(records: readonly string[], name: string): string[] {
  const exact = records.filter((text) => text.split(' ')[0] === name)
  if (exact.length > 0) return exact
  for (let parent = name.indexOf('.'); parent >= 0; parent = name.indexOf('.', parent + 1)) {
    const wild = `*${name.slice(parent)} `
    const found = records.filter((text) => text.startsWith(wild))
    if (found.length > 0) return found.map((text) => `${name} ${text.slice(wild.length)}`)
  }
  return []
}

function typeOf(text: string): number {
  return typeNumberOf[text.split(' ')[2] ?? ''] ?? 0
}

function isAlias(text: string, qtype: number): boolean {
  return typeOf(text) === typeNumberOf['CNAME'] && qtype !== typeNumberOf['CNAME']
}

export function qtypeOf(query: FakeQuery): number {
  return query.message.readUInt16BE(query.questionEnd - 4)
}

/** An rcode and nothing else: 1 FORMERR, 2 SERVFAIL, 3 NXDOMAIN, 4 NOTIMP, 5 REFUSED, 9 NOTAUTH. */
export function refuses(rcode: number): Behaviour {
  return says({ rcode })
}

export function after(ms: number, then: Behaviour): Behaviour {
  return (query) => query.after(ms, () => then(query))
}

/** For names at and below `zone`; all others get `otherwise`. */
export function below(zone: string, then: Behaviour, otherwise: Behaviour): Behaviour {
  return when(({ qname }) => isBelow(qname, zone), then, otherwise)
}

export function ofType(type: string, then: Behaviour, otherwise: Behaviour): Behaviour {
  return when((query) => qtypeOf(query) === typeNumberOf[type], then, otherwise)
}

export function overTcp(then: Behaviour, otherwise: Behaviour): Behaviour {
  return when(({ transport }) => transport === 'tcp', then, otherwise)
}

export function when(
  test: (query: FakeQuery) => boolean,
  then: Behaviour,
  otherwise: Behaviour,
): Behaviour {
  return (query) => (test(query) ? then(query) : otherwise(query))
}

/** A behaviour that remembers: each upstream has its own, so that one server leaves nothing to the next. */
export function remembering(make: () => Behaviour): Behaviour {
  const made = new WeakMap<FakeUpstream, Behaviour>()
  return (query) => {
    const own = made.get(query.upstream) ?? make()
    made.set(query.upstream, own)
    own(query)
  }
}

/** Answers the questions of one connection one after another, as CoreDNS does; those over UDP at once. */
export function oneAfterAnother(msOf: (query: FakeQuery) => number, then: Behaviour): Behaviour {
  return remembering(() => {
    const busyUntil = new Map<number, number>()
    return (query) => {
      const now = performance.now()
      const busy = query.transport === 'udp' ? now : (busyUntil.get(query.connection) ?? now)
      const end = Math.max(now, busy) + msOf(query)
      busyUntil.set(query.connection, end)
      query.after(end - now, () => then(query))
    }
  })
}

export function isBelow(name: string, zone: string): boolean {
  return `.${name.toLowerCase()}`.endsWith(`.${zone}`)
}

/** @returns `count` records of one name, from 192.0.2.1 or 2001:db8::1 on */
export function addresses(name: string, count: number, type: 'A' | 'AAAA' = 'A'): RecordText[] {
  const data = (n: number) => (type === 'A' ? `192.0.2.${n}` : `2001:db8::${n.toString(16)}`)
  return Array.from({ length: count }, (_, n) => `${name} 60 ${type} ${data(n + 1)}`)
}

/** What the question's OPT offers, or 512 octets. */
function udpMax(query: FakeQuery): number {
  if (!query.hasOpt) return 512
  // The OPT record is the only one in a query, and its owner is the root.
  return Math.max(512, query.message.readUInt16BE(query.questionEnd + 3))
}
