/** Goal: the process shows the families that Prometheus users look for, with true numbers. Method: this process, scraped and compared. */

import { getHeapStatistics } from 'node:v8'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sampleOf } from '../../support/exposition.ts'
import { scrape, seriesIn, sourcesWith } from '../support.ts'

const test = suite('observe/families/process')

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

test('versions are labels, the value is 1', async () => {
  const sources = sourcesWith({
    process: { version: '1.2.3', revision: 'abc', memoryLimitBytes: 0 },
  })
  const scraped = await scrape(sources)
  const node = process.versions.node
  assert.equal(seriesIn(scraped, 'nodejs_version_info'), [[{ version: process.version }, 1]])
  assert.equal(seriesIn(scraped, 'neardns_build_info'), [
    [{ version: '1.2.3', revision: 'abc', node }, 1],
  ])
  assert.equal(seriesIn(scraped, 'coredns_build_info'), [
    [{ version: 'neardns-1.2.3', revision: 'abc', goversion: `node${node}` }, 1],
  ])
})

test('memory is the reading of the newest refresh', async () => {
  const sources = sourcesWith({})
  await sources.runtime.refresh()
  const scraped = await scrape(sources)
  const { heapTotal, heapUsed, external, arrayBuffers } = sources.runtime.memory
  for (const [name, value] of [
    ['nodejs_heap_size_total_bytes', heapTotal],
    ['nodejs_heap_size_used_bytes', heapUsed],
    ['nodejs_external_memory_bytes', external],
    ['neardns_array_buffers_bytes', arrayBuffers],
    ['neardns_heap_limit_bytes', getHeapStatistics().heap_size_limit],
  ] as const) {
    assert.equal(seriesIn(scraped, name), [[{}, value]], name)
  }
})

test('collections have a histogram for each kind that occurred', async () => {
  const sources = sourcesWith({})
  const minor = sources.runtime.gc.get('minor')
  minor?.set([2, 1], 0)
  minor?.fill(0.006, -1)
  const scraped = await scrape(sources)
  const name = 'nodejs_gc_duration_seconds'
  const kind = { kind: 'minor' }
  assert.is(sampleOf(scraped, `${name}_bucket`, { ...kind, le: '0.001' }), 2)
  assert.is(sampleOf(scraped, `${name}_bucket`, { ...kind, le: '0.01' }), 3)
  assert.is(sampleOf(scraped, `${name}_count`), 3)
  assert.is(sampleOf(scraped, `${name}_sum`, kind), 0.006)
})

test('the delay of the event loop is taken once for each scrape, and shown by all its families', async () => {
  const sources = sourcesWith({})
  const delay = { p50: 0.001, p90: 0.002, p99: 0.003, max: 0.004, mean: 0.0015 }
  let taken = 0
  sources.runtime.loopDelay.take = () => {
    taken++
    return delay
  }
  const scraped = await scrape(sources)
  assert.is(taken, 1)
  for (const [name, value] of Object.entries({
    p50_: 0.001,
    p90_: 0.002,
    p99_: 0.003,
    max_: 0.004,
    '': 0.0015,
  })) {
    assert.equal(seriesIn(scraped, `nodejs_eventloop_lag_${name}seconds`), [[{}, value]], name)
  }
})

test.run()
