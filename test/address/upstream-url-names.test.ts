/** Goal: no two upstreams have one name. Method: addresses that differ in one thing each. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Upstream as UpstreamAddress,
  formatUpstream as upstreamName,
} from '../../src/address/upstream-url.ts'

const test = suite('address/upstream-url-names')

const base: UpstreamAddress = { transport: 'udp', address: '10.0.0.2', port: 53, family: 4 }

test('an upstream is named by transport, address, port, and the name in its certificate', () => {
  assert.is(upstreamName(base), 'udp://10.0.0.2:53')
  assert.is(upstreamName({ ...base, address: '2001:db8::1', family: 6 }), 'udp://[2001:db8::1]:53')
  const tls: UpstreamAddress = { ...base, transport: 'tls', port: 853, tlsName: 'dns.example' }
  assert.is(upstreamName(tls), 'tls://10.0.0.2:853#dns.example')
})

test('upstreams that differ in one thing have names of their own', () => {
  const changes: readonly Partial<UpstreamAddress>[] = [
    {},
    { transport: 'tcp' },
    { transport: 'tls' },
    { address: '10.0.0.3' },
    { port: 54 },
    { tlsName: 'a.example' },
    { tlsName: 'b.example' },
  ]
  const names = changes.map((change) => upstreamName({ ...base, ...change }))
  assert.is(new Set(names).size, changes.length)
})

test.run()
