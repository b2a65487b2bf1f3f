/** Upstreams that do not take EDNS, or not all of it. RFC 6891 6.2.2 and 7; the question without it is answered. */
import type { Behaviour, FakeQuery } from '../../../upstream/fake-upstream.ts'
import { below, knows, says, when } from '../behaviours.ts'
import { ask, askAtOnce, asked, type Case, manyNames, pause } from '../case.ts'
import { bare, headerOnly, message } from '../message.ts'
import { data, within } from '../properties.ts'

const records = knows(['*.site.example 60 A 192.0.2.20'])
const withOpt = (then: Behaviour): Behaviour => when(({ hasOpt }) => hasOpt, then, records)
const flagDay =
  'dns-violations#58, openthread#7438; DNS Flag Day 2019 ended such retries in recursive servers'

function takes(what: string, behaviour: Behaviour, source: string): Case {
  return {
    name: `an upstream that ${what} is asked without it`,
    source,
    upstreams: { only: behaviour },
    steps: [
      ask('one.site.example', 'A', data('192.0.2.20'), within(4900)),
      ask('two.site.example', 'A', data('192.0.2.20'), within(4900)),
      pause(200),
      ask('three.site.example', 'A', data('192.0.2.20'), within(4900)),
    ],
  }
}

/** Nobody has asked it before: what the first of the names shows, the others cannot know yet. */
function takesAtOnce(what: string, behaviour: Behaviour, count: number): Case {
  return {
    name: `${count} names at once: an upstream that ${what} is asked without it`,
    source: 'RFC 6891 7: each question fails by itself',
    upstreams: { only: behaviour },
    steps: [
      askAtOnce(manyNames('site.example', count), 'A', data('192.0.2.20'), within(4900)),
      ask('later.site.example', 'A', data('192.0.2.20'), within(4900)),
    ],
  }
}

/** The client has EDNS: what a forwarder without EDNS of its own passes on. */
function takesFromClient(what: string, behaviour: Behaviour, source: string): Case {
  return {
    name: `the same for a client with EDNS: an upstream that ${what}`,
    source,
    upstreams: { only: behaviour },
    steps: [ask('one.site.example', 'A', data('192.0.2.20'), within(4900), { ednsBytes: 1232 })],
  }
}

/** FORMERR with the OPT of the query sent back, as some appliances do. */
function echoesOpt(query: FakeQuery): void {
  const reply = Buffer.from(query.message)
  reply.writeUInt16BE(0x8181, 2)
  query.send(reply)
}

