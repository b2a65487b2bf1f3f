/** Goal: upstreams are published under both generations of CoreDNS's names and our own, bounded in number. Method: stand-ins, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { durationSlots } from '../../../src/platform/duration-buckets.ts'
import { sampleOf } from '../../support/exposition.ts'
import { group, scrape, seriesIn, sourcesWith, upstream } from '../support.ts'

const test = suite('observe/families/upstream')

test('upstreams appear under both generations of CoreDNS names', async () => {
  const scraped = await scrape(
    sourcesWith({ upstreams: () => [upstream('10.0.0.1:53')], groups: () => [group] }),
  )
  const to = { to: '10.0.0.1:53' }
  assert.is(sampleOf(scraped, 'coredns_forward_requests_total', to), 12)
  assert.is(sampleOf(scraped, 'coredns_forward_responses_total', { ...to, rcode: 'SERVFAIL' }), 2)
  // One reply per bucket, one above them all: 17.
  assert.is(sampleOf(scraped, 'coredns_forward_request_duration_seconds_count', to), 17)
  const proxy = { ...to, proxy_name: 'forward' }
  const noerror = { ...proxy, rcode: 'NOERROR' }
  assert.is(sampleOf(scraped, 'coredns_proxy_request_duration_seconds_count', noerror), 17)
  // Our own limits and an orderly end say nothing about the upstream.
  assert.is(sampleOf(scraped, 'coredns_proxy_healthcheck_failures_total', proxy), 6)
  const conn = { ...proxy, proto: 'tcp' }
  assert.is(sampleOf(scraped, 'coredns_proxy_conn_cache_hits_total', conn), 9)
  assert.is(sampleOf(scraped, 'coredns_proxy_conn_cache_misses_total', conn), 6)
  assert.is(sampleOf(scraped, 'coredns_forward_healthcheck_broken_total'), 6)
  assert.is(sampleOf(scraped, 'coredns_forward_max_concurrent_rejects_total'), 8)
  assert.is(sampleOf(scraped, 'neardns_upstream_up', { ...to, group: 'cluster' }), 1)
  assert.is(sampleOf(scraped, 'neardns_upstream_mismatched_packets_total', { reason: 'id' }), 3)
  assert.is(sampleOf(scraped, 'neardns_hedges_total', { group: 'cluster' }), 3)
  assert.is(sampleOf(scraped, 'neardns_upstream_connections_held', { group: 'cluster' }), 3)
  assert.is(sampleOf(scraped, 'neardns_upstream_aside_queries_total', { group: 'cluster' }), 5)
})

test('round trips are published by response code, and only those that came', async () => {
  const one = upstream('10.0.0.1:53')
  const durations = new Float64Array(25 * durationSlots)
  durations[2 * durationSlots] = 4
  durations[3 * durationSlots + 1] = 5
  const scraped = await scrape(
    sourcesWith({ upstreams: () => [{ ...one, counters: { ...one.counters, durations } }] }),
  )
  // What the alerts of CoreDNS 1.11 and later read; before that the name was coredns_forward_...
  for (const name of ['coredns_proxy_request', 'coredns_forward_request']) {
    const counts = scraped
      .get(`${name}_duration_seconds`)
      ?.series.filter((one) => one.name.endsWith('_count'))
      .map(({ labels, value }) => [labels.get('rcode'), value])
    assert.equal(counts, [
      ['SERVFAIL', 4],
      ['NXDOMAIN', 5],
    ])
  }
})

test('an address that serves two groups is one series where the label is the address alone', async () => {
  const upstreams = [upstream('10.0.0.1:53'), upstream('10.0.0.1:53', { group: 'corp.example' })]
  const scraped = await scrape(sourcesWith({ upstreams: () => upstreams }))
  assert.is(sampleOf(scraped, 'coredns_forward_requests_total', { to: '10.0.0.1:53' }), 24)
  assert.is(sampleOf(scraped, 'coredns_forward_healthcheck_failures_total'), 12)
  assert.is(scraped.get('neardns_upstream_up')?.series.length, 2)
})

test('thousands of upstreams are cut off at a fixed number', async () => {
  const many = Array.from({ length: 3000 }, (_, n) => upstream(`10.0.${n >> 8}.${n & 255}:53`))
  const scraped = await scrape(sourcesWith({ upstreams: () => many }))
  assert.is(scraped.get('neardns_upstream_up')?.series.length, 64)
})

test('a server that is configured twice in one group is published once', async () => {
  const twice = [upstream('10.0.0.1:53'), upstream('10.0.0.1:53')]
  const scraped = await scrape(sourcesWith({ upstreams: () => twice }))
  const labels = { group: 'cluster', to: '10.0.0.1:53', proto: 'tcp' }
  assert.equal(seriesIn(scraped, 'neardns_upstream_queries_total'), [[labels, 12]])
  assert.equal(seriesIn(scraped, 'neardns_upstream_round_trip_seconds'), [[labels, 0.0015]])
})

test('TLS is named as CoreDNS names it, and as itself under our own names', async () => {
  const one = upstream('1.1.1.1:853', { transport: 'tls', isUp: false })
  const scraped = await scrape(sourcesWith({ upstreams: () => [one] }))
  const to = { to: '1.1.1.1:853' }
  assert.equal(seriesIn(scraped, 'coredns_forward_conn_cache_hits_total'), [
    [{ ...to, proto: 'tcp-tls' }, 9],
  ])
  assert.equal(seriesIn(scraped, 'neardns_upstream_up'), [
    [{ ...to, group: 'cluster', proto: 'tls' }, 0],
  ])
})

test('failures of a group have a family each', async () => {
  const scraped = await scrape(sourcesWith({ groups: () => [group] }))
  for (const [name, value] of [
    ['neardns_group_questions_total', 20],
    ['neardns_hedges_won_total', 2],
    ['neardns_overtakes_total', 9],
    ['neardns_retries_total', 4],
    ['neardns_retry_budget_exhausted_total', 1],
    ['neardns_group_timeouts_total', 5],
    ['neardns_group_unreachable_total', 6],
    ['neardns_group_malformed_total', 7],
    ['neardns_group_overloaded_total', 8],
  ] as const) {
    assert.equal(seriesIn(scraped, name), [[{ group: 'cluster' }, value]], name)
  }
})

test.run()
