/** A flood that one client makes, or one domain causes, leaves to others what they need. */
import { below, knows } from '../behaviours.ts'
import { ask, askAtOnce, type Case, leaveOpen, manyNames, pause } from '../case.ts'
import { data, within } from '../properties.ts'

const silentFor = below(
  'silent.example',
  () => {},
  knows(['*.site.example 60 A 192.0.2.20', '*.corp.example 60 A 192.0.2.11']),
)
const zone = knows(['*.corp.example 60 A 192.0.2.11'])

export const shares: readonly Case[] = [
  {
    name: '600 open questions of one client for a silent domain leave its other names alone',
    source: 'libnetwork#2082, cilium#2750',
    upstreams: { only: silentFor },
    steps: [
      leaveOpen(manyNames('silent.example', 600), 'A'),
      askAtOnce(manyNames('site.example', 15), 'A', data('192.0.2.20'), within(2500)),
    ],
  },
  {
    name: '600 open questions of one client for a silent domain leave other clients alone',
    source: 'libnetwork#2082, cilium#2750',
    upstreams: { only: silentFor },
    steps: [
      leaveOpen(manyNames('silent.example', 600), 'A', { from: '127.0.0.2' }),
      askAtOnce(manyNames('site.example', 15), 'A', data('192.0.2.20'), within(2500), {
        from: '127.0.0.3',
      }),
    ],
  },
  {
    name: '600 open questions for a silent zone leave other zones alone',
    source: 'libnetwork#2082',
    upstreams: { dead: () => {}, good: zone, rest: knows(['*.site.example 60 A 192.0.2.20']) },
    routes: { 'silent.example': ['dead'], 'corp.example': ['good'], '.': ['rest'] },
    steps: [
      leaveOpen(manyNames('silent.example', 600), 'A'),
      askAtOnce(manyNames('corp.example', 15), 'A', data('192.0.2.11'), within(1000)),
      askAtOnce(manyNames('site.example', 15), 'A', data('192.0.2.20'), within(1000)),
    ],
  },
  {
    name: 'names that were answered before are answered while 600 questions are open',
    source: 'libnetwork#2082',
    upstreams: { only: silentFor },
    steps: [
      ask('www.site.example', 'A', data('192.0.2.20')),
      leaveOpen(manyNames('silent.example', 600), 'A'),
      ask('www.site.example', 'A', data('192.0.2.20'), within(1000)),
    ],
  },
  {
    name: 'four clients with 200 silent questions each leave a fifth alone',
    source: 'libnetwork#2082',
    upstreams: { only: silentFor },
    steps: [
      ...[2, 3, 4, 5].map((n) =>
        leaveOpen(manyNames(`c${n}.silent.example`, 200), 'A', { from: `127.0.0.${n}` }),
      ),
      pause(300),
      askAtOnce(manyNames('site.example', 15), 'A', data('192.0.2.20'), within(2500), {
        from: '127.0.0.9',
      }),
    ],
  },
]
