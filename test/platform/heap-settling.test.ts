/** Goal: the heap is settled once, in a quiet second and in no other. Method: a made-up event loop and clock; then a real collection. */
import { mock } from 'node:test'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HeapSettling } from '../../src/platform/heap-settling.ts'
import { mustRun } from '../support/process.ts'

const test = suite('platform/heap-settling')

/** Seconds in which the event loop was active for so many milliseconds each. */
function collectionsIn(activeMs: readonly number[]): number[] {
  const sum = { active: 0, idle: 0, utilization: 0 }
  const seconds: number[] = []
  let second = 0
  mock.timers.enable({ apis: ['setInterval'] })
  const settling = new HeapSettling(
    () => seconds.push(second),
    () => ({ ...sum }),
  )
  settling.start()
  for (const active of activeMs) {
    sum.active += active
    sum.idle += 1000 - active
    mock.timers.tick(1000)
    second += 1
  }
  settling.stop()
  mock.timers.reset()
  return seconds
}

test('the first quiet second is the one', () => {
  assert.equal(collectionsIn([700, 300, 5, 3, 1, 1]), [3])
})

test('a busy process is left alone', () => {
  assert.equal(collectionsIn([900, 500, 100, 50, 5]), [])
})

test('started again, as after a reload, it settles once more, and counts only what came since', () => {
  const sum = { active: 0, idle: 0, utilization: 0 }
  let collections = 0
  mock.timers.enable({ apis: ['setInterval'] })
  const settling = new HeapSettling(
    () => {
      collections += 1
    },
    () => ({ ...sum }),
  )
  const quietSecond = () => {
    sum.idle += 1000
    mock.timers.tick(1000)
  }
  settling.start()
  quietSecond()
  quietSecond()
  assert.is(collections, 1)
  sum.active += 500
  settling.start()
  settling.start()
  quietSecond()
  quietSecond()
  assert.is(collections, 2)
  settling.stop()
  mock.timers.reset()
})

test('a collection needs no flag on the command line', async () => {
  const module = new URL('../../src/platform/v8-flags.ts', import.meta.url).href
  const script = `
    import { collectGarbage } from ${JSON.stringify(module)}
    const seen = new WeakRef({ length: 100_000 })
    await new Promise(setImmediate)
    collectGarbage()
    console.log(seen.deref() === undefined, typeof globalThis.gc, process.execArgv.join(' '))`
  const output = await mustRun(process.execPath, ['--input-type=module-typescript', '-e', script])
  assert.match(output, /^true undefined --input-type/)
})

test.run()
