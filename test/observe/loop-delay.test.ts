/**
 * Goal: the delay of the event loop is true while queries come, costs nothing while none do, and is kept until it is read. Method: a clock
 * that is wound by hand, and one real stall.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LoopDelaySampler } from '../../src/observe/loop-delay.ts'
import { withHandClock } from '../daemon/support.ts'

const test = suite('observe/loop-delay')

test('a stall under traffic shows as delay, once, and stays in the longest', async () => {
  const sampler = new LoopDelaySampler()
  sampler.round(true, 0)
  try {
    const untilMs = performance.now() + 200
    while (performance.now() < untilMs);
    // The overdue sample is taken before this timer, which is due later.
    await sleep(30)
    // A sample may have been due up to one period after the stall began.
    assert.ok(sampler.take().max > 0.17)
    assert.ok(sampler.maxSeconds > 0.17)
    assert.is(sampler.take().max, 0)
  } finally {
    sampler.stop()
  }
})

test('forty samples a second while queries come, one a round without them', () =>
  withHandClock((clock) => {
    const sampler = new LoopDelaySampler()
    const samplesIn = (ms: number) => {
      sampler.take()
      clock.wind(ms)
      return sampler.count
    }
    sampler.round(true, 0)
    assert.is(samplesIn(1000), 40)
    sampler.round(true, 0)
    assert.is(samplesIn(1000), 40)
    sampler.round(false, 0)
    assert.is(samplesIn(60_000), 0)
    sampler.round(false, 0)
    assert.is(sampler.count, 1)
    sampler.stop()
  }))

test('a late round is a sample, whether or not queries came', () => {
  const sampler = new LoopDelaySampler()
  sampler.round(false, 700)
  // To two figures.
  assert.ok(Math.abs(sampler.take().max - 0.7) < 0.01)
  sampler.round(true, 0)
  // There is no 0.
  assert.is(sampler.take().max, 1e-6)
  sampler.round(true, 100_000)
  assert.ok(Math.abs(sampler.take().max - 60) < 0.5)
  sampler.stop()
})

test.run()
