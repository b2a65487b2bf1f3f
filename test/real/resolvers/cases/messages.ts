/** Replies that are odd, and still replies; and some that are none. */
import type { Behaviour, FakeQuery } from '../../../upstream/fake-upstream.ts'
import { after, knows, overTcp, refuses, remembering, says, saysWhole } from '../behaviours.ts'
import { ask, askAtOnce, asked, type Case, manyNames } from '../case.ts'
import { bare, type Content, message, toQuestion } from '../message.ts'
import {
  anyReply,
  data,
  exactly,
  nodata,
  nxdomain,
  rcode,
  ttlAtMost,
  within,
} from '../properties.ts'

const qname = 'www.site.example'
const records = knows(['*.site.example 60 A 192.0.2.20'])
const answer = (query: FakeQuery, extra: Partial<Content> = {}) =>
  message(query, { answers: [`${query.qname} 60 A 192.0.2.20`], ...extra })

const stub = { asStub: true } as const

function understood(what: string, only: Behaviour, source: string): Case {
  return {
    name: `${what} is understood`,
    source,
    upstreams: { only },
    steps: [ask(qname, 'A', data('192.0.2.20'), stub), ask(qname, 'A', data('192.0.2.20'), stub)],
  }
}

export const messages: readonly Case[] = [
  understood(
    'a reply with the name in another letter case',
    (query) => {
      const reply = answer(query)
      for (let at = 13; at < query.questionEnd - 5; at++) {
        const octet = reply.readUInt8(at)
        if (octet >= 0x61 && octet <= 0x7a) reply.writeUInt8(octet - 32, at)
      }
      query.send(reply)
    },
    'RFC 4343 3',
  ),
  understood(
    'an answer whose owner has another letter case',
    saysWhole({ answers: ['WWW.Site.EXAMPLE 60 A 192.0.2.20'], compressed: false }),
    'RFC 4343 3',
  ),
  understood(
    'a reply with octets after its end',
    (query) => query.send(Buffer.concat([answer(query), Buffer.alloc(7)])),
    'seen from appliances; RFC 1035 4.1 says nothing of them',
  ),
  understood(
    'a UDP reply that is longer than was offered',
    (query) => {
      const padding = Array.from(
        { length: 6 },
        (_, n) => `x${n}.site.example 60 TXT ${'x'.repeat(240)}`,
      )
      query.send(answer(query, { additionals: padding }))
    },
    'RFC 6891 6.2.5; unbound and CoreDNS take it',
  ),
  understood(
    'a TCP reply that comes byte by byte',
    overTcp(
      (query) => {
        const reply = answer(query)
        const framed = Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply])
        for (const [at, octet] of framed.entries()) {
          query.after(2 * at, () => query.sendRaw(Buffer.from([octet])))
        }
      },
      (query) => query.send(bare(query, 0, 0x8380)),
    ),
    'RFC 7766 8',
  ),
  understood(
    'a reply that comes twice',
    (query) => {
      query.send(answer(query))
      query.send(answer(query))
    },
    'RFC 1035 7.3',
  ),
  {
    name: 'addresses of one name with several TTLs get the lowest',
    source: 'RFC 2181 5.2: treated as if all had been set to the lowest',
    upstreams: {
      only: saysWhole({ answers: [`${qname} 60 A 192.0.2.20`, `${qname} 5 A 192.0.2.21`] }),
    },
    steps: [ask(qname, 'A', data('192.0.2.20', '192.0.2.21'), ttlAtMost(5))],
  },
  understood(
    'a reply whose OPT stands before its other records',
    (query) => {
      const reply = answer(query)
      const more = Buffer.from('c00c0001000100000e100004c0000263', 'hex')
      reply.writeUInt16BE(reply.readUInt16BE(10) + 1, 10)
      query.send(Buffer.concat([reply, more]))
    },
    'RFC 6891 6.1.1: anywhere in the additional section',
  ),
  understood(
    'a reply behind datagrams that are no messages',
    (query) => {
      query.send(Buffer.alloc(0))
      query.send(query.message.subarray(0, 11))
      query.send(query.message)
      query.after(30, () => query.send(answer(query)))
    },
    'RFC 5452 9.1',
  ),
  {
    name: 'an address beside an alias of the same name is not lost',
    source: 'RFC 1034 3.6.2 forbids both; load balancers and small servers give both',
    upstreams: {
      only: saysWhole({
        answers: [`${qname} 60 CNAME end.site.example`, `${qname} 60 A 192.0.2.20`],
      }),
    },
    steps: [
      ask(qname, 'A', ({ reply }) =>
        reply?.answers.some((one) => one.data === '192.0.2.20') ? undefined : 'no address',
      ),
    ],
  },
  {
    name: 'an alias with 16 links is passed on whole',
    source: 'RFC 1034 3.6.2; BIND follows 16',
    upstreams: { only: saysWhole({ answers: chainOf(16) }) },
    steps: [ask(qname, 'A', data('192.0.2.20'), stub)],
  },
  {
    name: 'a question for AAAA that is answered with A is NODATA',
    source: 'RFC 2308 2.2; seen from home routers',
    upstreams: { only: says((query) => ({ answers: [`${query.qname} 60 A 192.0.2.20`] })) },
    steps: [ask(qname, 'AAAA', nodata), ask(qname, 'A', data('192.0.2.20'))],
  },
  {
    name: 'a TTL with its highest bit set is taken for 0',
    source: 'RFC 2181 8',
    upstreams: {
      only: says({
        answers: [{ owner: qname, ttl: 0x80000001, type: 1, data: Buffer.from([192, 0, 2, 1]) }],
      }),
    },
    steps: [ask(qname, 'A', data('192.0.2.1'), ttlAtMost(0))],
  },
  {
    name: 'an address of three octets is not passed on as an answer',
    source: 'RFC 1035 3.4.1',
    upstreams: {
      only: says({
        answers: [{ owner: toQuestion, ttl: 60, type: 1, data: Buffer.from([192, 0, 2]) }],
      }),
    },
    steps: [ask(qname, 'A', rcode(2), within(4900))],
  },
  {
    name: 'a reply that ends inside a record is not passed on',
    source: 'RFC 1035 4.1.3',
    upstreams: { only: (query) => query.send(answer(query).subarray(0, -20)) },
    steps: [ask(qname, 'A', rcode(2), within(4900))],
  },
  {
    name: 'a reply with a compression loop is not passed on',
    source: 'RFC 1035 4.1.4: a pointer leads to a prior occurrence',
    upstreams: {
      only: says(({ questionEnd }) => ({
        answers: [{ owner: qname, ttl: 60, type: 5, data: Buffer.from([0xc0, questionEnd + 12]) }],
      })),
    },
    steps: [ask(qname, 'A', rcode(2), within(4900))],
  },
  {
    name: 'a broken reply of the first upstream lets the second be asked',
    source: 'RFC 1035 7.3; glibc drops it and waits',
    upstreams: { first: (query) => query.send(answer(query).subarray(0, -20)), second: records },
    steps: [ask(qname, 'A', data('192.0.2.20'), within(4900))],
  },
  {
    name: 'an answer with an address of three octets lets the second upstream be asked',
    source: 'RFC 1035 3.4.1',
    upstreams: {
      first: says({
        answers: [{ owner: toQuestion, ttl: 60, type: 1, data: Buffer.from([192, 0, 2]) }],
      }),
      second: records,
    },
    // Several names, for those that choose at random.
    steps: ['a', 'b', 'c', 'd'].map((label) =>
      ask(`${label}.site.example`, 'A', data('192.0.2.20'), within(4900)),
    ),
  },
  {
    name: 'an alias that leads back to itself in one answer ends in an error or in the alias, in time',
    source: 'RFC 1034 3.6.2',
    upstreams: {
      only: saysWhole({
        answers: [`${qname} 60 CNAME b.site.example`, `b.site.example 60 CNAME ${qname}`],
      }),
    },
    steps: [ask(qname, 'A', anyReply, within(4900))],
  },
  {
    name: 'an answer section that answers another name is no answer',
    source: 'RFC 5452 6; RFC 2181 5.4.1',
    upstreams: { only: saysWhole({ answers: ['other.site.example 60 A 203.0.113.66'] }) },
    steps: [
      ask(qname, 'A', ({ reply }) =>
        reply?.answers.length === 0 ? undefined : 'a stranger’s record passed on',
      ),
    ],
  },
  {
    name: 'a record of class CH is no answer to a question of class IN',
    source: 'RFC 1035 3.2.4: CH addresses have other data; dnspython and miekg/dns read them so',
    upstreams: {
      only: (query) => {
        const reply = message(query, { answers: [`${qname} 60 A 203.0.113.66`] })
        // The class stands behind the pointer to the question and the type.
        reply.writeUInt16BE(3, query.questionEnd + 4)
        query.send(reply)
      },
    },
    steps: [
      ask(qname, 'A', ({ reply }) =>
        reply?.answers.length === 0 ? undefined : 'the record passed on',
      ),
    ],
  },
  {
    name: 'NXDOMAIN with an address in the answer is not an address',
    source: 'RFC 2308 2.1; RFC 6604 3',
    upstreams: { only: saysWhole({ rcode: 3, answers: [`${qname} 60 A 192.0.2.20`] }) },
    steps: [ask(qname, 'A', nxdomain)],
  },
  {
    name: 'twenty questions whose replies come in another order get their own',
    source: 'RFC 5452 9',
    upstreams: { only: delayedByName() },
    steps: [
      async (stage) => {
        const names = Array.from({ length: 20 }, (_, n) => `h${n + 1}.site.example`)
        await Promise.all(
          names.map((name, n) => ask(name, 'A', exactly(`192.0.2.${n + 1}`), within(3000))(stage)),
        )
      },
    ],
  },
  {
    name: 'a name with more than 30 questions at once is asked once',
    source: 'RFC 5452 5: equal questions at once help birthday attacks',
    upstreams: { only: after(200, records) },
    steps: [
      askAtOnce(
        Array.from({ length: 40 }, () => qname),
        'A',
        data('192.0.2.20'),
      ),
      asked('only', ({ queries }) =>
        queries.length <= 2 ? undefined : `${queries.length} questions upstream`,
      ),
    ],
  },
  {
    name: 'SERVFAIL for the first question of a name is got over by the second upstream for 20 names',
    source: 'glibc res_send.c',
    upstreams: { first: sometimes(refuses(2), records), second: records },
    steps: [askAtOnce(manyNames('site.example', 20), 'A', data('192.0.2.20'))],
  },
]

function chainOf(links: number): string[] {
  const name = (n: number) => (n === 0 ? qname : `c${n}.site.example`)
  const aliases = Array.from({ length: links }, (_, n) => `${name(n)} 60 CNAME ${name(n + 1)}`)
  return [...aliases, `${name(links)} 60 A 192.0.2.20`]
}

function delayedByName(): Behaviour {
  return (query) => {
    const n = Number(/^h(\d+)/.exec(query.qname)?.[1] ?? 1)
    query.after(300 - 14 * n, () =>
      query.send(message(query, { answers: [`${query.qname} 60 A 192.0.2.${n}`] })),
    )
  }
}

/** Every second question. */
function sometimes(then: Behaviour, otherwise: Behaviour): Behaviour {
  return remembering(() => {
    let count = 0
    return (query) => (count++ % 2 === 0 ? then : otherwise)(query)
  })
}
