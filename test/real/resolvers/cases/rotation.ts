/** A client takes the first address: the order moves, so that not all clients of a node go to one pod. */
import { addresses, knows, says } from '../behaviours.ts'
import { askTimes, type Case } from '../case.ts'
import { aliasesFirst, firstOnes } from '../properties.ts'

const source = 'RFC 1794; istio#31064, dns PR#167; coredns `loadbalance`'

export const rotation: readonly Case[] = [
  {
    name: 'each of three IPv4 addresses comes first in some of 30 replies',
    source,
    upstreams: { only: says({ answers: addresses('www.site.example', 3) }) },
    steps: [askTimes(30, ['www.site.example', 'A'], firstOnes('A', 3))],
  },
  {
    name: 'each of three IPv6 addresses comes first in some of 30 replies',
    source,
    upstreams: { only: says({ answers: addresses('www.site.example', 3, 'AAAA') }) },
    steps: [askTimes(30, ['www.site.example', 'AAAA'], firstOnes('AAAA', 3))],
  },
  {
    name: 'addresses behind an alias rotate, and the alias stays first',
    source,
    upstreams: {
      only: says({
        answers: [
          'www.site.example 60 CNAME end.site.example',
          ...addresses('end.site.example', 3),
        ],
      }),
    },
    steps: [
      askTimes(
        30,
        ['www.site.example', 'A'],
        (all) =>
          all.map(aliasesFirst).find((fault) => fault !== undefined) ?? firstOnes('A', 3)(all),
      ),
    ],
  },
  {
    name: 'addresses of the cluster rotate',
    source,
    upstreams: { cluster: knows(addresses('pods.team.svc.cluster.local', 3).map(String)) },
    routes: { 'cluster.local': ['cluster'] },
    overTcp: ['cluster.local'],
    cluster: 'cluster.local',
    steps: [askTimes(30, ['pods.team.svc.cluster.local', 'A'], firstOnes('A', 3))],
  },
]
