/** Goal: the numbers of status and top are those that were counted, and of several workers one. Method: counters with known queries. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { Listeners } from '../../../src/daemon/listeners.ts'
import { joinSummaries, type Summary, summaryOf } from '../../../src/daemon/operator/summary.ts'
import { chooseUdpIo } from '../../../src/listen/udp-io.ts'
import { QueryCounters } from '../../../src/observe/query-counters.ts'
import { Readiness } from '../../../src/observe/readiness.ts'
import { ScriptedHandler } from '../../listen/scripted-handler.ts'
import { factsOf } from '../../observe/live/support.ts'
import { configOf, dataPathOf } from '../support.ts'

const test = suite('daemon/operator/summary')

function summary(): Summary {
  const path = dataPathOf({ external: { upstreams: ['192.0.2.1', '192.0.2.2'] } })
  path.exchange.stop()
  const counters = new QueryCounters(['dns://127.0.0.1:53'], ['.'])
  for (const tookMs of [0.1, 0.1, 0.3, 9000])
    counters.replied(factsOf({ tookMs, source: ReplySource.cacheSuccess }))
  counters.replied(factsOf({ source: ReplySource.stale, rcode: 3 }))
  counters.dropped(0, 'short')
  const readiness = new Readiness()
  readiness.set('self-query', { kind: 'failed', why: 'no answer' })
  const { io, settings } = { io: chooseUdpIo('portable'), settings: configOf() }
  const handler = new ScriptedHandler()
  const listeners = new Listeners({
    handler,
    settings,
    io,
    held: undefined,
    number: 0,
    onDefect: () => {},
  })
  const reload = { succeeded: 0, failed: 0, isLastGood: true, appliedSeconds: 7, hash: '' }
  const addresses = [
    { address: '169.254.20.10:53', role: 'own', isActive: true },
    { address: '10.96.0.10:53', role: 'cluster', isActive: false },
  ]
  const view = {
    backend: 'none',
    kubeProxy: 'none',
    addresses,
    troubles: new Map(),
    renewals: 0,
    standbyTargets: 0,
  } as const
  return summaryOf({
    ...{ path, listeners, readiness, nowMs: () => 0, counters: () => counters },
    interception: () => ({ view }),
    questionsMax: () => 9,
    reloads: () => reload,
    facts: { version: '1.2.3', revision: '', memoryLimitBytes: 99 },
  })
}

test('queries by source, RCODE and time, and what stands in the way of being ready', () => {
  const one = summary()
  assert.equal([one.queries, one.drops], [5, 1])
  assert.equal(one.bySource, { cacheSuccess: 4, stale: 1 })
  assert.equal(one.byRcode, { NOERROR: 4, NXDOMAIN: 1 })
  assert.equal([one.durations[0], one.durations[1], one.durations[16]], [3, 1, 1])
  assert.equal(one.notReady, ['self-query: no answer'])
  assert.equal([one.intercepted, one.wanted.length], [['169.254.20.10:53'], 2])
  assert.equal(
    one.upstreams.map(({ group, name, isUp }) => [group, name, isUp]),
    [
      ['external', 'udp://192.0.2.1:53', true],
      ['external', 'udp://192.0.2.2:53', true],
    ],
  )
})

test('of two workers counts are added up, and the worse state holds', () => {
  const one = summary()
  const down = one.upstreams.map((upstream, at) => ({ ...upstream, isUp: at > 0, inFlight: 2 }))
  const both = joinSummaries([one, { ...one, upstreams: down, bySource: { upstream: 3 } }])
  assert.equal([both.queries, both.durations[0]], [10, 6])
  assert.equal(both.bySource, { cacheSuccess: 4, stale: 1, upstream: 3 })
  assert.equal(
    both.upstreams.map(({ isUp, inFlight }) => [isUp, inFlight]),
    [
      [false, 2],
      [true, 2],
    ],
  )
  assert.equal(joinSummaries([one]), one)
})

test.run()
