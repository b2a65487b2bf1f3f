/** Goal: the metrics tell which configuration is in force, and whether the newest one was taken. Method: counts after each event. */
import { mock } from 'node:test'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Reloads } from '../../src/daemon/reloads.ts'

const test = suite('daemon/reloads')

test.after.each(() => mock.timers.reset())

test('a process starts with a good configuration and has reloaded nothing', () => {
  mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_999 })
  const { succeeded, failed, isLastGood, appliedSeconds, hash } = new Reloads({ a: 1 }).stats
  assert.equal([succeeded, failed, isLastGood, appliedSeconds], [0, 0, true, 1_700_000_000])
  // printf '{"a":1}' | sha512sum
  assert.match(hash, /^efb7a829[0-9a-f]{120}$/)
})

test('one that was applied has its own hash and time', () => {
  mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
  const reloads = new Reloads({ a: 1 })
  const before = reloads.stats
  mock.timers.setTime(1_700_000_060_000)
  reloads.applied({ a: 2 })
  const { succeeded, failed, isLastGood, appliedSeconds, hash } = reloads.stats
  assert.equal([succeeded, failed, isLastGood, appliedSeconds], [1, 0, true, 1_700_000_060])
  assert.is.not(hash, before.hash)
  reloads.applied({ a: 1 })
  assert.is(reloads.stats.hash, before.hash)
})

test('one that was refused changes neither hash nor time: the old one is in force', () => {
  mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
  const reloads = new Reloads({ a: 1 })
  const before = reloads.stats
  mock.timers.setTime(1_700_000_060_000)
  reloads.refused()
  assert.equal(reloads.stats, { ...before, failed: 1, isLastGood: false })
})

test('after a refusal the next good one is good again, and the refusal stays counted', () => {
  const reloads = new Reloads({ a: 1 })
  reloads.refused()
  reloads.refused()
  reloads.applied({ a: 1 })
  const { succeeded, failed, isLastGood } = reloads.stats
  assert.equal([succeeded, failed, isLastGood], [1, 2, true])
})

test('stats that were handed out do not change afterwards', () => {
  const reloads = new Reloads({ a: 1 })
  const before = reloads.stats
  reloads.refused()
  assert.is(before.failed, 0)
})

test.run()
