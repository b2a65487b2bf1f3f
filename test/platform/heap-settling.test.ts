/** Goal: the heap is settled once, in a quiet second and in no other. Method: a made-up event loop; then the daemon's own flags. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HeapSettling } from '../../src/platform/heap-settling.ts'
import { heapFlagsFor } from '../../src/platform/memory-limit.ts'

const test = suite('platform/heap-settling')

/** Seconds in which the event loop was active for so many milliseconds each. */
function collectionsIn(activeMs: readonly number[]): number[] {
  const sum = { active: 0, idle: 0, utilization: 0 }
  const seconds: number[] = []
  let second = 0
  const settling = new HeapSettling(
    () => seconds.push(second),
    () => ({ ...sum }),
  )
  for (const active of activeMs) {
    sum.active += active
    sum.idle += 1000 - active
    settling.tick()
    second += 1
  }
  return seconds
}

test('the first quiet second is the one', () => {
  assert.equal(collectionsIn([700, 300, 5, 3, 1, 1]), [3])
})

test('a busy process is left alone', () => {
  assert.equal(collectionsIn([900, 500, 100, 50, 5]), [])
})

test('without an exposed collector nothing is done', () => {
  const settling = new HeapSettling(undefined, () => ({ active: 0, idle: 0, utilization: 0 }))
  settling.tick()
})

test('a daemon is started with its collector exposed', () => {
  assert.ok(heapFlagsFor(0, { heapPercent: 50 }).includes('--expose-gc'))
  assert.ok(heapFlagsFor(2 ** 27, { heapPercent: 50 }).includes('--expose-gc'))
})

test.run()
