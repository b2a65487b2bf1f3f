/** Goal: an address has the name of the pod that had it then, and none rather than a wrong one. Method: pods that come, go and share addresses. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PodNames, podFacts } from '../../../src/daemon/pods/pod-names.ts'
import { type PodOf, podOf } from './pods.ts'

const test = suite('daemon/pods/pod-names')

function factsOf(place: string, of: PodOf) {
  const facts = podFacts(podOf(place, of))
  assert.ok(facts)
  return facts
}

function listened(): PodNames {
  const names = new PodNames()
  names.heard()
  return names
}

test('a pod has all of its addresses, from its start', () => {
  const names = listened()
  names.set(factsOf('shop/cart-0', { ips: ['10.1.0.5', 'fd00::5'], startMs: 5000 }), 6000)
  assert.equal(
    ['10.1.0.5', 'fd00::5', '10.1.0.6'].map((ip) => names.nameAt(ip, 7000)),
    ['shop/cart-0', 'shop/cart-0', undefined],
  )
  assert.is(names.nameAt('10.1.0.5', 4999), undefined)
  assert.equal(names.addressesOf('shop/cart-0'), ['10.1.0.5', 'fd00::5'])
  assert.equal(names.addressesOf('shop/cart'), [])
})

test('an address that goes to another pod is the other’s from its start, also when the end of the first is told late or never', () => {
  const names = listened()
  names.set(factsOf('shop/old', { ip: '10.1.0.5', startMs: 1000 }), 1000)
  names.set(factsOf('shop/new', { ip: '10.1.0.5', startMs: 8000 }), 9000)
  const at = (ms: number) => names.nameAt('10.1.0.5', ms)
  assert.equal([at(7999), at(8000), at(20_000)], ['shop/old', 'shop/new', 'shop/new'])
  assert.equal(
    ['shop/old', 'shop/new'].map((name) => names.addressesOf(name)),
    [[], ['10.1.0.5']],
  )
  names.end('shop/old', 9500)
  assert.equal([at(7999), at(9600)], ['shop/old', 'shop/new'])
  names.end('shop/new', 30_000)
  assert.equal([at(29_000), at(30_001)], ['shop/new', undefined])
})

test('a pod that has ended has its address no more, though the API goes on to show it', () => {
  const names = listened()
  names.set(factsOf('jobs/one', { ip: '10.1.0.5' }), 2000)
  names.set(factsOf('jobs/one', { ip: '10.1.0.5', phase: 'Succeeded' }), 3000)
  assert.equal(
    [2500, 3500].map((ms) => names.nameAt('10.1.0.5', ms)),
    ['jobs/one', undefined],
  )
})

test('pods in the network of the node are none', () => {
  const names = listened()
  names.set(factsOf('kube-system/proxy', { ip: '192.0.2.7', hostNetwork: true }), 2000)
  assert.is(names.nameAt('192.0.2.7', 3000), undefined)
})

test('a new list ends whoever is not in it', () => {
  const names = listened()
  names.replaceAll(
    [factsOf('a/one', { ip: '10.1.0.1' }), factsOf('a/two', { ip: '10.1.0.2' })],
    2000,
  )
  names.replaceAll([factsOf('a/two', { ip: '10.1.0.2' })], 5000)
  assert.equal(
    ['10.1.0.1', '10.1.0.2'].map((ip) => names.nameAt(ip, 6000)),
    [undefined, 'a/two'],
  )
})

test('a minute after the last word of the API nobody is named', () => {
  const names = listened()
  names.set(factsOf('a/one', { ip: '10.1.0.1' }), 2000)
  names.lost(10_000)
  names.lost(50_000)
  assert.equal(
    [70_000, 70_001].map((ms) => names.nameAt('10.1.0.1', ms)),
    ['a/one', undefined],
  )
  names.heard()
  assert.is(names.nameAt('10.1.0.1', 90_000), 'a/one')
})

test('the last owners of an address are kept, four of them, for an hour after the last', () => {
  const names = listened()
  for (let i = 0; i < 6; i++)
    names.set(factsOf(`a/${i}`, { ip: '10.1.0.1', startMs: i * 1000 }), i * 1000)
  const at = (ms: number) => names.nameAt('10.1.0.1', ms)
  assert.equal([at(1500), at(2500), at(5500)], [undefined, 'a/2', 'a/5'])
  names.replaceAll([], 10_000)
  assert.is(at(5500), 'a/5')
  names.replaceAll([], 3_700_000)
  assert.is(at(5500), undefined)
})

test('what is no pod is none', () => {
  for (const written of [undefined, null, 7, 'x', {}, { metadata: { name: 'a' } }])
    assert.is(podFacts(written), undefined)
  const bare = podFacts({ metadata: { name: 'a', namespace: 'b', uid: 'c' } })
  assert.equal([bare?.name, bare?.addresses, bare?.startMs], ['b/a', [], 0])
})

test.run()
