/*
 * Goal: the delay follows the usual round trip, and never leaves its bounds. Method: round trips put in by hand, and a
 * percentile worked out by sorting as the judge.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HedgeDelay } from '../../../src/upstream/policy/hedge-delay.ts'

const test = suite('upstream/policy/hedge-delay')

const settings = { minMs: 50, maxMs: 250, percentile: 95 }
const unbounded = { minMs: 0, maxMs: 100_000, percentile: 95 }

function after(tooks: readonly number[], terms = settings): HedgeDelay {
  const delay = new HedgeDelay(terms)
  for (const tookMs of tooks) delay.add(tookMs)
  return delay
}

function times(count: number, tookMs: number): number[] {
  return new Array<number>(count).fill(tookMs)
}

test('before there are 20 round trips the longest delay applies', () => {
  assert.is(after([]).delayMs, 250)
  assert.is(after(times(19, 1)).delayMs, 250)
  assert.is(after(times(20, 1)).delayMs, 50)
})

test('it stays within its bounds', () => {
  assert.is(after(times(100, 0.3)).delayMs, 50)
  assert.is(after(times(100, 3000)).delayMs, 250)
  assert.is(after([...times(50, 0), ...times(50, 1e9), ...times(50, Number.NaN)]).delayMs, 250)
})

test('it is at most a fifth above the percentile, and never below it', () => {
  // Round trips from 1 to 400 ms, dense at the low end, in an order without meaning.
  const tooks = Array.from({ length: 400 }, (_, i) => 1 + (((i * 37) % 400) ** 2 / 400) * 0.9975)
  const exact = tooks.toSorted((a, b) => a - b)[Math.floor(400 * 0.95)] ?? 0
  const { delayMs } = after(tooks, unbounded)
  assert.ok(delayMs >= exact * 0.98 && delayMs <= exact * 1.2, `${delayMs} for ${exact}`)
})

test('one slow answer in fifty changes nothing, one in ten does', () => {
  const mixed = (slowEvery: number) =>
    Array.from({ length: 500 }, (_, i) => (i % slowEvery === 0 ? 180 : 5))
  assert.is(after(mixed(50)).delayMs, 50)
  assert.ok(after(mixed(10)).delayMs >= 180)
})

test('it forgets: after a thousand new round trips the old ones count no more', () => {
  const delay = after(times(2000, 200))
  assert.ok(delay.delayMs >= 200)
  for (let i = 0; i < 3000; i++) delay.add(5)
  assert.is(delay.delayMs, 50)
})

test('the smoothed round trip follows slowly', () => {
  const delay = after([8])
  assert.is(delay.smoothedMs, 8)
  delay.add(16)
  assert.is(delay.smoothedMs, 9)
})

test('each hedge doubles the wait for the next, up to a second', () => {
  const delay = after([])
  assert.equal(
    [0, 1, 2, 3].map((hedges) => delay.after(hedges)),
    [250, 500, 1000, 1000],
  )
  assert.is(after([], { minMs: 50, maxMs: 3000, percentile: 95 }).after(2), 3000)
})

test('new bounds apply at once', () => {
  const delay = after(times(100, 120))
  delay.reconfigure({ minMs: 10, maxMs: 30, percentile: 95 })
  assert.is(delay.delayMs, 30)
})

test.run()
