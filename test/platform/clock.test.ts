// Goal: time goes forward, over a nap of the machine too. Method: a wall clock that the test sets, for the length of one synchronous call.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SystemClock } from '../../src/platform/clock.ts'

const test = suite('platform/clock')

/** The wall clock is so far ahead of where it would be; nothing else runs meanwhile. */
function checkAhead(clock: SystemClock, aheadMs: number): number {
  const { now } = Date
  Date.now = () => now() + aheadMs
  try {
    return clock.check()
  } finally {
    Date.now = now
  }
}

/** Two clocks are not read in the same instant. */
const slackMs = 1000

test('the clock is that of the process', () => {
  const clock = new SystemClock()
  const beforeMs = performance.now()
  const nowMs = clock.nowMs()
  assert.ok(nowMs >= beforeMs && nowMs <= performance.now())
  assert.is(clock.check(), 0)
})

test('a nap of the machine makes cached answers older', () => {
  const clock = new SystemClock()
  const beforeMs = clock.nowMs()
  const napMs = 3_600_000
  const skippedMs = checkAhead(clock, napMs)
  assert.ok(Math.abs(skippedMs - napMs) < slackMs, `${skippedMs} ms`)
  assert.ok(Math.abs(clock.nowMs() - beforeMs - napMs) < slackMs)
})

test('a nap counts once, and naps add up', () => {
  const clock = new SystemClock()
  const beforeMs = clock.nowMs()
  checkAhead(clock, 100_000)
  assert.is(checkAhead(clock, 100_000), 0)
  checkAhead(clock, 200_000)
  assert.ok(Math.abs(clock.nowMs() - beforeMs - 200_000) < slackMs)
})

test('time that passes on both clocks is no nap, however long it takes until the next check', () => {
  const clock = new SystemClock()
  const { now } = performance
  performance.now = () => now.call(performance) + 3_600_000
  const skippedMs = checkAhead(clock, 3_600_000)
  performance.now = now
  assert.is(skippedMs, 0)
})

test('steps below a minute are NTP at work, however many of them', () => {
  const clock = new SystemClock()
  const beforeMs = clock.nowMs()
  for (let stepMs = 59_000; stepMs <= 5 * 59_000; stepMs += 59_000) {
    assert.is(checkAhead(clock, stepMs), 0)
  }
  assert.ok(clock.nowMs() - beforeMs < slackMs)
  assert.ok(checkAhead(clock, 5 * 59_000 + 61_000) > 0)
})

test('a wall clock that is set back takes nothing away, and is where the next step is measured from', () => {
  const clock = new SystemClock()
  const beforeMs = clock.nowMs()
  assert.is(checkAhead(clock, -3_600_000), 0)
  assert.ok(clock.nowMs() >= beforeMs)
  const skippedMs = checkAhead(clock, -3_600_000 + 120_000)
  assert.ok(Math.abs(skippedMs - 120_000) < slackMs)
})

test.run()
