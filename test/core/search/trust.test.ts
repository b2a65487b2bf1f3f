/*
 * Goal: rules are used only where somebody vouches for them and CoreDNS has shown itself, and nothing is concluded below a carve-out.
 * Method: every pair of level and fingerprint, and names around a carve-out.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cutSecondsMax } from '../../../src/core/search/cuts.ts'
import { type Fingerprint, SearchTrust, type TrustLevel } from '../../../src/core/search/trust.ts'
import { name, octets } from '../../fixtures/packets/octets.ts'
import { SearchBench } from './support.ts'

const test = suite('core/search/trust')

const levels: readonly TrustLevel[] = ['verified', 'declared', 'cautious']
const fingerprints: readonly Fingerprint[] = ['unseen', 'coredns', 'foreign']

for (const level of levels) {
  for (const fingerprint of fingerprints) {
    const allows = level !== 'cautious' && fingerprint === 'coredns'
    test(`${level}, ${fingerprint}: structure is ${allows ? 'used' : 'not used'}`, () => {
      const trust = new SearchTrust(level, [])
      trust.fingerprint = fingerprint
      assert.is(trust.allowsStructure, allows)
    })
  }
}

test('nothing is known of the server before it has spoken', () => {
  assert.is(new SearchTrust('verified', []).fingerprint, 'unseen')
})

test('a carve-out is the name and all below it, and not its neighbours', () => {
  const trust = new SearchTrust('verified', [
    name('corp.cluster.local'),
    name('b.svc.cluster.local'),
  ])
  const isCarvedOut = (text: string) => trust.isCarvedOut(name(text), name(text).length)
  for (const text of ['corp.cluster.local', 'a.corp.cluster.local', 'x.y.b.svc.cluster.local'])
    assert.is(isCarvedOut(text), true, text)
  for (const text of [
    'cluster.local',
    'xcorp.cluster.local',
    'corp.cluster.local.example',
    'a.svc.cluster.local',
  ])
    assert.is(isCarvedOut(text), false, text)
})

test('a carve-out is looked for in the name alone, not in what stands behind it', () => {
  const trust = new SearchTrust('verified', [name('corp.cluster.local')])
  const wire = name('a.cluster.local')
  assert.is(trust.isCarvedOut(octets(wire, name('corp.cluster.local')), wire.length), false)
})

test('cautious: a name that appears below a denied parent is found when its own denial ends', () => {
  for (const parent of [
    'com.team-0.svc.cluster.local',
    'com.svc.cluster.local',
    'com.cluster.local',
  ]) {
    const bench = new SearchBench({ settings: { trust: 'cautious' } })
    const host = `www.${parent}`
    for (let second = 0; second < 60; second++) {
      assert.is(bench.rcode(host), 3)
      for (const label of ['a', 'b', 'c']) bench.rcode(`${label}.${parent}`)
      bench.later(1)
    }
    // Another plugin adds the name; what is above it is still denied.
    bench.says.set(`${host}.`, { a: '10.96.0.9', ttl: 5 })
    bench.later(cutSecondsMax)
    assert.is(bench.rcode(host), 0, parent)
  }
})

test('cautious: no name is denied by what is known of another, and no cut is probed', () => {
  const bench = new SearchBench({ settings: { trust: 'cautious' } })
  for (let i = 0; i < 20; i++) {
    const host = `h${i}.com.team-0.svc.cluster.local`
    assert.is(bench.rcode(host), 3)
    assert.equal(bench.takeAsked(), [`${host}. A`])
  }
})

test('cautious: A speaks for AAAA, for as long as its own denial lasts', () => {
  const bench = new SearchBench({ settings: { trust: 'cautious' } })
  const host = 'www.com.team-0.svc.cluster.local'
  assert.equal(
    bench.pair(host).map((reply) => reply?.rcode),
    [3, 3],
  )
  assert.equal(bench.takeAsked(), [`${host}. A`])
})

test.run()
