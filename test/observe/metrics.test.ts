/**
 * Goal: a scrape has every number of its moment, is shared by scrapers that overlap, and does not hold up the event loop. Method: all
 * families over numbers that change.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../src/core/facts.ts'
import { allFamilies, emptySources } from '../../src/observe/families/all.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { QueryCounters } from '../../src/observe/query-counters.ts'
import { Random } from '../fuzz/random.ts'
import { facts, server, sourcesWith, upstream } from './support.ts'

const test = suite('observe/metrics')

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

test('readings that overlap are one, and a scrape shares it', async () => {
  const metrics = new Metrics()
  let collected = 0
  const [first] = allFamilies(emptySources())
  assert.ok(first)
  metrics.add([{ ...first, collect: () => [{ labels: {}, value: ++collected }] }])
  const [one, other, { body }] = await Promise.all([
    metrics.read(),
    metrics.read(),
    metrics.scrape(),
  ])
  assert.is(one, other)
  assert.equal(one[0]?.values, [1])
  assert.match(body, / 1\n$/)
  assert.equal((await metrics.read())[0]?.values, [2])
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
