/** Who owns a name decides about it: an alias that leads into another zone is followed by asking that zone's resolver. */
import { below, knows, says } from '../behaviours.ts'
import { ask, asked, become, type Case, type Property, pause } from '../case.ts'
import type { Content } from '../message.ts'
import {
  anyReply,
  data,
  describe,
  exactly,
  nodata,
  nxdomain,
  rcode,
  within,
} from '../properties.ts'

const source = 'Technitium#1646, dns#131, coredns#1864; RFC 1034 3.6.2'
const zones = {
  'a.example': ['a'],
  'b.example': ['b'],
  'cluster.local': ['cluster'],
  '.': ['outside'],
}
const nobody = knows([])

interface Owners {
  readonly a: readonly string[]
  readonly b: readonly string[]
  readonly cluster: readonly string[]
  readonly outside: readonly string[]
}

/** Four owners; none knows more than it is given here. */
function owners(
  records: Partial<Owners>,
): Pick<Case, 'upstreams' | 'routes' | 'overTcp' | 'cluster'> {
  const of = (name: keyof Owners) => (records[name] ? knows(records[name]) : nobody)
  return {
    upstreams: { a: of('a'), b: of('b'), cluster: of('cluster'), outside: of('outside') },
    routes: zones,
    overTcp: ['cluster.local'],
    cluster: 'cluster.local',
  }
}

const homes = {
  a: { name: 'x.a.example', what: 'a stub zone' },
  b: { name: 'x.b.example', what: 'another stub zone' },
  cluster: { name: 'x.team.svc.cluster.local', what: 'the cluster' },
  outside: { name: 'x.site.example', what: 'the outside' },
} as const

/** The owner of the alias says nothing of its target. */
function follows(from: keyof Owners, to: keyof Owners): Case {
  const [alias, target] = [homes[from].name.replace('x', 'alias'), homes[to].name]
  return {
    name: `an alias from ${homes[from].what} into ${homes[to].what} is followed by asking the latter`,
    source,
    ...owners({ [from]: [`${alias} 60 CNAME ${target}`], [to]: [`${target} 60 A 192.0.2.7`] }),
    steps: [ask(alias, 'A', data('192.0.2.7'))],
  }
}

/** The owner of the alias makes something up about its target. */
function believesOnly(from: keyof Owners, to: keyof Owners): Case {
  const [alias, target] = [homes[from].name.replace('x', 'alias'), homes[to].name]
  return {
    name: `what ${homes[from].what} says about a name in ${homes[to].what} is not believed`,
    source,
    ...owners({
      [from]: [`${alias} 60 CNAME ${target}`, `${target} 60 A 203.0.113.66`],
      [to]: [`${target} 60 A 192.0.2.7`],
    }),
    steps: [ask(alias, 'A', data('192.0.2.7'))],
  }
}

/** A server that asks nobody about the target, and knows it when it is asked. */
function unfollowed(what: string, content: Content): Case {
  return {
    name: `${what} is followed by asking the same resolver for the target`,
    source: 'RFC 1034 5.3.3, 4c; RFC 6672 3.1',
    upstreams: {
      only: below('corp.example', knows(['www.corp.example 60 A 192.0.2.7']), says(content)),
    },
    steps: [
      ask('www.site.example', 'A', endsIn('192.0.2.7')),
      ask('www.site.example', 'A', endsIn('192.0.2.7')),
    ],
  }
}

const endsIn =
  (address: string): Property =>
  (seen) =>
    seen.reply?.answers.at(-1)?.data === address ? undefined : describe(seen)

