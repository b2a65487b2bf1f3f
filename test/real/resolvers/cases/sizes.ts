/** Truncation, the order of an answer, and how much of it fits. RFC 2181 9, RFC 7766, RFC 6891. */
import type { FakeQuery } from '../../../upstream/fake-upstream.ts'
import { addresses, knows, overTcp, says, saysWhole } from '../behaviours.ts'
import { ask, type Case } from '../case.ts'
import { bare, message, type RecordText } from '../message.ts'
import { aliasesFirst, complete, data, exactly, on, within } from '../properties.ts'

const many = addresses('many.site.example', 60)
const whole = says({ answers: many })

/** TC, and the message ends inside its last record. */
function cutInside(query: FakeQuery): void {
  const reply = message(query, { tc: true, answers: many.slice(0, 30) })
  query.send(reply.subarray(0, -13))
}

function cutInHeaderOnly(query: FakeQuery): void {
  query.send(bare(query, 0, 0x8380))
}

function answersInOrder(
  what: string,
  name: string,
  answers: readonly RecordText[],
  wanted: readonly string[],
): Case {
  return {
    name: `${what} comes with the aliases first`,
    source:
      'RFC 1034 4.3.2; glibc says "No address associated with hostname" otherwise; hickory#3641',
    upstreams: { only: saysWhole({ answers }) },
    steps: [ask(name, 'A', aliasesFirst, data(...wanted))],
  }
}

/** TC beside an rcode: the device answers before it knows, so that the asker comes over TCP. */
function besideRcode(rcodeName: string, rcode: number): Case {
  return {
    name: `TC beside ${rcodeName} leads to TCP`,
    source: 'RFC 2181 9: such a response should be ignored, and the question asked over TCP',
    upstreams: {
      only: overTcp(whole, (query) => query.send(message(query, { tc: true, rcode }))),
    },
    steps: [ask('many.site.example', 'A', complete(60), { tcp: true }, within(4900))],
  }
}

