/*
 * Goal: the page of several workers says what is true of all: sums where sums mean something, nothing twice, nothing lost with a worker
 * that died. Method: readings by hand, every family there is, doubled, and the sums of prom-client.
 */
import { AggregatorRegistry, type PrometheusContentType } from 'prom-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expositionOf, type FamilyReading } from '../../src/observe/exposition.ts'
import { allFamilies, emptySources } from '../../src/observe/families/all.ts'
import { countsOf, mergeReadings, type WorkerReadings } from '../../src/observe/merge-readings.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { supervisorReadings } from '../../src/observe/supervisor-readings.ts'
import { readExposition, sampleOf } from '../support/exposition.ts'
import { cache, group, inFlight, tcp, udp, upstream } from './support.ts'

const test = suite('observe/merge-readings')

type Page = readonly FamilyReading[]

function sourcesOfOne() {
  return {
    ...emptySources(),
    cache: () => cache,
    inFlight: () => inFlight,
    inFlightQuestionsMax: () => 500,
    upstreams: () => [upstream('10.0.0.1:53')],
    groups: () => [group],
    udp: () => [udp],
    tcp: () => [tcp],
    kernelDrops: () => new Map([['127.0.0.1:53', 17]]),
    workers: () => ({ wanted: 2, ready: 2, restarts: { ended: 0, killed: 3, hung: 0 } }),
    handover: () => ({
      counts: {
        followed: 1,
        'handed-over': 0,
        failed: 0,
        stranger: 0,
        resumed: 0,
        'cache-refused': 0,
      },
      entriesRestored: 500,
    }),
  }
}

function pageOfOne(): Promise<Page> {
  const metrics = new Metrics()
  metrics.add(allFamilies(sourcesOfOne()))
  return metrics.read()
}

async function shown(page: Page) {
  return readExposition((await expositionOf(page)).body)
}

async function mergedOf(parts: readonly WorkerReadings[]) {
  return shown(mergeReadings(parts))
}

function merged(...pages: readonly Page[]) {
  return mergedOf(pages.map((families, number) => ({ worker: String(number), families })))
}

/** A family of gauges made by hand. */
function gauge(name: string, help: string, ...series: readonly [labels: string, value: number][]) {
  return {
    ...{ name, kind: 'gauge' as const, help, suffixes: [] },
    labels: series.map(([labels]) => labels),
    values: series.map(([, value]) => value),
  }
}

test('counters, histograms and amounts are added up', async () => {
  const page = await pageOfOne()
  const [one, both] = [await shown(page), await merged(page, page)]
  const to = { to: '10.0.0.1:53' }
  for (const [name, labels] of [
    ['coredns_forward_requests_total', to],
    ['coredns_forward_request_duration_seconds_count', to],
    ['neardns_cache_bytes', {}],
    ['neardns_in_flight_questions_max', {}],
    ['neardns_upstream_connections_open', {}],
  ] as const) {
    assert.ok(sampleOf(one, name, labels) > 0, name)
    assert.is(sampleOf(both, name, labels), 2 * sampleOf(one, name, labels), name)
  }
})

test('what is the same in all is not added up, and no info appears twice', async () => {
  const page = await pageOfOne()
  const [one, both] = [await shown(page), await merged(page, page)]
  const same = [...one.keys()].filter((name) =>
    /_info$|^neardns_(workers|worker_|handover_|config_|upstream_up|upstream_round)|^coredns_reload_|^neardns_udp_receive_drops_total$/.test(
      name,
    ),
  )
  assert.ok(same.length > 14, same.join(' '))
  for (const name of same) {
    assert.equal(both.get(name)?.series, one.get(name)?.series, name)
  }
})

test('what only means something for one process is shown for each', async () => {
  const page = await pageOfOne()
  const both = await merged(page, page)
  for (const name of [
    'process_resident_memory_bytes',
    'process_open_fds',
    'process_max_fds',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_heap_size_used_bytes',
    'neardns_heap_limit_bytes',
  ]) {
    const series = both.get(name)?.series ?? []
    assert.equal(
      series.map(({ labels }) => labels.get('worker')),
      ['0', '1'],
      name,
    )
  }
})

