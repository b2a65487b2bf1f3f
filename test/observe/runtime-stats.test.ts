/** Goal: the process's own numbers are true. Method: cause what they count: collections, descriptors. */
import { closeSync, openSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RuntimeStats } from '../../src/observe/runtime-stats.ts'
import { until } from '../support/process.ts'

const test = suite('observe/runtime-stats')

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

test('one stop ends what several starts began', async () => {
  const runtime = new RuntimeStats()
  runtime.start()
  runtime.start()
  runtime.stop()
  const other = new RuntimeStats()
  other.start()
  const count = ({ gc }: RuntimeStats) =>
    gc
      .get('minor')
      ?.slice(0, -1)
      .reduce((a, b) => a + b, 0)
  const kept: string[][] = []
  await until('a minor collection', () => {
    for (let n = 0; n < 200_000; n++) kept[n % 100] = [`${n}`]
    return (count(other) ?? 0) > 0
  })
  other.stop()
  assert.is(count(runtime), 0)
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

test('delays are sampled between start and stop only', () => {
  const runtime = new RuntimeStats()
  runtime.stop()
  runtime.round(true, 500)
  assert.is(runtime.loopDelay.count, 0)
  runtime.start()
  runtime.round(false, 500)
  assert.is(runtime.loopDelay.count, 1)
  runtime.stop()
  runtime.round(false, 500)
  assert.is(runtime.loopDelay.count, 1)
})

test.run()