export const edns: readonly Case[] = [
  takes(
    'drops queries with OPT',
    withOpt(() => {}),
    flagDay,
  ),
  takes(
    'answers FORMERR with the question to OPT',
    withOpt((q) => q.send(bare(q, 1))),
    'RFC 6891 7',
  ),
  takes(
    'answers FORMERR as a bare header to OPT',
    withOpt((q) => q.send(headerOnly(q, 1))),
    'RFC 6891 7; wahern/dns#4',
  ),
  takes(
    'answers FORMERR with an echoed OPT to OPT',
    withOpt(echoesOpt),
    'RFC 6891 7; routedns#398',
  ),
  takes(
    'answers NOTIMP to OPT',
    withOpt((q) => q.send(bare(q, 4))),
    'RFC 6891 7',
  ),
  takes(
    'answers NOTIMP as a bare header to OPT',
    withOpt((q) => q.send(headerOnly(q, 4))),
    'RFC 6891 7',
  ),
  takes(
    'answers BADVERS to OPT',
    withOpt((q) => q.send(message(q, { opt: { rcode: 16 } }))),
    'RFC 6891 6.1.3',
  ),
  takes(
    'answers SERVFAIL to OPT',
    withOpt((q) => q.send(bare(q, 2))),
    'RFC 6891 7; seen of load balancers and home routers',
  ),
  takes(
    'answers NXDOMAIN to OPT',
    withOpt((q) => q.send(bare(q, 3))),
    'RFC 8906 3: wrong replies to EDNS; the same name exists without it',
  ),
  takesAtOnce(
    'answers SERVFAIL to OPT',
    withOpt((q) => q.send(bare(q, 2))),
    10,
  ),
  takesAtOnce(
    'answers SERVFAIL to OPT',
    withOpt((q) => q.send(bare(q, 2))),
    100,
  ),
  takesAtOnce(
    'answers NXDOMAIN to OPT',
    withOpt((q) => q.send(bare(q, 3))),
    10,
  ),
  takesAtOnce(
    'drops queries with OPT',
    withOpt(() => {}),
    10,
  ),
  takesFromClient(
    'drops queries with OPT',
    withOpt(() => {}),
    flagDay,
  ),
  takesFromClient(
    'answers FORMERR with the question to OPT',
    withOpt((q) => q.send(bare(q, 1))),
    'RFC 6891 7',
  ),
  {
    name: 'one zone whose server refuses EDNS does not take it from the other names of an upstream',
    source: 'RFC 6891 6.2.2; dnsmasq and CoreDNS pass on what a zone’s server says',
    upstreams: {
      only: below(
        'corp.example',
        withOpt((q) => q.send(bare(q, 1))),
        records,
      ),
    },
    steps: [
      ask('one.site.example', 'A', data('192.0.2.20'), { ednsBytes: 1232 }),
      ask('one.corp.example', 'A'),
      ask('two.corp.example', 'A', { ednsBytes: 1232 }),
      ask('two.site.example', 'A', data('192.0.2.20'), { ednsBytes: 1232 }),
      asked('only', ({ queries }) =>
        queries.at(-1)?.hasOpt ? undefined : 'two.site.example was asked without EDNS',
      ),
    ],
  },
  {
    name: 'an upstream that answers without OPT is understood',
    source: 'RFC 6891 7: a responder that does not know OPT leaves it out',
    upstreams: {
      only: (query) => {
        const reply = message(query, { answers: [`${query.qname} 60 A 192.0.2.20`] })
        // The OPT record is the last, and eleven octets long.
        const cut = query.hasOpt ? Buffer.from(reply.subarray(0, -11)) : reply
        cut.writeUInt16BE(0, 10)
        query.send(cut)
      },
    },
    steps: [ask('www.site.example', 'A', data('192.0.2.20'), { ednsBytes: 1232 })],
  },
  {
    name: 'an upstream that drops queries with an option it does not know is asked without options',
    source: 'RFC 6891 6.1.2: unknown options are ignored; appliances drop them',
    upstreams: { only: when(hasOption, () => {}, records) },
    steps: [ask('www.site.example', 'A', data('192.0.2.20'), within(4900))],
  },
  {
    name: 'an outside upstream sees no option that nobody has registered',
    source: 'IANA, DNS EDNS0 Option Codes; RFC 6891 9',
    upstreams: { only: records },
    steps: [
      ask('www.site.example', 'A', data('192.0.2.20')),
      asked('only', ({ queries }) => {
        const unknown = queries.flatMap(optionsOf).filter((code) => code > 22)
        return unknown.length === 0 ? undefined : `option ${unknown[0]} sent`
      }),
    ],
  },
  {
    name: 'options in an answer reach no client that did not ask for them',
    source: 'RFC 6891 6.2.6: OPT is hop by hop',
    upstreams: {
      only: says(({ qname, hasOpt }) => ({
        answers: [`${qname} 60 A 192.0.2.20`],
        ...(hasOpt
          ? { opt: { rcode: 0, data: Buffer.from('00030004616263640008000400010000', 'hex') } }
          : {}),
      })),
    },
    steps: [
      ask('www.site.example', 'A', data('192.0.2.20'), ({ reply }) =>
        reply?.opt ? 'an OPT record came' : undefined,
      ),
      ask('two.site.example', 'A', data('192.0.2.20'), { ednsBytes: 1232 }, ({ reply }) =>
        reply?.opt?.data === '' ? undefined : `OPT data ${reply?.opt?.data ?? 'missing'}`,
      ),
    ],
  },
]

function hasOption(query: FakeQuery): boolean {
  return optionsOf(query).length > 0
}

function optionsOf(query: FakeQuery): number[] {
  if (!query.hasOpt) return []
  const data = query.message.subarray(query.questionEnd + 11)
  const codes: number[] = []
  for (let at = 0; at + 4 <= data.length; at += 4 + data.readUInt16BE(at + 2))
    codes.push(data.readUInt16BE(at))
  return codes
}
