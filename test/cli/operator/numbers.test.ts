/** Goal: rates are those between two looks, percentiles those of the histogram, texts short. Method: two looks with known numbers. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  agoText,
  between,
  grouped,
  quantileMs,
  rateText,
} from '../../../src/cli/operator/numbers.ts'
import { liveOf } from './top/pictures.ts'

const test = suite('cli/operator/numbers')

test('what is between two looks', () => {
  const before = liveOf()
  const now = liveOf({
    ...{ atMs: 1_002_000, queries: 1400, spared: 310, cpuMs: 2020 },
    bySource: { cacheSuccess: 1100, cacheDenial: 100, upstream: 180, stale: 20 },
    byRcode: { NOERROR: 1200, NXDOMAIN: 100, SERVFAIL: 100 },
    durations: before.durations.map((count, at) => count + (at === 0 ? 398 : at === 3 ? 2 : 0)),
  })
  const rates = between(before, now)
  assert.equal([rates.seconds, rates.queriesPerSecond, rates.sparedPerSecond], [2, 200, 5])
  assert.equal([rates.hitPercent, rates.stalePercent, rates.cpuPercent], [75, 2.5, 1])
  assert.equal([rates.p50Ms, rates.p99Ms], [0.25, 0.25])
  assert.equal(rates.byRcode.slice(0, 2), [
    { key: 'NOERROR', perSecond: 150 },
    { key: 'SERVFAIL', perSecond: 50 },
  ])
})

test('since the start, and without any query', () => {
  assert.is(between(undefined, liveOf()).queriesPerSecond, 10)
  const still = between(liveOf(), liveOf({ atMs: 1_001_000 }))
  assert.equal([still.queriesPerSecond, still.hitPercent, still.p99Ms], [0, undefined, undefined])
  // A daemon that has been restarted counts from 0 again.
  assert.is(between(liveOf(), liveOf({ atMs: 1_001_000, queries: 5 })).queriesPerSecond, 0)
})

test('a percentile is the bound of its bucket', () => {
  assert.is(quantileMs([98, 1, 1], 0.5), 0.25)
  assert.is(quantileMs([98, 1, 1], 0.99), 0.5)
  assert.is(quantileMs([0, 0, 0], 0.5), undefined)
  const slow = new Array<number>(17).fill(0)
  slow[16] = 1
  assert.is(quantileMs(slow, 0.5), 8192)
})

test('texts', () => {
  assert.equal([rateText(0), rateText(9.96), rateText(12_345.6)], ['0.0', '10.0', '12,346'])
  assert.equal([grouped(999), grouped(1_234_567)], ['999', '1,234,567'])
  assert.equal([5, 65, 3600, 90_061].map(agoText), ['5 s', '1 min 5 s', '1 h', '1 d 1 h'])
})

test.run()
