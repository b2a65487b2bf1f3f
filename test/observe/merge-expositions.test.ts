/*
 * Goal: the page of several workers says what is true of all: sums where sums mean something, nothing twice, nothing lost with a worker
 * that died. Method: texts by hand, and every family there is, doubled.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allFamilies, emptySources } from '../../src/observe/families/all.ts'
import { countsOf, mergeExpositions } from '../../src/observe/merge-expositions.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { supervisorText } from '../../src/observe/supervisor-text.ts'
import { readExposition, sampleOf } from '../support/exposition.ts'
import { cache, group, inFlight, tcp, udp, upstream } from './support.ts'

const test = suite('observe/merge-expositions')

async function pageOfOne(): Promise<string> {
  const metrics = new Metrics()
  const sources = {
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
  metrics.add(allFamilies(sources))
  return (await metrics.scrape()).body
}

async function merged(...texts: readonly string[]) {
  const parts = texts.map((text, number) => ({ worker: String(number), text }))
  return readExposition(await mergeExpositions(parts))
}

test('counters, histograms and amounts are added up', async () => {
  const page = await pageOfOne()
  const [one, both] = [readExposition(page), await merged(page, page)]
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
  const [one, both] = [readExposition(page), await merged(page, page)]
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
  const text = '# HELP odd Odd.\n# TYPE odd gauge\nodd{a="x y"} 3\n'
  const [first] = (await merged(text, text)).get('odd')?.series ?? []
  assert.equal(
    [...(first?.labels ?? [])],
    [
      ['a', 'x y'],
      ['worker', '0'],
    ],
  )
})

test('of the group only what the worker says that was asked', async () => {
  const text = (hash: string, ready: number) =>
    `# TYPE coredns_reload_version_info gauge\ncoredns_reload_version_info{hash="${hash}"} 1\n# TYPE neardns_workers_ready gauge\nneardns_workers_ready ${ready}\n`
  const page = await merged(text('new', 1), text('old', 2))
  assert.is(page.get('coredns_reload_version_info')?.series.length, 1)
  assert.is(sampleOf(page, 'neardns_workers_ready'), 1)
})

test('of the dead the counts stay, and nothing else', async () => {
  const page = await pageOfOne()
  const dead = countsOf([countsOf(['', page]), page])
  const alive = readExposition(page)
  const all = readExposition(
    await mergeExpositions([
      { worker: '1', text: page },
      { worker: 'departed', text: dead },
      { worker: 'supervisor', text: supervisorText() },
    ]),
  )
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

test('a large page lets the event loop turn in between', async () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `big_total{n="${n}"} 1`)
  const text = `# TYPE big_total counter\n${lines.join('\n')}\n`
  let turns = 0
  let isDone = false
  const turn = () => {
    turns += 1
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  await merged(text, text)
  isDone = true
  assert.ok(turns > 3, `${turns} turns`)
})

test.run()
