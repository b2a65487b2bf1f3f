/** Goal: the process's own numbers are true. Method: cause what they count: a stall, collections, descriptors. */
import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RuntimeStats } from '../../src/observe/runtime-stats.ts'
import { until } from '../support/process.ts'

const test = suite('observe/runtime-stats')

function stall(forMs: number): void {
  const untilMs = performance.now() + forMs
  while (performance.now() < untilMs);
}

test('a stalled event loop shows as delay, once, and stays in the longest', async () => {
  const runtime = new RuntimeStats()
  runtime.start()
  try {
    await sleep(100)
    runtime.takeLoopDelay()
    // The histogram is blind until its next tick.
    await sleep(100)
    stall(200)
    await sleep(100)
    // The sample began up to one period before the stall.
    assert.ok(runtime.takeLoopDelay().max > 0.17)
    await sleep(100)
    assert.ok(runtime.takeLoopDelay().max < 0.17)
    assert.ok(runtime.delayMaxSeconds > 0.17)
  } finally {
    runtime.stop()
  }
})

test('collections are counted by kind, every one of a batch', async () => {
  const runtime = new RuntimeStats()
  runtime.start()
  const minors = () => (runtime.gc.get('minor') ?? new Float64Array(0)).slice(0, -1)
  const count = () => minors().reduce((sum, slot) => sum + slot, 0)
  try {
    const kept: string[][] = []
    await until('three minor collections', () => {
      for (let n = 0; n < 200_000; n++) kept[n % 100] = [`${n}`]
      return count() >= 3
    })
  } finally {
    runtime.stop()
  }
})

test('open descriptors are counted', async () => {
  const runtime = new RuntimeStats()
  await runtime.refresh()
  const before = runtime.openDescriptors
  const opened = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'))
  await runtime.refresh()
  const during = runtime.openDescriptors
  for (const fd of opened) closeSync(fd)
  // Other tests of this process may have something closing.
  assert.ok(during >= before + 10, `${before} ${during}`)
  assert.ok(runtime.maxDescriptors >= during)
})

test('without start there is no delay to report, and stop is harmless', () => {
  const runtime = new RuntimeStats()
  assert.is(runtime.takeLoopDelay().max, 0)
  runtime.stop()
})

test.run()
