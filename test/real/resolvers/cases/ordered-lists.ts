/** The first resolver of a list knows names that the second denies: a split horizon. resolv.conf(5): "in the order listed". */
import type { Behaviour } from '../../../upstream/fake-upstream.ts'
import { after, below, knows, ofType, overTcp, refuses, says } from '../behaviours.ts'
import {
  ask,
  askAtOnce,
  asked,
  become,
  type Case,
  closeUdp,
  die,
  manyNames,
  pause,
  revive,
  type Step,
} from '../case.ts'
import { bare } from '../message.ts'
import { data, nodata, nxdomain, rcode, within } from '../properties.ts'

const resolvConf = 'resolv.conf(5), nameserver: the resolver queries them in the order listed'

/** It prefers the quickest, and says so. */
const noOrder = { unbound: 'has no ordered lists' } as const

const inside = knows([
  'db.corp.example 60 A 192.0.2.10',
  '*.corp.example 60 A 192.0.2.11',
  '*.site.example 60 A 192.0.2.20',
])
const outside = knows(['*.site.example 60 A 192.0.2.20'])
const nobody = knows([])
const forOthers = (behaviour: Behaviour) => below('corp.example', inside, behaviour)

/** However the first takes other names, its own stay with it. */
function stays(
  how: string,
  others: Behaviour,
  source: string,
  ...properties: Parameters<typeof askAtOnce>[2][]
): Case {
  return {
    name: `a first resolver that ${how} other names is still asked first for the next name`,
    source,
    upstreams: { first: forOthers(others), second: outside },
    notFor: noOrder,
    steps: [
      askAtOnce(manyNames('site.example', 20), 'A', ...properties),
      pause(300),
      askAtOnce(manyNames('corp.example', 20), 'A', data('192.0.2.11')),
      ask('db.corp.example', 'A', data('192.0.2.10')),
    ],
  }
}

/** Everybody looks elsewhere while the first is away; nobody asks anything after its return. */
function returns(how: string, goes: Step, comes: Step): Case {
  return {
    name: `a first resolver that ${how} for a second is asked first one second after its return`,
    source: resolvConf,
    upstreams: { first: inside, second: outside },
    notFor: noOrder,
    steps: [
      askAtOnce(manyNames('early.corp.example', 5), 'A', data('192.0.2.11')),
      goes,
      askAtOnce(manyNames('site.example', 5), 'A'),
      pause(1000),
      comes,
      pause(1000),
      askAtOnce(manyNames('corp.example', 5), 'A', data('192.0.2.11')),
    ],
  }
}

function overTcpAlone(how: string, overUdp: Behaviour): Case {
  return {
    name: `a first resolver that ${how} UDP and answers over TCP is asked first`,
    source: `${resolvConf}; RFC 7766 5: TCP is not optional`,
    upstreams: { first: overTcp(inside, overUdp), second: outside },
    notFor: noOrder,
    steps: [
      askAtOnce(manyNames('corp.example', 5), 'A', data('192.0.2.11'), within(4900)),
      pause(500),
      ask('db.corp.example', 'A', data('192.0.2.10'), within(4900)),
    ],
  }
}

const moves = (what: string, behaviour: Behaviour, source: string): Case => ({
  name: `${what} from the first resolver lets the second be asked`,
  source,
  upstreams: { first: forOthers(behaviour), second: outside },
  steps: [ask('www.site.example', 'A', data('192.0.2.20'))],
})

