/** Goal: hits, misses and the state of the cache are published as CoreDNS does. Method: one reply of each source, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { sampleOf } from '../../support/exposition.ts'
import { cache, facts, inFlight, scrape, seriesIn, server, sourcesWith } from '../support.ts'

const test = suite('observe/families/cache')

test('cache requests are the hits and the misses', async () => {
  const sources = sourcesWith({ cache: () => cache, inFlight: () => inFlight })
  for (const source of Object.values(ReplySource)) sources.counters().replied({ ...facts, source })
  const scraped = await scrape(sources)
  const zones = { zones: 'cluster.local.' }
  const hits =
    sampleOf(scraped, 'coredns_cache_hits_total', { ...zones, type: 'success' }) +
    sampleOf(scraped, 'coredns_cache_hits_total', { ...zones, type: 'denial' })
  const misses = sampleOf(scraped, 'coredns_cache_misses_total', zones)
  assert.is(hits, 4)
  assert.is(misses, 4)
  assert.is(sampleOf(scraped, 'coredns_cache_requests_total', zones), 8)
  assert.is(sampleOf(scraped, 'coredns_cache_entries', { type: 'success' }), 3)
  assert.is(sampleOf(scraped, 'coredns_cache_evictions_total', { type: 'denial' }), 4)
  assert.is(sampleOf(scraped, 'neardns_cache_bytes'), 5000)
  assert.is(sampleOf(scraped, 'neardns_in_flight_waiters'), 5)
})

test('the shared cache is published once, under the first address and the root zone', async () => {
  const scraped = await scrape(sourcesWith({ cache: () => cache, prefetches: () => 9 }))
  const shared = { server, zones: '.', view: '' }
  assert.equal(seriesIn(scraped, 'coredns_cache_prefetch_total'), [[shared, 9]])
  assert.equal(seriesIn(scraped, 'coredns_cache_drops_total'), [[shared, 6]])
  assert.equal(seriesIn(scraped, 'coredns_cache_evictions_total'), [
    [{ ...shared, type: 'success' }, 1],
    [{ ...shared, type: 'denial' }, 4],
  ])
  assert.equal(seriesIn(scraped, 'neardns_stale_over_denials_total'), [[{}, 7]])
  assert.equal(seriesIn(scraped, 'neardns_cache_entries'), [[{}, 5]])
  assert.equal(seriesIn(scraped, 'neardns_cache_entries_max'), [[{}, 50_000]])
  assert.equal(seriesIn(scraped, 'neardns_cache_bytes_max'), [[{}, 33_554_432]])
})

test('stale answers and cached failures are counted over all addresses and zones', async () => {
  const sources = sourcesWith({})
  for (const zoneIndex of [0, 1]) {
    sources.counters().replied({ ...facts, zoneIndex, source: ReplySource.stale })
  }
  sources.counters().replied({ ...facts, source: ReplySource.failureCache })
  const scraped = await scrape(sources)
  assert.is(sampleOf(scraped, 'neardns_stale_answers_total'), 2)
  assert.is(sampleOf(scraped, 'neardns_failure_cache_answers_total'), 1)
})

test('questions in flight have their limit beside them', async () => {
  const sources = sourcesWith({ inFlight: () => inFlight, inFlightQuestionsMax: () => 500 })
  const scraped = await scrape(sources)
  for (const [name, value] of [
    ['neardns_in_flight_questions', 2],
    ['neardns_in_flight_questions_max', 500],
    ['neardns_joined_queries_total', 3],
    ['neardns_in_flight_refused_total', 1],
  ] as const) {
    assert.equal(seriesIn(scraped, name), [[{}, value]], name)
  }
})

test.run()