export const sizes: readonly Case[] = [
  besideRcode('SERVFAIL', 2),
  besideRcode('NXDOMAIN', 3),
  besideRcode('REFUSED', 5),
  {
    name: 'TC with a body that is cut inside a record leads to TCP',
    source: 'RFC 2181 9; coredns#4547, #5953',
    upstreams: { only: overTcp(whole, cutInside) },
    steps: [ask('many.site.example', 'A', complete(60), { tcp: true })],
  },
  {
    name: 'TC without any record leads to TCP',
    source: 'RFC 2181 9',
    upstreams: { only: overTcp(whole, cutInHeaderOnly) },
    steps: [ask('many.site.example', 'A', complete(60), { tcp: true })],
  },
  {
    name: 'TC and a TCP port that refuses leave the client what UDP gave, with TC',
    source: 'RFC 7766 5; RFC 2181 9',
    upstreams: {
      only: overTcp(
        (query) => query.reset(),
        (query) => query.send(message(query, { tc: true, answers: many.slice(0, 10) })),
      ),
    },
    steps: [ask('many.site.example', 'A', on('tc'), within(4900))],
  },
  {
    name: 'the same where TCP is silent, in time',
    source: 'RFC 7766 5',
    upstreams: {
      only: overTcp(
        () => {},
        (query) => query.send(message(query, { tc: true, answers: many.slice(0, 10) })),
      ),
    },
    steps: [ask('many.site.example', 'A', on('tc'), within(4900))],
  },
  {
    name: '20 addresses that come uncompressed over TCP fit into 512 bytes',
    source: 'RFC 1035 4.1.4; coredns#2224, docker/for-mac#7110',
    upstreams: {
      cluster: knows([...addresses('all.team.svc.cluster.local', 20)].map(String), {
        compressed: false,
      }),
    },
    routes: { 'cluster.local': ['cluster'] },
    overTcp: ['cluster.local'],
    cluster: 'cluster.local',
    steps: [
      ask('all.team.svc.cluster.local', 'A', complete(20)),
      ask('all.team.svc.cluster.local', 'A', complete(20)),
    ],
  },
  {
    name: '15 IPv6 addresses that come uncompressed fit into 512 bytes',
    source: 'RFC 1035 4.1.4',
    upstreams: {
      cluster: knows([...addresses('all.team.svc.cluster.local', 15, 'AAAA')].map(String), {
        compressed: false,
      }),
    },
    routes: { 'cluster.local': ['cluster'] },
    overTcp: ['cluster.local'],
    cluster: 'cluster.local',
    steps: [ask('all.team.svc.cluster.local', 'AAAA', complete(15))],
  },
  {
    name: 'an alias with 15 addresses that comes uncompressed fits into 512 bytes',
    source: 'RFC 1035 4.1.4',
    upstreams: {
      cluster: saysUncompressed([
        'web.team.svc.cluster.local 60 CNAME backend-with-a-long-name.other-team.svc.cluster.local',
        ...addresses('backend-with-a-long-name.other-team.svc.cluster.local', 15),
      ]),
    },
    routes: { 'cluster.local': ['cluster'] },
    overTcp: ['cluster.local'],
    cluster: 'cluster.local',
    steps: [ask('web.team.svc.cluster.local', 'A', complete(16))],
  },
  {
    name: 'an answer that does not fit comes with TC, and whole over TCP',
    source: 'RFC 2181 9; RFC 7766 5',
    upstreams: { only: whole },
    steps: [
      ask('many.site.example', 'A', on('tc'), ({ octets }) =>
        octets.length <= 512 ? undefined : `${octets.length} bytes`,
      ),
      ask('many.site.example', 'A', complete(60), { tcp: true }),
    ],
  },
  {
    name: 'a client that can take 4,096 bytes gets 60 addresses, or TC',
    source: 'RFC 6891 6.2.5',
    upstreams: { only: whole },
    steps: [
      ask('many.site.example', 'A', { ednsBytes: 4096 }, (seen) =>
        seen.reply?.tc ? undefined : complete(60)(seen),
      ),
    ],
  },
  {
    name: 'an answer of 60,000 bytes comes whole over TCP',
    source: 'RFC 1035 4.2.2',
    upstreams: {
      only: says({
        answers: Array.from(
          { length: 240 },
          (_, n) => `big.site.example 60 TXT ${String(n).padStart(240, 'x')}`,
        ),
      }),
    },
    steps: [ask('big.site.example', 'TXT', complete(240), { tcp: true })],
  },
  answersInOrder(
    'an answer [A, CNAME]',
    'www.site.example',
    ['end.site.example 60 A 192.0.2.1', 'www.site.example 60 CNAME end.site.example'],
    ['192.0.2.1'],
  ),
  answersInOrder(
    'a chain of three aliases that comes backwards',
    'www.site.example',
    [
      'd.site.example 60 A 192.0.2.1',
      'c.site.example 60 CNAME d.site.example',
      'b.site.example 60 CNAME c.site.example',
      'www.site.example 60 CNAME b.site.example',
    ],
    ['192.0.2.1'],
  ),
  answersInOrder(
    'an alias between the addresses it leads to',
    'www.site.example',
    [
      'end.site.example 60 A 192.0.2.1',
      'www.site.example 60 CNAME end.site.example',
      'end.site.example 60 A 192.0.2.2',
    ],
    ['192.0.2.1', '192.0.2.2'],
  ),
  {
    name: 'a chain of eight aliases is passed on whole',
    source: 'RFC 1034 3.6.2',
    upstreams: { only: knows(chain(8)) },
    steps: [ask('c0.site.example', 'A', complete(9), aliasesFirst)],
  },
  {
    name: 'records that nobody asked for are not passed on',
    source: 'RFC 2181 5.4.1; RFC 5452 6',
    upstreams: {
      only: says({
        answers: ['www.site.example 60 A 192.0.2.1', 'bank.example 60 A 203.0.113.66'],
      }),
    },
    steps: [ask('www.site.example', 'A', exactly('192.0.2.1'))],
  },
]

function chain(length: number): string[] {
  const links = Array.from(
    { length },
    (_, n) => `c${n}.site.example 60 CNAME c${n + 1}.site.example`,
  )
  return [...links, `c${length}.site.example 60 A 192.0.2.1`]
}

function saysUncompressed(answers: readonly RecordText[]) {
  return says({ answers, compressed: false })
}
