/**
 * The Internet of the demo: a few names under domains and addresses reserved for documentation (RFC 2606, RFC 5737, RFC 3849),
 * one of them with a slow and one with a broken server. Pure.
 */
import { Rcode, RrType } from '../wire/constants.ts'
import { a, aaaa, cname, type DemoAnswer, https, mx, soa, type TypedData, txt } from './records.ts'

interface OutsideName {
  readonly ttlSeconds: number
  readonly data: readonly TypedData[]
  /** How long this name's own servers take. */
  readonly delayMs?: number
  readonly isBroken?: boolean
}

const names: Readonly<Record<string, OutsideName>> = {
  'example.com': {
    ttlSeconds: 60,
    data: [
      a('192.0.2.10'),
      aaaa('2001:db8::10'),
      mx(10, 'mail.example.com'),
      txt('v=spf1 -all'),
      https(),
    ],
  },
  'www.example.com': { ttlSeconds: 60, data: [cname('example.com')] },
  'api.example.com': { ttlSeconds: 20, data: [a('192.0.2.20'), aaaa('2001:db8::20')] },
  'catalog.example.com': { ttlSeconds: 60, data: [a('192.0.2.30')] },
  'mail.example.com': { ttlSeconds: 300, data: [a('192.0.2.40')] },
  'slow.example.org': { ttlSeconds: 60, data: [a('198.51.100.7')], delayMs: 200 },
  'broken.example.net': { ttlSeconds: 60, data: [], isBroken: true },
}

export interface OutsideAnswer extends DemoAnswer {
  readonly delayMs: number
}

/** @param qname lower case, no trailing dot */
export function outsideAnswer(qname: string, qtype: number): OutsideAnswer {
  const found = Object.entries(names).find(([name]) => name === qname)?.[1]
  const delayMs = found?.delayMs ?? 0
  if (found?.isBroken) return { rcode: Rcode.servfail, answers: [], authority: [], delayMs }
  const answers = found === undefined ? [] : recordsOf(qname, found, qtype)
  if (answers.length > 0) return { rcode: Rcode.noerror, answers, authority: [], delayMs }
  const rcode = found === undefined ? Rcode.nxdomain : Rcode.noerror
  return { rcode, answers: [], authority: [zoneSoa(qname)], delayMs }
}

function recordsOf(owner: string, found: OutsideName, qtype: number): DemoAnswer['answers'] {
  const { ttlSeconds } = found
  const own = found.data
    .filter(({ type }) => type === qtype || type === RrType.cname)
    .map((data) => ({ owner, ttlSeconds, ...data }))
  if (owner !== 'www.example.com' || qtype === RrType.cname) return own
  const target = names['example.com']
  return target === undefined ? own : [...own, ...recordsOf('example.com', target, qtype)]
}

/** The registered domain's SOA; a name with one label gets its own. */
function zoneSoa(qname: string): DemoAnswer['authority'][number] {
  const owner = qname.split('.').slice(-2).join('.')
  const times = [3600, 600, 86_400, 30] as const
  return { owner, ttlSeconds: 30, ...soa(`ns.${owner}`, `hostmaster.${owner}`, 1, times) }
}