export const ownersCases: readonly Case[] = [
  unfollowed('an alias without anything behind it', {
    answers: ['www.site.example 60 CNAME www.corp.example'],
  }),
  unfollowed('an alias with a referral for its target', {
    ra: false,
    aa: true,
    answers: ['www.site.example 60 CNAME www.corp.example'],
    authorities: ['corp.example 60 NS ns.corp.example'],
  }),
  unfollowed('a DNAME without its alias', { answers: ['site.example 60 DNAME corp.example'] }),
  follows('outside', 'a'),
  follows('a', 'b'),
  follows('a', 'outside'),
  follows('a', 'cluster'),
  follows('outside', 'cluster'),
  follows('cluster', 'a'),
  follows('cluster', 'outside'),
  believesOnly('outside', 'a'),
  believesOnly('outside', 'cluster'),
  believesOnly('a', 'b'),
  believesOnly('cluster', 'a'),
  {
    name: 'an alias that its owner ends with NXDOMAIN is not taken for a denial by the owner of its target',
    source,
    ...owners({ a: ['x.a.example 60 A 192.0.2.7'] }),
    upstreams: {
      a: knows(['x.a.example 60 A 192.0.2.7']),
      b: nobody,
      cluster: nobody,
      outside: says({
        rcode: 3,
        answers: ['alias.site.example 60 CNAME x.a.example'],
        authorities: ['example 60 SOA ns.example host.example 1 3600 600 86400 60'],
      }),
    },
    steps: [ask('alias.site.example', 'A', data('192.0.2.7'))],
  },
  {
    name: 'an alias through two zones and back is followed to its end',
    source,
    ...owners({
      outside: ['alias.site.example 60 CNAME one.a.example', 'end.site.example 60 A 192.0.2.7'],
      a: ['one.a.example 60 CNAME two.b.example'],
      b: ['two.b.example 60 CNAME end.site.example'],
    }),
    steps: [ask('alias.site.example', 'A', data('192.0.2.7'))],
  },
  {
    name: 'an alias into a zone whose resolver denies the target is NXDOMAIN',
    source: 'RFC 6604 3: the rcode is that of the last name',
    ...owners({ outside: ['alias.site.example 60 CNAME gone.a.example'] }),
    steps: [ask('alias.site.example', 'A', nxdomain)],
  },
  {
    name: 'an alias into a zone that has another type of the target is NODATA',
    source: 'RFC 2308 2.2',
    ...owners({
      outside: ['alias.site.example 60 CNAME x.a.example'],
      a: ['x.a.example 60 A 192.0.2.7'],
    }),
    steps: [ask('alias.site.example', 'AAAA', nodata)],
  },
  {
    name: 'a loop of aliases between two zones ends within 2 s',
    source: 'RFC 1034 3.6.2; RFC 9520 2.3',
    ...owners({
      a: ['one.a.example 60 CNAME two.b.example'],
      b: ['two.b.example 60 CNAME one.a.example'],
    }),
    steps: [
      ask('one.a.example', 'A', anyReply, within(2000)),
      ask('two.b.example', 'A', anyReply, within(2000)),
    ],
  },
  {
    name: 'a question for CNAME is answered with the alias alone',
    source: 'RFC 1034 3.6.2',
    ...owners({
      outside: ['alias.site.example 60 CNAME x.a.example'],
      a: ['x.a.example 60 A 192.0.2.7'],
    }),
    steps: [ask('alias.site.example', 'CNAME', exactly('x.a.example.'))],
  },
  {
    name: 'an alias between zones is followed for AAAA, TXT and SRV too',
    source,
    ...owners({
      outside: ['alias.site.example 60 CNAME x.a.example'],
      a: [
        'x.a.example 60 AAAA 2001:db8::1',
        'x.a.example 60 TXT yes',
        'x.a.example 60 SRV 1 2 53 y.a.example',
      ],
    }),
    steps: [
      ask('alias.site.example', 'AAAA', data('2001:0db8:0000:0000:0000:0000:0000:0001')),
      ask('alias.site.example', 'TXT', data('03796573')),
      ask('alias.site.example', 'SRV', data('1 2 53 y.a.example.')),
    ],
  },
  {
    name: 'an alias between zones is followed the second time as well, and over TCP',
    source,
    ...owners({
      outside: ['alias.site.example 60 CNAME x.a.example'],
      a: ['x.a.example 60 A 192.0.2.7'],
    }),
    steps: [
      ask('alias.site.example', 'A', data('192.0.2.7')),
      ask('alias.site.example', 'A', data('192.0.2.7')),
      ask('alias.site.example', 'A', data('192.0.2.7'), { tcp: true }),
    ],
  },
  {
    name: 'an alias into a zone whose resolver is silent ends in time',
    source: 'resolv.conf(5), timeout: 5 s',
    ...owners({}),
    upstreams: {
      a: () => {},
      b: nobody,
      cluster: nobody,
      outside: knows(['alias.site.example 60 CNAME x.a.example']),
    },
    steps: [ask('alias.site.example', 'A', rcode(2), within(4950))],
  },
  {
    name: 'a DNAME from the outside into a stub zone is followed by asking the latter',
    source: `RFC 6672 3.1; ${source}`,
    ...owners({ a: ['www.a.example 60 A 192.0.2.7'] }),
    upstreams: {
      a: knows(['www.a.example 60 A 192.0.2.7']),
      b: nobody,
      cluster: nobody,
      outside: says({
        answers: ['site.example 60 DNAME a.example', 'www.site.example 60 CNAME www.a.example'],
      }),
    },
    steps: [
      ask('www.site.example', 'A', ({ reply }) =>
        reply?.answers.at(-1)?.data === '192.0.2.7' ? undefined : 'no address',
      ),
    ],
  },
  {
    name: 'a changed address behind an alias between zones is seen after its TTL',
    source: 'RFC 2181 5.2: each set has its own TTL',
    ...owners({
      outside: ['alias.site.example 60 CNAME x.a.example'],
      a: ['x.a.example 5 A 192.0.2.7'],
    }),
    steps: [
      ask('alias.site.example', 'A', data('192.0.2.7')),
      become('a', knows(['x.a.example 5 A 192.0.2.8'])),
      pause(6500),
      ask('alias.site.example', 'A', data('192.0.2.8')),
    ],
  },
  {
    name: 'a denial of A in a stub zone is not taken for AAAA',
    source: 'RFC 2308 5: by name and type where servers differ; systemd#31646',
    ...owners({}),
    upstreams: {
      a: (query) =>
        query.qname.startsWith('v6') && query.message.readUInt16BE(query.questionEnd - 4) === 28
          ? knows(['v6.a.example 60 AAAA 2001:db8::1'])(query)
          : nobody(query),
      b: nobody,
      cluster: nobody,
      outside: nobody,
    },
    steps: [
      ask('v6.a.example', 'A', nxdomain),
      ask('v6.a.example', 'AAAA', data('2001:0db8:0000:0000:0000:0000:0000:0001')),
    ],
  },
  {
    name: 'a name of the cluster domain is never asked of the outside resolver',
    source: 'docs/operations.md: cluster names do not leave the node',
    upstreams: { outside: knows(['*.cluster.local 60 A 203.0.113.66']) },
    steps: [
      ask('kubernetes.default.svc.cluster.local', 'A', rcode(2, 3, 5)),
      asked('outside', ({ queries }) =>
        queries.length === 0 ? undefined : 'the outside resolver was asked',
      ),
    ],
    notFor: {
      coredns: 'has no notion of a cluster domain without `kubernetes`',
      unbound: 'has no notion of a cluster domain',
      dnsmasq: 'has no notion of a cluster domain',
    },
  },
]
