/** Silence about a name is not the death of a server; the only server there is is asked. */
import type { Behaviour, FakeQuery } from '../../../upstream/fake-upstream.ts'
import { after, below, knows, ofType, overTcp, refuses, remembering } from '../behaviours.ts'
import {
  ask,
  askAtOnce,
  become,
  type Case,
  die,
  leaveOpen,
  manyNames,
  meanwhile,
  pause,
  revive,
  type Step,
} from '../case.ts'
import { message } from '../message.ts'
import { data, rcode, within } from '../properties.ts'

const records = knows(['*.site.example 60 A 192.0.2.20', '*.corp.example 60 A 192.0.2.11'])

export const silence: readonly Case[] = [
  {
    name: 'one upstream that is silent about some names answers the others',
    source: 'coredns#486, #1504',
    upstreams: { only: below('silent.example', () => {}, records) },
    steps: [
      askAtOnce(manyNames('silent.example', 30), 'A'),
      askAtOnce(manyNames('site.example', 20), 'A', data('192.0.2.20'), within(2500)),
    ],
  },
  {
    name: 'the same while the silent names are still open',
    source: 'coredns#1035',
    upstreams: { only: below('silent.example', () => {}, records) },
    steps: [
      leaveOpen(manyNames('silent.example', 30), 'A'),
      pause(1500),
      askAtOnce(manyNames('site.example', 20), 'A', data('192.0.2.20'), within(2500)),
    ],
  },
  {
    name: 'one upstream that is silent about AAAA answers A',
    source: 'RFC 4074 4.1; coredns#1035',
    upstreams: { only: ofType('AAAA', () => {}, records) },
    steps: [
      askAtOnce(manyNames('site.example', 12), 'AAAA'),
      askAtOnce(manyNames('corp.example', 12), 'A', data('192.0.2.11'), within(2500)),
    ],
  },
  {
    name: 'recursion that takes 2.5 s is waited for',
    source: 'RFC 1035 7.2: unbound and BIND take seconds for names behind slow servers',
    upstreams: { only: after(2500, records) },
    steps: [askAtOnce(manyNames('site.example', 3), 'A', data('192.0.2.20'), within(4900))],
  },
  {
    name: 'recursion that takes 4 s for one name is waited for, beside quick ones',
    source: 'coredns#1035',
    upstreams: { only: below('corp.example', after(4000, records), records) },
    steps: [
      askAtOnce(manyNames('site.example', 10), 'A', data('192.0.2.20')),
      ask('far.corp.example', 'A', data('192.0.2.11'), within(4900)),
    ],
  },
  {
    name: 'an upstream that refuses the root is not taken for dead',
    source: 'RFC 8906 3; many resolvers refuse `. NS`',
    upstreams: { only: below('silent.example', () => {}, records) },
    steps: [
      ask('one.silent.example', 'A'),
      pause(1000),
      askAtOnce(manyNames('site.example', 10), 'A', data('192.0.2.20'), within(2500)),
    ],
  },
  {
    name: 'an upstream that was gone for 3 s is asked when it is back',
    source: 'RFC 9520 3.2: failures are remembered for seconds',
    upstreams: { only: records },
    steps: [
      die('only'),
      askAtOnce(manyNames('corp.example', 10), 'A'),
      pause(3000),
      revive('only'),
      pause(1500),
      askAtOnce(manyNames('site.example', 10), 'A', data('192.0.2.20'), within(2500)),
    ],
  },
  {
    name: 'SERVFAIL for 30 names says nothing about others',
    source: 'RFC 9520 3.1: failures are remembered by question',
    upstreams: { only: below('bad.example', refuses(2), records) },
    steps: [
      askAtOnce(manyNames('bad.example', 30), 'A', rcode(2)),
      askAtOnce(manyNames('site.example', 20), 'A', data('192.0.2.20'), within(1000)),
    ],
  },
  {
    name: 'a failure is not held against a name for longer than 6 s',
    source: 'RFC 9520 3.2; operators wait for it after an outage',
    upstreams: { only: refuses(2) },
    steps: [
      ask('www.site.example', 'A', rcode(2)),
      become('only', records),
      pause(6000),
      ask('www.site.example', 'A', data('192.0.2.20')),
    ],
    long: true,
  },
  {
    name: 'of two upstreams one that is silent costs no answer',
    source: 'resolv.conf(5), attempts',
    upstreams: { first: () => {}, second: records },
    steps: [askAtOnce(manyNames('site.example', 20), 'A', data('192.0.2.20'), within(4900))],
  },
  {
    name: 'of two upstreams one whose port refuses costs no second',
    source: 'RFC 1122 4.1.3.3: ICMP errors are passed to the application',
    upstreams: { first: records, second: records },
    steps: [
      die('first'),
      askAtOnce(manyNames('site.example', 20), 'A', data('192.0.2.20'), within(1500)),
    ],
  },
  {
    name: 'where the only upstream refuses its port, SERVFAIL comes before the stub resolver gives up',
    source: 'resolv.conf(5), timeout: 5 s',
    upstreams: { only: records },
    steps: [die('only'), ask('www.site.example', 'A', rcode(2), within(4900))],
  },
  {
    name: 'where the only upstream is silent, SERVFAIL comes before the stub resolver gives up',
    source: 'resolv.conf(5), timeout: 5 s',
    upstreams: { only: () => {} },
    steps: [
      ask('one.site.example', 'A', rcode(2), within(4900)),
      ask('two.site.example', 'A', rcode(2), within(4900)),
    ],
  },
  {
    name: 'an upstream that was silent for 6 s is asked when it speaks again',
    source: 'RFC 9520 3.2',
    upstreams: { only: () => {} },
    steps: [
      leaveOpen(manyNames('corp.example', 20), 'A'),
      pause(6000),
      become('only', records),
      pause(1500),
      askAtOnce(manyNames('site.example', 20), 'A', data('192.0.2.20'), within(2500)),
    ],
  },
  {
    name: 'REFUSED for one zone says nothing about other names',
    source: 'RFC 1035 4.1.1: refused for policy reasons',
    upstreams: { only: below('bad.example', refuses(5), records) },
    steps: [
      askAtOnce(manyNames('bad.example', 30), 'A', rcode(2, 5)),
      askAtOnce(manyNames('site.example', 20), 'A', data('192.0.2.20'), within(1000)),
    ],
  },
  {
    name: 'a question of which the first packet is lost is answered within 2.5 s',
    source: 'RFC 1035 4.2.1: retransmission',
    upstreams: { only: losesFirst() },
    steps: [askAtOnce(manyNames('site.example', 5), 'A', data('192.0.2.20'), within(2500))],
  },
  {
    name: 'questions that are asked while an only upstream says nothing for 1.2 s are answered within 3 s',
    source:
      'RFC 1035 4.2.1: retransmission; a resolver that is started anew, a link that is down for a moment',
    upstreams: { only: records },
    steps: [
      ask('before.site.example', 'A', data('192.0.2.20')),
      ...speaks(false),
      meanwhile(
        [askAtOnce(manyNames('site.example', 6), 'A', data('192.0.2.20'), within(3000))],
        [pause(1200), ...speaks(true)],
      ),
    ],
  },
  {
    name: 'where every reply over UDP has a wrong ID, TCP is tried',
    source: 'RFC 5452 9.1: wrong replies are signs of an attack, TCP settles it',
    upstreams: { only: overTcp(records, wrongId) },
    steps: [ask('www.site.example', 'A', data('192.0.2.20'), within(4900))],
  },
  {
    name: 'where UDP is dropped on the way, TCP is tried',
    source: 'RFC 7766 5: TCP is not optional',
    upstreams: { only: overTcp(records, () => {}) },
    steps: [
      // Signs of life do not come through either.
      async (stage) => {
        stage.upstream('only').answersTrials = false
      },
      ask('www.site.example', 'A', data('192.0.2.20'), within(4900)),
    ],
  },
  {
    name: 'a wrong reply that comes first does not win',
    source: 'RFC 5452 9.1',
    upstreams: {
      only: (query) => {
        wrongId(query)
        otherName(query)
        query.after(50, () => records(query))
      },
    },
    steps: [ask('www.site.example', 'A', data('192.0.2.20'))],
  },
  {
    name: 'FORMERR, NOTIMP and NOTAUTH of an only upstream are no answers to the client',
    source:
      'RFC 1035 4.1.1: they are about the query of the forwarder, which the client did not write',
    upstreams: {
      only: (query) => refuses({ f: 1, i: 4, a: 9 }[query.qname.charAt(0)] ?? 2)(query),
    },
    steps: ['f', 'i', 'a'].map((first) => ask(`${first}.site.example`, 'A', rcode(2))),
  },
]

/** The first datagram about each name. */
function losesFirst(): Behaviour {
  return remembering(() => {
    const known = new Set<string>()
    return (query) => {
      if (known.has(query.qname)) records(query)
      known.add(query.qname)
    }
  })
}

function wrongId(query: FakeQuery): void {
  const reply = message(query, { answers: ['www.site.example 60 A 192.0.2.66'] })
  reply.writeUInt16BE(query.id ^ 0x5555, 0)
  query.send(reply)
}

/** The right ID, and another question: what an off-path attacker with luck sends. */
function otherName(query: FakeQuery): void {
  const changed = Buffer.from(query.message)
  changed[13] = 0x7a
  const reply = Buffer.from(changed.subarray(0, query.questionEnd))
  reply.writeUInt16BE(0x8180, 2)
  reply.fill(0, 6, 12)
  query.send(reply)
}

/** Whether it says anything at all, also to signs of life. */
function speaks(isHeard: boolean): Step[] {
  return [
    become('only', isHeard ? records : () => {}),
    async (stage) => {
      stage.upstream('only').answersTrials = isHeard
    },
  ]
}