test('a gauge that nobody has thought of is shown for each, with the labels it has', async () => {
  const page = [gauge('odd', 'Odd.', ['a="x y"', 3])]
  const [first] = (await merged(page, page)).get('odd')?.series ?? []
  assert.equal(
    [...(first?.labels ?? [])],
    [
      ['a', 'x y'],
      ['worker', '0'],
    ],
  )
})

test('of the group only what the worker says that was asked', async () => {
  const said = (hash: string, ready: number) => [
    gauge('coredns_reload_version_info', 'Hash.', [`hash="${hash}"`, 1]),
    gauge('neardns_workers_ready', 'Ready.', ['', ready]),
  ]
  const page = await merged(said('new', 1), said('old', 2))
  assert.is(page.get('coredns_reload_version_info')?.series.length, 1)
  assert.is(sampleOf(page, 'neardns_workers_ready'), 1)
})

test('of the dead the counts stay, and nothing else', async () => {
  const page = await pageOfOne()
  const dead = countsOf([countsOf([[], page]), page])
  const alive = await shown(page)
  const all = await mergedOf([
    { worker: '1', families: page },
    { worker: 'departed', families: dead },
    { worker: 'supervisor', families: supervisorReadings() },
  ])
  const name = 'coredns_forward_requests_total'
  assert.is(sampleOf(all, name), 3 * sampleOf(alive, name))
  assert.is(sampleOf(all, 'neardns_cache_bytes'), sampleOf(alive, 'neardns_cache_bytes'))
  assert.is(sampleOf(all, 'neardns_worker_restarts_total', { reason: 'killed' }), 3)
  const drops = { server: 'dns://127.0.0.1:53' }
  assert.is(sampleOf(all, 'neardns_udp_receive_drops_total', drops), 17)
  const memory = all.get('process_resident_memory_bytes')?.series ?? []
  assert.equal(
    memory.map(({ labels }) => labels.get('worker')),
    ['1', 'supervisor'],
  )
})

test('sums, and the order of families and series, are those of prom-client', async () => {
  const isSummed = ({ name, kind }: { readonly name: string; readonly kind: string }) =>
    kind !== 'gauge' &&
    !/^(neardns_(worker_|handover_|config_|udp_receive_drops)|coredns_reload_)/.test(name)
  const asJson = () =>
    allFamilies(sourcesOfOne())
      .filter(isSummed)
      .map(({ name, kind, help, collect }) => ({
        ...{ name, help, type: kind, aggregator: 'sum' },
        values: collect().map(({ labels, bound, suffix, value }) => ({
          labels: { ...bound, ...labels },
          value,
          ...(suffix && { metricName: `${name}${suffix}` }),
        })),
      }))
  const registry = AggregatorRegistry.aggregate<PrometheusContentType>([asJson(), asJson()])
  const theirs = (await registry.metrics()).split('\n').filter((line) => line !== '')
  const page = (await pageOfOne()).filter(isSummed)
  const parts = ['0', '1'].map((worker) => ({ worker, families: page }))
  const { body } = await expositionOf(mergeReadings(parts))
  const isStable = (line: string) => !/^process_cpu_/.test(line)
  assert.equal(body.split('\n').slice(0, -1).filter(isStable), theirs.filter(isStable))
})

test('a worker without a family, and one with a series more, lose nothing of the others', async () => {
  const all = await mergedOf([
    { worker: '0', families: [gauge('neardns_cache_bytes', 'Bytes.', ['a="1"', 3])] },
    { worker: '1', families: [gauge('neardns_ready', 'Ready.', ['', 0])] },
    {
      worker: '2',
      families: [
        gauge('neardns_ready', 'Ready.', ['', 1]),
        gauge('neardns_cache_bytes', 'Bytes.', ['a="2"', 5], ['a="1"', 7]),
      ],
    },
  ])
  assert.equal([...all.keys()], ['neardns_cache_bytes', 'neardns_ready'])
  assert.is(sampleOf(all, 'neardns_cache_bytes', { a: '1' }), 10)
  assert.is(sampleOf(all, 'neardns_cache_bytes', { a: '2' }), 5)
  assert.is(sampleOf(all, 'neardns_ready'), 0)
})

test.run()
