/*
 * Goal: rules are used only where somebody vouches for them and CoreDNS has shown itself, and nothing is concluded below a carve-out.
 * Method: every pair of level and fingerprint, and names around a carve-out.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fingerprint, SearchTrust, type TrustLevel } from '../../../src/core/search/trust.ts'
import { name, octets } from '../../fixtures/packets/octets.ts'

const test = suite('core/search/trust')

const levels: readonly TrustLevel[] = ['verified', 'declared', 'cautious']
const fingerprints: readonly Fingerprint[] = ['unseen', 'coredns', 'foreign']

for (const level of levels) {
  for (const fingerprint of fingerprints) {
    const allows = level !== 'cautious' && fingerprint === 'coredns'
    test(`${level}, ${fingerprint}: structure is ${allows ? 'used' : 'not used'}`, () => {
      const trust = new SearchTrust(level, [], 600)
      trust.fingerprint = fingerprint
      assert.is(trust.allowsStructure, allows)
    })
  }
}

test('nothing is known of the server before it has spoken', () => {
  assert.is(new SearchTrust('verified', [], 600).fingerprint, 'unseen')
})

test('a carve-out is the name and all below it, and not its neighbours', () => {
  const trust = new SearchTrust(
    'verified',
    [name('corp.cluster.local'), name('b.svc.cluster.local')],
    600,
  )
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
  const trust = new SearchTrust('verified', [name('corp.cluster.local')], 600)
  const wire = name('a.cluster.local')
  assert.is(trust.isCarvedOut(octets(wire, name('corp.cluster.local')), wire.length), false)
})

test("CoreDNS's denial of a name counts for as long as is set, for that name alone", () => {
  const trust = new SearchTrust('cautious', [], 600)
  trust.confirm('\x01a\0', 1000)
  assert.is(trust.isConfirmed('\x01a\0', 600_999), true)
  assert.is(trust.isConfirmed('\x01a\0', 601_000), false)
  assert.is(trust.isConfirmed('\x01b\0', 1000), false)
})

test('a denial that is heard again counts anew', () => {
  const trust = new SearchTrust('cautious', [], 600)
  trust.confirm('\x01a\0', 1000)
  trust.confirm('\x01a\0', 500_000)
  assert.is(trust.isConfirmed('\x01a\0', 1_099_999), true)
  assert.is(trust.isConfirmed('\x01a\0', 1_100_000), false)
})

test('a name that exists is not confirmed any more', () => {
  const trust = new SearchTrust('cautious', [], 600)
  trust.confirm('\x01a\0', 1000)
  trust.refute('\x01a\0')
  assert.is(trust.isConfirmed('\x01a\0', 1001), false)
})

test('confirmed names have a bound, and the latest are kept', () => {
  const trust = new SearchTrust('cautious', [], 600)
  for (let i = 0; i < 30_000; i++) trust.confirm(`${i}\0`, 1000)
  assert.is(trust.isConfirmed('0\0', 1000), false)
  assert.is(trust.isConfirmed('29999\0', 1000), true)
  assert.is(trust.isConfirmed('20001\0', 1000), true)
})

test.run()
