/** Goal: the list of families keeps the rules of names, labels and help texts. Method: every family there is, over empty and over full sources. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allFamilies, emptySources } from '../../../src/observe/families/all.ts'
import { sampleOf } from '../../support/exposition.ts'
import { cache, facts, group, scrape, sourcesWith, tcp, udp, upstream } from '../support.ts'

const test = suite('observe/families/all')

test('what alerts take the rate of is there before anything has happened', async () => {
  const scraped = await scrape(sourcesWith({}))
  const setup = 'coredns_nodecache_setup_errors_total'
  for (const errortype of [
    'iptables',
    'iptables_lock',
    'interface_add',
    'interface_check',
    'configmap',
  ]) {
    assert.is(sampleOf(scraped, setup, { errortype }), 0)
  }
  assert.is(sampleOf(scraped, 'coredns_panics_total'), 0)
  assert.is(sampleOf(scraped, 'coredns_reload_failed_total'), 0)
  assert.is(sampleOf(scraped, 'neardns_dropped_packets_total', { reason: 'own-address' }), 0)
  assert.is(sampleOf(scraped, 'coredns_cache_hits_total', { zones: '.', type: 'denial' }), 0)
  assert.is(sampleOf(scraped, 'coredns_build_info'), 1)
})

test('every counter ends in _total, nothing else does, and every family is explained', () => {
  for (const { name, kind, help } of allFamilies(emptySources())) {
    assert.is(name.endsWith('_total'), kind === 'counter', name)
    assert.match(name, /^[a-z][a-z0-9_]*$/)
    assert.match(help, /^[A-Z1].*\.$/, name)
  }
})

test('samples carry exactly the labels that their family declares', () => {
  const sources = sourcesWith({
    cache: () => cache,
    upstreams: () => [upstream('10.0.0.1:53')],
    groups: () => [group],
    udp: () => [udp],
    tcp: () => [tcp],
    kernelDrops: () => new Map([['127.0.0.1:53', 1]]),
  })
  sources.counters().replied(facts)
  for (const { name, labelNames, collect } of allFamilies(sources)) {
    for (const sample of collect()) {
      assert.equal(Object.keys(sample.labels).toSorted(), [...labelNames].toSorted(), name)
    }
  }
})

test.run()
