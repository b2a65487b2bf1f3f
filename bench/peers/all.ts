/**
 * The field, in the order of the tables. NodeLocal DNSCache's own program is not in it: `go install k8s.io/dns/cmd/node-cache@latest`
 * does not bring it (tried in November 2026: the module proxy has no version of k8s.io/dns), and it is CoreDNS with another main().
 */
import type { Contestant } from './contestant.ts'
import { coredns } from './coredns.ts'
import { dnsdist } from './dnsdist.ts'
import { dnsmasq } from './dnsmasq.ts'
import { echo } from './echo.ts'
import { knotResolver } from './knot-resolver.ts'
import { neardns, neardnsPortable } from './neardns.ts'
import { nodeCache } from './node-cache.ts'
import { pdnsRecursor } from './pdns-recursor.ts'
import { unbound } from './unbound.ts'

export const allContestants: readonly Contestant[] = [
  neardns,
  neardnsPortable,
  echo,
  unbound,
  dnsdist,
  dnsmasq,
  pdnsRecursor,
  knotResolver,
  coredns,
  nodeCache,
]
