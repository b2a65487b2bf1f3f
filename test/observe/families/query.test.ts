/** Goal: queries are published as CoreDNS does, with a bounded number of series. Method: counted replies, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { queryFamilies } from '../../../src/observe/families/query.ts'
import { QueryCounters } from '../../../src/observe/query-counters.ts'
import { sampleOf } from '../../support/exposition.ts'
import { facts, scrape, scrapeOf, seriesIn, server, sourcesWith } from '../support.ts'

const test = suite('observe/families/query')

test('queries appear under the names and labels of CoreDNS', async () => {
  const sources = sourcesWith({})
  sources.counters().replied(facts)
  sources.counters().replied({ ...facts, transport: 1, family: 6, qtype: 28, tookMs: 3 })
  const scraped = await scrape(sources)
  const base = { server, zone: 'cluster.local.', view: '' }
  const requests = 'coredns_dns_requests_total'
  assert.is(sampleOf(scraped, requests, { ...base, proto: 'udp', family: '1', type: 'A' }), 1)
  assert.is(sampleOf(scraped, requests, { ...base, proto: 'tcp', family: '2', type: 'AAAA' }), 1)
  assert.is(sampleOf(scraped, 'coredns_dns_do_requests_total', base), 2)
  const duration = 'coredns_dns_request_duration_seconds'
  assert.is(sampleOf(scraped, `${duration}_bucket`, { ...base, le: '0.00025' }), 1)
  assert.is(sampleOf(scraped, `${duration}_bucket`, { ...base, le: '0.004' }), 2)
  assert.is(sampleOf(scraped, `${duration}_bucket`, { ...base, le: '+Inf' }), 2)
  assert.is(sampleOf(scraped, `${duration}_sum`, base), 0.0032)
  const sizes = 'coredns_dns_response_size_bytes_bucket'
  assert.is(sampleOf(scraped, sizes, { ...base, proto: 'udp', le: '100' }), 0)
  assert.is(sampleOf(scraped, sizes, { ...base, proto: 'udp', le: '200' }), 1)
})

test('replies name the CoreDNS plugin that would have made them', async () => {
  const sources = sourcesWith({})
  const counters = sources.counters()
  counters.replied(facts)
  counters.replied({ ...facts, source: ReplySource.stale })
  counters.replied({ ...facts, source: ReplySource.failed, rcode: 2 })
  counters.replied({ ...facts, zoneIndex: -1, source: ReplySource.local, rcode: 1 })
  const scraped = await scrape(sources)
  const name = 'coredns_dns_responses_total'
  assert.is(sampleOf(scraped, name, { rcode: 'NOERROR', plugin: 'cache' }), 2)
  assert.is(sampleOf(scraped, name, { rcode: 'SERVFAIL', plugin: 'forward' }), 1)
  assert.is(sampleOf(scraped, name, { zone: 'dropped', rcode: 'FORMERR', plugin: '' }), 1)
  assert.is(sampleOf(scraped, 'coredns_cache_served_stale_total', { zones: 'cluster.local.' }), 1)
})

test('random types, classes and rcodes do not add series without end', async () => {
  const sources = sourcesWith({})
  const count = async () => {
    let sum = 0
    for (const family of (await scrape(sources)).values()) sum += family.series.length
    return sum
  }
  const replyToAll = () => {
    for (let n = 0; n < 70_000; n++) {
      sources.counters().replied({ ...facts, qtype: n % 65_536, rcode: n % 4096 })
    }
  }
  replyToAll()
  const after = await count()
  replyToAll()
  assert.is(await count(), after)
  assert.ok(after < 700, `${after} series`)
})

test('drops have a series for each address and reason, those without a drop too', async () => {
  const sources = sourcesWith({})
  sources.counters().dropped(0, 'short')
  const series = seriesIn(await scrape(sources), 'neardns_dropped_packets_total')
  assert.ok(series.length > 5)
  for (const [labels, value] of series) {
    assert.equal([labels['server'], value], [server, labels['reason'] === 'short' ? 1 : 0])
  }
})

test('new counters bring their own addresses and zones', async () => {
  let counters = new QueryCounters([server], ['.', 'cluster.local.'])
  const families = queryFamilies(() => counters)
  counters.replied(facts)
  await scrapeOf(families)
  counters = new QueryCounters(['dns://[::1]:53'], ['cluster.local.', 'corp.example.'])
  counters.replied(facts)
  const labels = { server: 'dns://[::1]:53', zone: 'corp.example.', view: '' }
  assert.equal(seriesIn(await scrapeOf(families), 'coredns_dns_do_requests_total'), [[labels, 1]])
})

test.run()
