/*
 * Goal: a search list is vouched for only where the configuration describes it, and only for clients in the networks it names; a wrong list
 * would answer a pod with another name's addresses. Method: checked configurations in, lists out.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { configuredSearchLists } from '../../../src/daemon/search/configured-search-lists.ts'
import { configOf } from '../support.ts'

const test = suite('daemon/search/configured-search-lists')

function listsOf(namespaces: readonly object[], more: object = {}) {
  const searchPath = { trust: 'declared', answerMode: { namespaces } }
  const cluster = { upstreams: ['10.96.0.10'] }
  return configuredSearchLists(configOf({ cluster, searchPath, ...more }))
}

/** Names of wire form, as text. */
function texts(suffixes: readonly string[] | undefined): string[] | undefined {
  return suffixes?.map((wire) => {
    const labels: string[] = []
    for (let at = 0; wire.charCodeAt(at) !== 0; at += wire.charCodeAt(at) + 1) {
      labels.push(wire.slice(at + 1, at + 1 + wire.charCodeAt(at)))
    }
    return labels.join('.')
  })
}

test('nobody is vouched for when no namespace is described', () => {
  assert.is(configuredSearchLists(configOf()), undefined)
})

test('the three domains of the cluster come first, in the order of the kubelet, then those of the node', () => {
  const lists = listsOf([{ name: 'shop', searchDomains: ['corp.example', 'Example'], ndots: 3 }])
  const list = lists?.find('\x04shop', '10.244.1.5')
  assert.equal(texts(list?.suffixes), [
    'shop.svc.cluster.local',
    'svc.cluster.local',
    'cluster.local',
    'corp.example',
    'example',
  ])
  assert.is(list?.ndots, 3)
})

test('the cluster domain is the configured one', () => {
  const lists = listsOf([{ name: 'shop' }], { clusterDomain: 'kids.example' })
  assert.equal(texts(lists?.find('\x04shop', '10.244.1.5')?.suffixes), [
    'shop.svc.kids.example',
    'svc.kids.example',
    'kids.example',
  ])
})

test('namespaces are named by their label with its length, as questions carry them', () => {
  const lists = listsOf([{ name: 'shop' }, { name: 'kube-system' }])
  assert.equal([...(lists?.namespaces ?? [])], ['\x04shop', '\x0bkube-system'])
})

test('another namespace, and the name without its length, find nothing', () => {
  const lists = listsOf([{ name: 'shop' }])
  for (const namespace of ['\x05shops', '\x03sho', 'shop', '']) {
    assert.is(lists?.find(namespace, '10.244.1.5'), undefined, JSON.stringify(namespace))
  }
})

test('without networks every client of the namespace is vouched for', () => {
  const lists = listsOf([{ name: 'shop' }])
  assert.ok(lists?.find('\x04shop', '192.0.2.1'))
  assert.ok(lists?.find('\x04shop', 'fd00::1'))
})

test('with networks only clients inside one of them are, up to both of its ends', () => {
  const lists = listsOf([{ name: 'shop', clients: ['10.244.1.0/24', 'fd00:10:244:1::/64'] }])
  const isFound = (client: string) => lists?.find('\x04shop', client) !== undefined
  for (const inside of ['10.244.1.0', '10.244.1.255', 'fd00:10:244:1::', 'fd00:10:244:1::ffff']) {
    assert.ok(isFound(inside), inside)
  }
  for (const outside of ['10.244.0.255', '10.244.2.0', 'fd00:10:244:2::1', '127.0.0.1']) {
    assert.not.ok(isFound(outside), outside)
  }
})

test('what was found for a client is found again, and does not change what others get', () => {
  const lists = listsOf([{ name: 'shop', clients: ['10.244.1.0/24'] }])
  const first = lists?.find('\x04shop', '10.244.1.5')
  assert.is(lists?.find('\x04shop', '10.244.9.9'), undefined)
  assert.is(lists?.find('\x04shop', '10.244.1.5'), first)
  assert.is(lists?.find('\x04shop', '10.244.9.9'), undefined)
})

test('the networks of one namespace say nothing about another', () => {
  const lists = listsOf([
    { name: 'shop', clients: ['10.244.1.0/24'] },
    { name: 'bank', clients: ['10.244.2.0/24'] },
  ])
  assert.is(lists?.find('\x04bank', '10.244.1.5'), undefined)
  assert.equal(
    texts(lists?.find('\x04bank', '10.244.2.5')?.suffixes)?.[0],
    'bank.svc.cluster.local',
  )
})

test('more clients than are remembered get the same verdicts', () => {
  const lists = listsOf([{ name: 'shop', clients: ['10.244.0.0/17'] }])
  for (let i = 0; i < 10_000; i++) {
    const client = `10.244.${i % 256}.${Math.floor(i / 256)}`
    assert.is(lists?.find('\x04shop', client) !== undefined, i % 256 < 128, client)
  }
})

test.run()
