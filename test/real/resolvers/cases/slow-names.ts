/** CoreDNS answers the questions of one TCP connection one after another; slow names must not stall those behind them. */
import type { Behaviour } from '../../../upstream/fake-upstream.ts'
import { after, isBelow, knows, oneAfterAnother, overTcp, remembering } from '../behaviours.ts'
import { ask, askAtOnce, type Case, leaveOpen, manyNames, pause } from '../case.ts'
import { data, within } from '../properties.ts'

const records = knows([
  '*.svc.cluster.local 30 A 10.96.0.5',
  '*.slow.cluster.local 30 A 10.96.0.9',
  '*.site.example 30 A 192.0.2.20',
])
const serial = (slowMs: number): Behaviour =>
  oneAfterAnother(({ qname }) => (isBelow(qname, 'slow.cluster.local') ? slowMs : 1), records)

function beside(count: number, slowMs: number): Case {
  return {
    name: `${count} names that take ${slowMs} ms over serial connections hold up no other name`,
    source: 'kubernetes#120585, #86762; RFC 7766 6.2.1.1 (servers SHOULD answer out of order)',
    upstreams: { cluster: serial(slowMs) },
    routes: { 'cluster.local': ['cluster'] },
    overTcp: ['cluster.local'],
    cluster: 'cluster.local',
    steps: [
      // Connections are there, as in every minute but the first.
      askAtOnce(manyNames('warm.svc.cluster.local', 8), 'A', data('10.96.0.5')),
      leaveOpen(manyNames('slow.cluster.local', count), 'A'),
      askAtOnce(manyNames('team.svc.cluster.local', 20), 'A', data('10.96.0.5'), within(1000)),
      ask('late.svc.cluster.local', 'A', data('10.96.0.5'), within(1000)),
    ],
  }
}

const overTcpOnly = {
  routes: { 'site.example': ['server'] },
  overTcp: ['site.example'],
  notFor: { dnsmasq: 'asks over UDP' },
} as const

export const slowNames: readonly Case[] = [
  beside(12, 1500),
  beside(32, 1500),
  beside(64, 1000),
  {
    name: 'slow names over serial connections are themselves answered',
    source: 'kubernetes#120585',
    upstreams: { cluster: serial(900) },
    routes: { 'cluster.local': ['cluster'] },
    overTcp: ['cluster.local'],
    cluster: 'cluster.local',
    steps: [askAtOnce(manyNames('slow.cluster.local', 8), 'A', data('10.96.0.9'), within(4900))],
  },
  {
    name: 'a TCP server that discards pipelined questions loses none',
    source: 'routedns#458; RFC 7766 6.2.1.1',
    upstreams: { server: discardsPipelined() },
    ...overTcpOnly,
    steps: [askAtOnce(manyNames('site.example', 16), 'A', data('192.0.2.20'))],
  },
  {
    name: 'a TCP server that closes after each answer loses none',
    source: 'RFC 7766 6.2.1; RFC 1035 4.2.2',
    upstreams: {
      server: (query) => {
        records(query)
        query.end()
      },
    },
    ...overTcpOnly,
    steps: [askAtOnce(manyNames('site.example', 16), 'A', data('192.0.2.20'))],
  },
  {
    name: 'a TCP server that resets every fourth question loses none',
    source: 'RFC 7766 6.2.4: a client retries what is unanswered',
    upstreams: { server: resetsEvery(4) },
    ...overTcpOnly,
    steps: [
      askAtOnce(manyNames('site.example', 12), 'A', data('192.0.2.20')),
      pause(100),
      ask('last.site.example', 'A', data('192.0.2.20')),
    ],
  },
  {
    name: 'answers over one TCP connection in another order reach their questions',
    source: 'RFC 7766 7',
    upstreams: { server: overTcp(shuffled(), records) },
    ...overTcpOnly,
    steps: [askAtOnce(manyNames('site.example', 32), 'A', data('192.0.2.20'), within(2000))],
  },
]

/** While one question of a connection is open (20 ms), others on it are lost. */
function discardsPipelined(): Behaviour {
  return remembering(() => {
    const busy = new Set<number>()
    return (query) => {
      if (query.transport === 'tcp' && busy.has(query.connection)) return
      busy.add(query.connection)
      query.after(20, () => {
        busy.delete(query.connection)
        records(query)
      })
    }
  })
}

function resetsEvery(nth: number): Behaviour {
  return remembering(() => {
    let count = 0
    return (query) => {
      count++
      if (query.transport === 'tcp' && count % nth === 0) query.reset()
      else records(query)
    }
  })
}

/** Later questions are answered earlier. */
function shuffled(): Behaviour {
  return remembering(() => {
    let count = 0
    return (query) => {
      count++
      after(Math.max(1, 200 - 6 * count), records)(query)
    }
  })
}
