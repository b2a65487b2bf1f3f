/**
 * Goal: a duration lands in the bucket that a Prometheus histogram with these bounds would give it. Method: every
 * bound, its neighbours, and a plain linear search as the other opinion.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  addDuration,
  durationBoundsSeconds,
  durationBucket,
  durationSlots,
} from '../../src/platform/duration-buckets.ts'

const test = suite('platform/duration-buckets')

const linear = (tookMs: number) => {
  const found = durationBoundsSeconds.findIndex((bound) => tookMs <= bound * 1000)
  return found < 0 ? durationBoundsSeconds.length : found
}

test('the bounds are those of CoreDNS', () => {
  assert.is(durationBoundsSeconds.length, 16)
  assert.is(durationBoundsSeconds[0], 0.00025)
  assert.is(durationBoundsSeconds[15], 8.192)
})

test('a duration on a bound belongs to that bound, one just above it to the next', () => {
  for (const [n, bound] of durationBoundsSeconds.entries()) {
    const boundMs = bound * 1000
    assert.is(durationBucket(boundMs), n)
    assert.is(durationBucket(boundMs + 0.001), n + 1)
  }
})

test('the bucket is the one that a linear search finds', () => {
  for (let ms = 0; ms < 10_000; ms += 0.37) assert.is(durationBucket(ms), linear(ms), `${ms} ms`)
})

test('negative durations and NaN count as the shortest', () => {
  assert.is(durationBucket(-5), 0)
  assert.is(durationBucket(Number.NaN), 0)
  assert.is(durationBucket(Number.POSITIVE_INFINITY), 16)
})

test('a histogram within a larger array touches its own slots only', () => {
  const slots = new Float64Array(3 * durationSlots)
  addDuration(slots, durationSlots, 3)
  addDuration(slots, durationSlots, 60_000)
  addDuration(slots, durationSlots, -1)
  assert.is(
    slots.subarray(0, durationSlots).every((slot) => slot === 0),
    true,
  )
  assert.is(slots[durationSlots + durationBucket(3)], 1)
  assert.is(slots[durationSlots + 16], 1)
  assert.is(slots[durationSlots + 0], 1)
  assert.is(slots[durationSlots + 17], 60_003)
  assert.is(
    slots.subarray(2 * durationSlots).every((slot) => slot === 0),
    true,
  )
})

test.run()
