/** Goal: a failure is remembered for 1 to 5 s, longer each time (RFC 9520), and no longer than the trouble lasts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FailureCache } from '../../../src/core/cache/failure-cache.ts'
import { Router } from '../../../src/core/router.ts'
import { name } from '../../fixtures/packets/octets.ts'
import { zones } from '../support.ts'

const test = suite('core/cache/failure-cache')

const router = new Router(zones)
const route = router.route(name('www.example'), name('www.example').length)
const clusterRoute = router.route(name('cluster.local'), name('cluster.local').length)

function failed(cache: FailureCache, nowMs: number, key = 'k', hash = 7): void {
  cache.note({ key, hash, route, rcode: 2, nowMs })
}

/** Whole seconds for which a failure noted at `nowMs` is remembered. */
function remembered(cache: FailureCache, nowMs: number): number {
  let seconds = 0
  while (cache.lookup('k', 7, nowMs + seconds * 1000) !== undefined) seconds += 1
  return seconds
}

test('a first failure is remembered for the minimum, with its response code', () => {
  const cache = new FailureCache({ minSeconds: 1, maxSeconds: 5 })
  failed(cache, 1000)
  assert.is(cache.lookup('k', 7, 1999)?.rcode, 2)
  assert.is(cache.lookup('k', 7, 2000), undefined)
  assert.is(cache.lookup('other', 7, 1000), undefined)
})

test('repeated failures double the time up to the maximum', () => {
  const cache = new FailureCache({ minSeconds: 1, maxSeconds: 5 })
  let nowMs = 0
  const seconds: number[] = []
  for (let i = 0; i < 6; i++) {
    failed(cache, nowMs)
    const lasted = remembered(cache, nowMs)
    seconds.push(lasted)
    nowMs += lasted * 1000
  }
  assert.equal(seconds, [1, 2, 4, 5, 5, 5])
})

test('a failure long after the last one is a first failure again', () => {
  const cache = new FailureCache({ minSeconds: 1, maxSeconds: 5 })
  failed(cache, 0)
  failed(cache, 1000)
  failed(cache, 60_000)
  assert.is(remembered(cache, 60_000), 1)
})

test('an answer makes the failure forgotten', () => {
  const cache = new FailureCache({ minSeconds: 5, maxSeconds: 5 })
  failed(cache, 0)
  cache.forget('k', 7)
  assert.is(cache.lookup('k', 7, 0), undefined)
})

test('when a group answers again its failures count no more, those of others do', () => {
  const cache = new FailureCache({ minSeconds: 5, maxSeconds: 5 })
  failed(cache, 0)
  cache.note({ key: 'c', hash: 9, route: clusterRoute, rcode: 2, nowMs: 0 })
  cache.groupRecovered(route.group)
  assert.is(cache.lookup('k', 7, 1), undefined)
  assert.ok(cache.lookup('c', 9, 1) !== undefined)
  failed(cache, 10)
  assert.ok(cache.lookup('k', 7, 11) !== undefined)
})

test('a failure after a recovery is a first failure', () => {
  const cache = new FailureCache({ minSeconds: 1, maxSeconds: 5 })
  failed(cache, 0)
  failed(cache, 1000)
  cache.groupRecovered(route.group)
  failed(cache, 2000)
  assert.is(remembered(cache, 2000), 1)
})

test('new limits hold for the next failure', () => {
  const cache = new FailureCache({ minSeconds: 1, maxSeconds: 5 })
  cache.reconfigure({ minSeconds: 3, maxSeconds: 3 })
  failed(cache, 0)
  assert.is(remembered(cache, 0), 3)
})

test('a hundred thousand names that fail leave some thousands in memory', () => {
  const cache = new FailureCache({ minSeconds: 5, maxSeconds: 5 })
  for (let i = 0; i < 100_000; i++) failed(cache, 0, `k${i}`, i)
  let found = 0
  for (let i = 0; i < 100_000; i++) if (cache.lookup(`k${i}`, i, 1) !== undefined) found++
  assert.ok(found > 1000 && found <= 8192, `${found} are left`)
})

test.run()