export const orderedLists: readonly Case[] = [
  stays(
    'is slow with (600 ms)',
    after(600, outside),
    `${resolvConf}; coredns#7118`,
    data('192.0.2.20'),
  ),
  stays('answers SERVFAIL to', refuses(2), `${resolvConf}; systemd#5755`),
  stays('answers REFUSED to', refuses(5), `${resolvConf}; kops#2546`),
  stays('is silent about', () => {}, resolvConf),
  returns('refuses', die('first'), revive('first')),
  returns(
    'is silent',
    become('first', () => {}),
    become('first', inside),
  ),
  {
    name: 'a name that is slow at the first resolver (1.5 s) is not denied by the second',
    source: resolvConf,
    upstreams: { first: after(1500, inside), second: outside },
    notFor: noOrder,
    steps: [askAtOnce(manyNames('corp.example', 5), 'A', data('192.0.2.11'))],
  },
  {
    name: 'the same, after a hundred quick answers of the first',
    source: resolvConf,
    upstreams: { first: below('db.corp.example', after(1000, inside), inside), second: outside },
    notFor: noOrder,
    steps: [
      askAtOnce(manyNames('site.example', 100), 'A', data('192.0.2.20')),
      ask('db.corp.example', 'A', data('192.0.2.10')),
    ],
  },
  {
    name: 'what the first resolver denies is not asked of the second',
    source: `${resolvConf}; "if there is no answer"`,
    upstreams: { first: inside, second: knows(['x.other.example 60 A 192.0.2.66']) },
    notFor: noOrder,
    steps: [
      ask('x.other.example', 'A', nxdomain),
      asked('second', ({ queries }) => (queries.length === 0 ? undefined : 'the second was asked')),
    ],
  },
  {
    name: 'a first resolver that is gone is replaced, and is first again when it is back',
    source: resolvConf,
    upstreams: { first: inside, second: outside },
    notFor: noOrder,
    steps: [
      die('first'),
      askAtOnce(manyNames('site.example', 10), 'A', data('192.0.2.20'), within(4900)),
      revive('first'),
      pause(6000),
      ask('later.site.example', 'A', data('192.0.2.20')),
      pause(2000),
      ask('db.corp.example', 'A', data('192.0.2.10')),
    ],
    long: true,
  },
  moves(
    'SERVFAIL',
    refuses(2),
    'systemd#5755; glibc res_send.c: SERVFAIL, NOTIMP, REFUSED go to the next',
  ),
  moves('REFUSED', refuses(5), 'glibc res_send.c: SERVFAIL, NOTIMP, REFUSED go to the next'),
  moves('NOTIMP', refuses(4), 'glibc res_send.c: SERVFAIL, NOTIMP, REFUSED go to the next'),
  moves('NOTAUTH', refuses(9), 'RFC 2136 2.2: NOTAUTH says nothing about a name'),
  moves(
    'FORMERR',
    (query) => query.send(bare(query, 1)),
    'RFC 1035 4.1.1: FORMERR says nothing about a name',
  ),
  moves('silence', () => {}, resolvConf),
  moves(
    'a referral without recursion',
    says({
      ra: false,
      authorities: ['example 60 NS ns.example'],
      additionals: ['ns.example 60 A 192.0.2.99'],
    }),
    'RFC 1034 4.3.1; coredns PR#8065',
  ),
  {
    name: 'when both answer SERVFAIL, SERVFAIL is the answer within 2 s',
    source: 'resolv.conf(5), timeout: a stub resolver gives up after 5 s',
    upstreams: { first: refuses(2), second: refuses(2) },
    steps: [ask('www.site.example', 'A', rcode(2), within(2000))],
  },
  {
    name: 'a first resolver that becomes slow (400 ms) for all names keeps all names',
    source: resolvConf,
    upstreams: { first: inside, second: outside },
    notFor: noOrder,
    steps: [
      askAtOnce(manyNames('site.example', 40), 'A', data('192.0.2.20')),
      become('first', after(400, inside)),
      askAtOnce(manyNames('corp.example', 40), 'A', data('192.0.2.11')),
    ],
  },
  {
    name: 'of three resolvers the first that gives an answer is taken',
    source: resolvConf,
    upstreams: { first: refuses(5), second: refuses(2), third: outside },
    steps: [ask('www.site.example', 'A', data('192.0.2.20'), within(4900))],
  },
  {
    name: 'NODATA of the first resolver is final',
    source: `${resolvConf}; "if there is no answer"`,
    upstreams: {
      first: knows(['www.site.example 60 TXT x']),
      second: knows(['www.site.example 60 A 192.0.2.66']),
    },
    notFor: noOrder,
    steps: [ask('www.site.example', 'A', nodata)],
  },
  {
    name: 'NXDOMAIN without SOA of the first resolver is final',
    source: 'RFC 2308 2.1.1: it is a denial all the same',
    upstreams: { first: refuses(3), second: outside },
    notFor: noOrder,
    steps: [ask('www.site.example', 'A', nxdomain)],
  },
  {
    name: 'a first resolver that is silent about AAAA keeps A',
    source: resolvConf,
    upstreams: { first: ofType('AAAA', () => {}, inside), second: outside },
    notFor: noOrder,
    steps: [
      askAtOnce(manyNames('corp.example', 10), 'AAAA'),
      askAtOnce(manyNames('corp.example', 10), 'A', data('192.0.2.11')),
    ],
  },
  {
    name: 'a truncated answer of the first resolver is completed by the first',
    source: `${resolvConf}; RFC 2181 9`,
    upstreams: {
      first: overTcp(inside, (query) => query.send(bare(query, 0, 0x8380))),
      second: outside,
    },
    notFor: noOrder,
    steps: [ask('db.corp.example', 'A', data('192.0.2.10'), { asStub: true })],
  },
  overTcpAlone('drops', () => {}),
  overTcpAlone('answers with a wrong ID to', (query) => {
    const reply = bare(query, 0)
    reply.writeUInt16BE(query.id ^ 1, 0)
    query.send(reply)
  }),
  {
    ...overTcpAlone('drops', () => {}),
    name: 'the same with a third resolver',
    upstreams: { first: overTcp(inside, () => {}), second: outside, third: outside },
  },
  {
    name: 'a first resolver whose UDP port is closed is asked over TCP before the second',
    source: `${resolvConf}; RFC 7766 5: TCP is not optional`,
    upstreams: { first: inside, second: outside },
    notFor: noOrder,
    steps: [
      closeUdp('first'),
      askAtOnce(manyNames('corp.example', 5), 'A', data('192.0.2.11'), within(4900)),
      pause(500),
      ask('db.corp.example', 'A', data('192.0.2.10'), within(4900)),
    ],
  },
  {
    name: 'an order holds within a stub zone as well',
    source: resolvConf,
    upstreams: {
      first: below('slow.corp.example', () => {}, inside),
      second: nobody,
      rest: outside,
    },
    routes: { 'corp.example': ['first', 'second'], '.': ['rest'] },
    notFor: noOrder,
    steps: [
      askAtOnce(manyNames('slow.corp.example', 10), 'A'),
      askAtOnce(manyNames('corp.example', 10), 'A', data('192.0.2.11')),
    ],
  },
]
