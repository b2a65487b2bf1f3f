/*
 * Goal: what CoreDNS answers by itself outside of the cluster is named when pods behind the node's cache would not get it, and nothing else is.
 * Method: Corefiles of CoreDNS, and configurations that ask it about more or less.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { bypassed } from '../../src/nodelocal/bypassed.ts'

const test = suite('nodelocal/bypassed')

function config(zones: readonly object[] = [], external: object = {}) {
  const value = { cluster: { upstreams: ['10.96.0.11'] }, zones, external }
  const loaded = loadConfig({ settings: { name: 'test', value } })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}

const coredns = `corp.example {
    forward . 10.1.0.53
}
.:53 {
    rewrite name exact api.shop.example api.shop.svc.cluster.local
    rewrite stop name regex (.*)\\.dev\\.example {1}.default.svc.cluster.local
    rewrite ttl exact a.example 5
    hosts {
        192.0.2.1 registry.example
        10.96.0.20 old.default.svc.cluster.local
        fallthrough
    }
    template IN A lab.example {
        answer "{{ .Name }} 60 IN A 192.0.2.30"
    }
    template IN AAAA cluster.local {
        rcode NOERROR
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa
    forward . /etc/resolv.conf
    import more/*.server
}
`

const lines = (remarks: readonly { readonly line: number }[]) => remarks.map(({ line }) => line)

test('blocks, hosts, rewrites and templates for names outside are named with their line', () => {
  const remarks = bypassed(coredns, config())
  assert.equal(lines(remarks), [1, 5, 6, 8, 13, 21])
  const [zone, exact, , hosts] = remarks.map(({ message }) => message)
  assert.match(zone ?? '', /^CoreDNS answers corp\.example in a block of its own/)
  assert.match(exact ?? '', /^`rewrite` of CoreDNS is for api\.shop\.example/)
  assert.match(hosts ?? '', /is for registry\.example, and CoreDNS is not asked/)
})

test('a zone that is forwarded to CoreDNS is not passed by', () => {
  const zones = [
    { name: 'corp.example', upstreams: ['10.96.0.11'] },
    { name: 'lab.example', upstreams: ['tcp://10.96.0.11'] },
    { name: 'registry.example', upstreams: ['192.0.2.9'] },
  ]
  assert.equal(lines(bypassed(coredns, config(zones))), [5, 6, 8, 21])
})

test('nothing is passed by when everything is asked of CoreDNS', () => {
  assert.equal(lines(bypassed(coredns, config([], { upstreams: ['10.96.0.11'] }))), [21])
})

test('a usual Corefile of CoreDNS has nothing to say, a broken one says why', () => {
  const usual =
    '.:53 {\nerrors\nhealth\nready\nkubernetes cluster.local in-addr.arpa ip6.arpa\nforward . /etc/resolv.conf\ncache 30\n}'
  assert.equal(bypassed(usual, config()), [])
  assert.equal(lines(bypassed('.:53 {\ncache', config())), [2])
})

test.run()
