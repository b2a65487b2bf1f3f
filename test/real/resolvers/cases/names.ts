/** Names as they come, names that must not leave, and header bits that are nobody's to pass on. */
import type { Behaviour } from '../../../upstream/fake-upstream.ts'
import { knows, remembering, says, when } from '../behaviours.ts'
import { ask, askAtOnce, asked, type Case } from '../case.ts'
import { data, nxdomain, off, on, rcode } from '../properties.ts'

const everything = knows(['*.example 60 A 192.0.2.1'])
const unasked = asked('only', ({ queries }) =>
  queries.length === 0 ? undefined : 'the upstream was asked',
)

/** Knows a name in these letters only. */
function comparing(name: string): Behaviour {
  return when(({ qname }) => qname === name, everything, knows([]))
}

/** Every first packet for a name is lost, whatever its letters. */
function losingFirst(then: Behaviour): Behaviour {
  return remembering(() => {
    const seen = new Set<string>()
    return (query) => {
      const name = query.qname.toLowerCase()
      if (seen.has(name)) then(query)
      seen.add(name)
    }
  })
}

function arrives(what: string, name: string, source: string): Case {
  return {
    name: `${what} reaches the upstream as it is`,
    source,
    upstreams: {
      only: says(({ questionEnd }) => ({
        answers: [
          {
            owner: Buffer.from([0xc0, 12]),
            ttl: 60,
            type: 1,
            data: Buffer.from([192, 0, 2, questionEnd & 1 ? 1 : 1]),
          },
        ],
      })),
    },
    steps: [ask(name, 'A', data('192.0.2.1')), ask(name, 'A', data('192.0.2.1'))],
  }
}

export const names: readonly Case[] = [
  {
    name: '`localhost` is the loopback address, and the upstream is not asked',
    source: 'RFC 6761 6.3; coredns#6752',
    upstreams: { only: everything },
    steps: [ask('localhost', 'A', data('127.0.0.1')), unasked],
  },
  {
    name: 'names below `localhost` are the loopback address, and the upstream is not asked',
    source: 'RFC 6761 6.3',
    upstreams: { only: everything },
    steps: [ask('foo.localhost', 'A', data('127.0.0.1')), unasked],
  },
  {
    name: '`.onion` does not leave',
    source: 'RFC 7686 2; coredns#2850',
    upstreams: { only: everything },
    steps: [ask('abc.onion', 'A', nxdomain), unasked],
  },
  {
    name: '`.invalid` does not leave',
    source: 'RFC 6761 6.4',
    upstreams: { only: everything },
    steps: [ask('abc.invalid', 'A', nxdomain), unasked],
  },
  arrives('a name with UTF-8', 'b\\195\\188cher.site.example', 'RFC 2181 11: any octets'),
  arrives(
    'a name with escaped dots and blanks',
    'a\\.b\\032c.site.example',
    'RFC 2181 11; RFC 6763 4.1.1',
  ),
  arrives(
    'a name of 255 octets',
    `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
    'RFC 1035 2.3.4',
  ),
  arrives('a name with an underscore and a star', '*._tcp.site.example', 'RFC 8552'),
  {
    name: 'letters come back as they were sent',
    source: 'RFC 4343 4.1; resolvers that vary the case check it',
    upstreams: { only: everything },
    steps: [
      ask('WwW.sItE.ExAmPlE', 'A', data('192.0.2.1'), questionIs('WwW.sItE.ExAmPlE.')),
      ask('wWw.site.example', 'A', data('192.0.2.1'), questionIs('wWw.site.example.')),
    ],
  },
  {
    name: 'a resolver that compares letters denies nothing when a packet is lost under two questions',
    source: 'RFC 4343 3 has no part in some small servers; dns0x20 has lists of such',
    upstreams: { only: losingFirst(comparing('www.site.example')) },
    steps: [
      askAtOnce(['www.site.example', 'www.site.example'], 'A', data('192.0.2.1')),
      ask('www.site.example', 'A', data('192.0.2.1')),
    ],
  },
  {
    name: 'AA of an upstream is not the forwarder’s, and RA is',
    source: 'RFC 1035 4.1.1: a forwarder is authoritative for nothing',
    upstreams: {
      only: says(({ qname }) => ({ aa: true, ra: false, answers: [`${qname} 60 A 192.0.2.1`] })),
    },
    steps: [
      ask('www.site.example', 'A', data('192.0.2.1'), off('aa'), on('ra')),
      ask('www.site.example', 'A', data('192.0.2.1'), off('aa'), on('ra')),
    ],
  },
  {
    name: 'AD of an upstream that nobody trusts is not passed on to who did not ask for it',
    source: 'RFC 6840 5.7 and 5.8',
    upstreams: {
      only: (query) => {
        const reply = Buffer.from(query.message.subarray(0, query.questionEnd))
        reply.writeUInt16BE(0x81a3, 2)
        reply.fill(0, 6, 12)
        query.send(reply)
      },
    },
    steps: [ask('www.site.example', 'A', rcode(3), off('ad'))],
  },
]

function questionIs(name: string): Parameters<typeof ask>[2] {
  return ({
    reply,
  }: {
    readonly reply: { readonly questions: readonly { readonly name: string }[] } | undefined
  }) =>
    reply?.questions[0]?.name === name
      ? undefined
      : `the question came back as ${reply?.questions[0]?.name}`
}
