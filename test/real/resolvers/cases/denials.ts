/** What a denial says, for whom, and for how long. RFC 2308, RFC 8020. */
import type { Behaviour } from '../../../upstream/fake-upstream.ts'
import { knows, ofType, qtypeOf, refuses, says } from '../behaviours.ts'
import { ask, askAtOnce, asked, become, type Case, pause } from '../case.ts'
import { data, nodata, nxdomain, rcode, ttlAtMost } from '../properties.ts'

const v6 = '2001:0db8:0000:0000:0000:0000:0000:0001'
const bareNoData = says({})
const fewer = (max: number): ReturnType<typeof asked> =>
  asked('only', ({ queries }) =>
    queries.length <= max ? undefined : `${queries.length} questions upstream`,
  )

/** A records exist, and the upstream denies the rest with NXDOMAIN, as some load balancers do (RFC 4074 4.2). */
function typed(denied: 'A' | 'AAAA', known: Behaviour): Behaviour {
  return ofType(denied, knows([]), known)
}

export const denials: readonly Case[] = [
  {
    name: 'NXDOMAIN for A does not hide AAAA and TXT',
    source: 'RFC 4074 4.2; systemd#31646',
    upstreams: {
      only: typed(
        'A',
        knows(['www.site.example 60 AAAA 2001:db8::1', 'www.site.example 60 TXT yes']),
      ),
    },
    steps: [
      ask('www.site.example', 'A', nxdomain),
      ask('www.site.example', 'AAAA', data(v6)),
      ask('www.site.example', 'TXT', data('03796573')),
    ],
  },
  {
    name: 'NXDOMAIN for AAAA does not hide A',
    source: 'RFC 4074 4.2',
    upstreams: { only: typed('AAAA', knows(['www.site.example 60 A 192.0.2.1'])) },
    steps: [
      ask('www.site.example', 'AAAA', nxdomain),
      ask('www.site.example', 'A', data('192.0.2.1')),
    ],
  },
  {
    name: 'NXDOMAIN for a name does not hide names below it that exist',
    source: 'RFC 8020 3.1 allows it for validated zones; load balancers deny empty non-terminals',
    upstreams: { only: knows(['www.site.example 60 A 192.0.2.1']) },
    steps: [ask('site.example', 'A', nxdomain), ask('www.site.example', 'A', data('192.0.2.1'))],
  },
  {
    name: 'NOERROR without SOA is not asked again for each of 20 questions',
    source: 'coredns#3755; RFC 2308 5',
    upstreams: { only: bareNoData },
    steps: [...Array.from({ length: 20 }, () => ask('www.site.example', 'AAAA', nodata)), fewer(3)],
  },
  {
    name: 'NXDOMAIN without SOA is not asked again for each of 20 questions',
    source: 'coredns#3755; RFC 2308 5',
    upstreams: { only: refuses(3) },
    steps: [...Array.from({ length: 20 }, () => ask('www.site.example', 'A', nxdomain)), fewer(3)],
  },
  {
    name: 'NOERROR without SOA is asked once for 20 questions at once',
    source: 'coredns#3755',
    upstreams: { only: (query) => query.after(100, () => bareNoData(query)) },
    steps: [
      askAtOnce(
        Array.from({ length: 20 }, () => 'www.site.example'),
        'AAAA',
        nodata,
      ),
      fewer(3),
    ],
  },
  {
    name: 'a denial without SOA is forgotten within 10 s',
    source: 'RFC 2308 5: SHOULD NOT be cached',
    upstreams: { only: bareNoData },
    steps: [
      ask('www.site.example', 'A', nodata),
      become('only', knows(['www.site.example 60 A 192.0.2.1'])),
      pause(10_000),
      ask('www.site.example', 'A', data('192.0.2.1')),
    ],
    long: true,
  },
  {
    name: 'a denial is kept no longer than the lesser of the SOA’s TTL and its minimum',
    source: 'RFC 2308 5',
    upstreams: {
      only: knows([], { soa: 'example 600 SOA ns.example host.example 1 3600 600 86400 2' }),
    },
    steps: [
      ask('www.site.example', 'A', nxdomain),
      become('only', knows(['www.site.example 60 A 192.0.2.1'])),
      pause(3200),
      ask('www.site.example', 'A', data('192.0.2.1')),
    ],
  },
  {
    name: 'NXDOMAIN comes with its SOA, so that others can keep it',
    source: 'RFC 2308 3',
    upstreams: { only: knows([]) },
    steps: [
      ask('www.site.example', 'A', nxdomain, hasSoa),
      ask('www.site.example', 'A', nxdomain, hasSoa),
    ],
  },
  {
    name: 'a referral is not taken for NODATA',
    source: 'RFC 2308 2.2; coredns PR#8065',
    upstreams: {
      only: says({
        ra: false,
        authorities: ['site.example 60 NS ns.site.example'],
        additionals: ['ns.site.example 60 A 192.0.2.99'],
      }),
    },
    steps: [ask('www.site.example', 'A', rcode(2, 5))],
  },
  {
    name: 'an alias to a name that does not exist is NXDOMAIN, with the alias',
    source: 'RFC 6604 3; RFC 2308 2.1',
    upstreams: { only: denyingAlias(3) },
    steps: [ask('www.site.example', 'A', nxdomain), ask('www.site.example', 'A', nxdomain)],
  },
  {
    name: 'an alias to a name without the type is NODATA, and the alias is told for CNAME',
    source: 'RFC 2308 2.2',
    upstreams: {
      only: ofType(
        'CNAME',
        says({ answers: ['www.site.example 60 CNAME end.site.example'] }),
        denyingAlias(0),
      ),
    },
    steps: [
      ask('www.site.example', 'AAAA', nodata),
      ask('www.site.example', 'CNAME', ({ reply }) =>
        reply?.answers[0]?.data === 'end.site.example.' ? undefined : 'no alias',
      ),
    ],
  },
  {
    name: 'NODATA with SOA is kept: 20 questions, one upstream',
    source: 'RFC 2308 5',
    upstreams: { only: knows(['www.site.example 60 TXT x']) },
    steps: [...Array.from({ length: 20 }, () => ask('www.site.example', 'A', nodata)), fewer(2)],
  },
  {
    name: 'NODATA with NS and SOA is no referral',
    source: 'RFC 2308 2.2, type 1',
    upstreams: {
      only: says({
        authorities: [
          'site.example 60 NS ns.site.example',
          'site.example 60 SOA ns.site.example host.site.example 1 3600 600 86400 60',
        ],
      }),
    },
    steps: [ask('www.site.example', 'A', nodata)],
  },
  {
    name: 'NXDOMAIN with NS and without SOA is a denial',
    source: 'RFC 2308 2.1, type 4',
    upstreams: { only: says({ rcode: 3, authorities: ['site.example 60 NS ns.site.example'] }) },
    steps: [ask('www.site.example', 'A', nxdomain)],
  },
  {
    name: 'an answer with NS in the authority section is an answer',
    source: 'RFC 1034 4.3.2',
    upstreams: {
      only: says({
        answers: ['www.site.example 60 A 192.0.2.1'],
        authorities: ['site.example 60 NS ns.site.example'],
        additionals: ['ns.site.example 60 A 192.0.2.99'],
      }),
    },
    steps: [ask('www.site.example', 'A', data('192.0.2.1'))],
  },
  {
    name: 'a denial with a minimum of 0 is used for the question at hand only',
    source: 'RFC 2308 5',
    upstreams: {
      only: knows([], { soa: 'example 600 SOA ns.example host.example 1 3600 600 86400 0' }),
    },
    steps: [
      ask('www.site.example', 'A', nxdomain),
      become('only', knows(['www.site.example 60 A 192.0.2.1'])),
      pause(100),
      ask('www.site.example', 'A', data('192.0.2.1')),
    ],
  },
  {
    name: 'NXDOMAIN for one name of a zone does not hide its neighbours',
    source: 'RFC 2308 5',
    upstreams: { only: knows(['b.site.example 60 A 192.0.2.1']) },
    steps: [ask('a.site.example', 'A', nxdomain), ask('b.site.example', 'A', data('192.0.2.1'))],
  },
  {
    name: 'a TTL of 0 is used for the question at hand only',
    source: 'RFC 1035 3.2.1',
    upstreams: { only: knows(['www.site.example 0 A 192.0.2.1']) },
    steps: [
      ask('www.site.example', 'A', data('192.0.2.1')),
      become('only', knows(['www.site.example 0 A 192.0.2.2'])),
      pause(50),
      ask('www.site.example', 'A', data('192.0.2.2'), ttlAtMost(0)),
    ],
  },
  {
    name: 'an empty answer without AA and RA, as small servers give it, is no failure of an only resolver',
    source: 'RFC 2308 2.2, type 3; musl fails a look-up when either A or AAAA is SERVFAIL',
    upstreams: {
      only: says((query) => ({
        ra: false,
        answers: qtypeOf(query) === 1 ? [`${query.qname} 60 A 192.0.2.1`] : [],
      })),
    },
    steps: [
      ask('www.site.example', 'A', data('192.0.2.1')),
      ask('www.site.example', 'AAAA', nodata),
    ],
  },
]

function denyingAlias(rcodeOfEnd: number): Behaviour {
  return says({
    rcode: rcodeOfEnd,
    answers: ['www.site.example 60 CNAME end.site.example'],
    authorities: ['example 60 SOA ns.example host.example 1 3600 600 86400 60'],
  })
}

function hasSoa({ reply }: Parameters<typeof nxdomain>[0]): string | undefined {
  return reply?.authorities.some(({ type }) => type === 6) ? undefined : 'no SOA'
}
