/**
 * Goal: no type of a name is worse off for having waited for another one. Method: Services with one family of addresses in front of a
 * CoreDNS that dies, through the whole data path but for sockets.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Client } from '../../pipeline/support.ts'
import { SearchBench, type Type } from './support.ts'

const test = suite('core/search/family')

const service = 'web.team-0.svc.cluster.local'
const ttlSeconds = 5

function known(ipv6Only: boolean): SearchBench {
  const bench = new SearchBench()
  const address = ipv6Only ? { aaaa: '2001:db8::9' } : { a: '10.96.0.9' }
  bench.says.set(`${service}.`, { ...address, ttl: ttlSeconds })
  const before = bench.pair(service)
  assert.equal(
    before.map((reply) => reply?.rcode),
    [0, 0],
  )
  return bench
}

const cases: readonly (readonly [boolean, Type, string])[] = [
  [true, 'AAAA', 'an IPv6-only Service'],
  [false, 'A', 'an IPv4-only Service'],
]
for (const [ipv6Only, type, what] of cases) {
  test(`${type} of ${what} is given stale when CoreDNS fails`, () => {
    const bench = known(ipv6Only)
    bench.later(2 * ttlSeconds)
    bench.says.set(`${service}.`, 'servfail')
    const reply = bench.ask(service, type)
    assert.is(reply?.rcode, 0)
    assert.is(reply?.answers.length, 1)
  })

  test(`${type} of ${what} is given stale in a whole look-up when CoreDNS fails`, () => {
    const bench = known(ipv6Only)
    bench.later(2 * ttlSeconds)
    bench.says.set(`${service}.`, 'servfail')
    bench.isHolding = true
    const client = new Client()
    bench.pair(service, client)
    bench.answerAll()
    const addresses = client.got.flatMap(({ answers }) => answers)
    assert.is(addresses.length, 1)
  })
}

test('a name with a stale answer is asked itself, not the cut above it that has lapsed', () => {
  const bench = known(false)
  // CoreDNS says that the namespace is gone, before the Service's answer has expired.
  bench.says.set('team-0.svc.cluster.local.', 'nxdomain')
  bench.says.set(`${service}.`, 'nxdomain')
  assert.is(bench.rcode('team-0.svc.cluster.local'), 3)
  bench.later(2 * ttlSeconds)
  bench.says.clear()
  bench.says.set('cluster.local.', 'servfail')
  bench.takeAsked()
  assert.is(bench.ask(service, 'A')?.rcode, 0)
  assert.equal(bench.takeAsked(), [`${service}. A`])
})

test.run()
