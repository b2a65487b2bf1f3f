/**
 * Goal: an upstream's URL is what an operator would write for it, and no two upstreams have the same. Method: URLs read by the settings'
 * parser and printed; then upstreams that differ in one thing each.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatUpstream, type Upstream } from '../../src/address/upstream-url.ts'
import { parseUpstream } from '../../src/config/address.ts'

const test = suite('address/upstream-url')

const urls = [
  'udp://10.0.0.2:53',
  'tcp://[fd00::a]:5353',
  'tls://1.1.1.1:853#one.one.one.one',
  'tls://[2606:4700:4700::1111]:853',
]
for (const url of urls) {
  test(`${url} is printed as it was read`, () => {
    const parsed = parseUpstream(url, 'tcp')
    assert.ok(parsed.ok)
    assert.is(formatUpstream(parsed.value), url)
  })
}

const base: Upstream = { transport: 'udp', address: '10.0.0.2', port: 53, family: 4 }

test('an upstream is named by transport, address, port, and the name in its certificate', () => {
  assert.is(formatUpstream(base), 'udp://10.0.0.2:53')
  const v6: Upstream = { ...base, address: '2001:db8::1', family: 6 }
  assert.is(formatUpstream(v6), 'udp://[2001:db8::1]:53')
  const tls: Upstream = { ...base, transport: 'tls', port: 853, tlsName: 'dns.example' }
  assert.is(formatUpstream(tls), 'tls://10.0.0.2:853#dns.example')
})

test('upstreams that differ in one thing have names of their own', () => {
  const changes: readonly Partial<Upstream>[] = [
    {},
    { transport: 'tcp' },
    { transport: 'tls' },
    { address: '10.0.0.3' },
    { port: 54 },
    { tlsName: 'a.example' },
    { tlsName: 'b.example' },
  ]
  const names = changes.map((change) => formatUpstream({ ...base, ...change }))
  assert.is(new Set(names).size, changes.length)
})

test.run()
