/**
 * Goal: a scrape is what Prometheus and the dashboards of CoreDNS expect, bounded in series and in time. Method:
 * the whole set of families over stand-in numbers, read back by a strict parser of the text format.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ReplyFacts, ReplySource } from '../../src/core/facts.ts'
import { allFamilies, emptySources, type MetricSources } from '../../src/observe/families/all.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { QueryCounters } from '../../src/observe/query-counters.ts'
import { durationSlots } from '../../src/platform/duration-buckets.ts'
import { Random } from '../fuzz/random.ts'
import { readExposition, type ScrapedFamily, sampleOf } from '../support/exposition.ts'
import { cache, group, inFlight, tcp, udp, upstream } from './support.ts'

const test = suite('observe/metrics')

const server = 'dns://169.254.20.10:53'
const facts: ReplyFacts = {
  serverIndex: 0,
  zoneIndex: 1,
  transport: 0,
  family: 4,
  qtype: 1,
  rcode: 0,
  source: ReplySource.cacheSuccess,
  queryBytes: 60,
  replyBytes: 120,
  dnssecOk: true,
  tookMs: 0.2,
}

function sourcesWith(more: Partial<MetricSources>): MetricSources {
  const counters = new QueryCounters([server], ['.', 'cluster.local.'])
  return { ...emptySources(), counters: () => counters, ...more }
}

async function scrape(sources: MetricSources): Promise<Map<string, ScrapedFamily>> {
  const metrics = new Metrics()
  metrics.add(allFamilies(sources))
  return readExposition((await metrics.scrape()).body)
}

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

test('listeners show what the kernel dropped, what it refused and how connections ended', async () => {
  const scraped = await scrape(
    sourcesWith({
      udp: () => [udp],
      tcp: () => [tcp],
      kernelDrops: () => new Map([['127.0.0.1:53', 17]]),
    }),
  )
  const v4 = { server: 'dns://127.0.0.1:53' }
  const v6 = { server: 'dns://[::1]:53' }
  assert.is(sampleOf(scraped, 'neardns_udp_receive_drops_total', v4), 17)
  assert.is(sampleOf(scraped, 'neardns_udp_send_errors_total', { ...v4, code: 'EPERM' }), 2)
  const io = { mode: 'portable', fallback: 'kernel' }
  assert.is(sampleOf(scraped, 'neardns_io_mode_info', { ...v4, ...io }), 1)
  assert.is(sampleOf(scraped, 'neardns_tcp_connections_open', v6), 1)
  assert.is(sampleOf(scraped, 'neardns_tcp_connections_closed_total', { ...v6, reason: 'peer' }), 3)
  assert.is(sampleOf(scraped, 'neardns_tcp_accept_errors_total', { ...v6, code: 'EMFILE' }), 1)
})

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

test('the process shows what Prometheus users look for', async () => {
  const sources = sourcesWith({
    process: { version: '1.2.3', revision: 'abc', memoryLimitBytes: 7 },
  })
  await sources.runtime.refresh()
  const scraped = await scrape(sources)
  assert.ok(sampleOf(scraped, 'process_resident_memory_bytes') > 10_000_000)
  assert.ok(sampleOf(scraped, 'process_cpu_seconds_total') > 0)
  assert.ok(sampleOf(scraped, 'process_open_fds') > 3)
  assert.ok(sampleOf(scraped, 'process_max_fds') >= sampleOf(scraped, 'process_open_fds'))
  const startedSeconds = sampleOf(scraped, 'process_start_time_seconds')
  assert.ok(Math.abs(startedSeconds - (Date.now() / 1000 - process.uptime())) < 2)
  assert.is(sampleOf(scraped, 'coredns_build_info', { version: 'neardns-1.2.3' }), 1)
  assert.is(sampleOf(scraped, 'neardns_memory_limit_bytes'), 7)
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

test('thousands of upstreams are cut off at a fixed number', async () => {
  const many = Array.from({ length: 3000 }, (_, n) => upstream(`10.0.${n >> 8}.${n & 255}:53`))
  const scraped = await scrape(sourcesWith({ upstreams: () => many }))
  assert.is(scraped.get('neardns_upstream_up')?.series.length, 64)
})

test('each scrape says what one that remembers nothing would say', async () => {
  const counters = new QueryCounters([server], ['.', 'cluster.local.'])
  const upstreams = [upstream('10.0.0.1:53')]
  const sources = sourcesWith({ counters: () => counters, upstreams: () => upstreams })
  const metrics = new Metrics()
  metrics.add(allFamilies(sources))
  const random = new Random(1)
  for (let round = 0; round < 30; round++) {
    for (let n = random.below(3); n > 0; n--) {
      const [qtype, rcode] = [random.below(70), random.below(5)]
      const source = random.pick(Object.values(ReplySource))
      counters.replied({ ...facts, qtype, rcode, source, zoneIndex: random.below(2) })
    }
    if (random.below(4) === 0) upstreams.push(upstream(`10.0.1.${round}:53`))
    if (random.below(4) === 0) upstreams.shift()
    const fresh = new Metrics()
    fresh.add(allFamilies(sources))
    const ofFresh = (await fresh.scrape()).body.split('\n').filter(isOurs)
    assert.equal((await metrics.scrape()).body.split('\n').filter(isOurs), ofFresh)
  }
})

/** What the process says of itself changes from one scrape to the next. */
function isOurs(line: string): boolean {
  return !/^(process|nodejs)_/.test(line)
}

test('a family that is declared twice is a defect', () => {
  const metrics = new Metrics()
  metrics.add(allFamilies(emptySources()))
  assert.throws(() => metrics.add(allFamilies(emptySources())), /declared twice/)
})

test('numbers that have to be waited for are read before each scrape, once for all who scrape at once', async () => {
  const metrics = new Metrics()
  metrics.add(allFamilies(emptySources()))
  let refreshed = 0
  metrics.beforeScrape(async () => {
    refreshed++
  })
  const [one, other] = await Promise.all([metrics.scrape(), metrics.scrape()])
  assert.is(one, other)
  assert.is(refreshed, 1)
  await metrics.scrape()
  assert.is(refreshed, 2)
})

test('a large scrape lets the event loop turn in between', async () => {
  const counters = new QueryCounters([server], ['.'])
  // What has not changed since the last scrape costs next to nothing.
  let sent = 0
  const changing = () =>
    Array.from({ length: 64 }, (_, n) => {
      const one = upstream(`10.0.0.${n}:53`)
      const durations = one.counters.durations.map((count) => count && sent)
      return { ...one, roundTripMs: ++sent, counters: { ...one.counters, durations, sent } }
    })
  const metrics = new Metrics()
  metrics.add(allFamilies({ ...emptySources(), counters: () => counters, upstreams: changing }))
  // Code that runs for the first time is slow for reasons of its own.
  for (let n = 0; n < 5; n++) await metrics.scrape()
  let turns = 0
  let isDone = false
  const turn = () => {
    turns++
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  // CPU time and not the clock's: on a busy machine a turn may wait for its core.
  const start = process.threadCpuUsage()
  await metrics.scrape()
  const { user, system } = process.threadCpuUsage(start)
  isDone = true
  const tookMs = (user + system) / 1000
  // Slices of 1 ms; a piece in work may exceed its slice.
  assert.ok(turns >= Math.max(3, Math.floor(tookMs / 4)), `${turns} turns in ${tookMs} ms of CPU`)
})

test.run()
