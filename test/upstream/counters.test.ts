/** Goal: replies are counted by rcode with their durations, and every reason has a counter that begins at 0. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { durationSlots } from '../../src/platform/duration-buckets.ts'
import {
  attemptFailures,
  GroupCounters,
  mismatchReasons,
  UpstreamCounters,
} from '../../src/upstream/counters.ts'

const test = suite('upstream/counters')

test('each rcode to 23 has its own slot, all others share the last', () => {
  const counters = new UpstreamCounters()
  for (const rcode of [0, 0, 3, 23, 24, 25, 4095]) counters.replied(rcode, 1)
  const { repliesByRcode } = counters
  assert.equal(
    [0, 1, 3, 23, 24].map((rcode) => repliesByRcode[rcode]),
    [2, 0, 1, 1, 3],
  )
  assert.is(repliesByRcode.length, 25)
})

test('durations are kept apart by rcode, their sums in milliseconds', () => {
  const counters = new UpstreamCounters()
  counters.replied(0, 2)
  counters.replied(0, 3)
  counters.replied(3, 500)
  counters.replied(99, 7)
  const sumOf = (slot: number) => counters.durations[slot * durationSlots + durationSlots - 1]
  const countOf = (slot: number) =>
    counters.durations
      .subarray(slot * durationSlots, slot * durationSlots + durationSlots - 1)
      .reduce((sum, count) => sum + count, 0)
  assert.equal([0, 1, 3, 24].map(sumOf), [5, 0, 500, 7])
  assert.equal([0, 1, 3, 24].map(countOf), [2, 0, 1, 1])
})

test('every reason begins at 0, and two upstreams do not share their counters', () => {
  const counters = new UpstreamCounters()
  assert.equal(Object.keys(counters.failures), [...attemptFailures])
  assert.equal(Object.keys(counters.mismatches), [...mismatchReasons])
  counters.failures.tls++
  counters.mismatches.id++
  const { failures, mismatches } = new UpstreamCounters()
  assert.ok(
    [...Object.values(failures), ...Object.values(mismatches)].every((count) => count === 0),
  )
  assert.ok(Object.values(new GroupCounters().failures).every((count) => count === 0))
})

test.run()
