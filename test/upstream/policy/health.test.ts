/*
 * Goal: an upstream that answers anything at all lives, one that has fallen silent altogether is noticed, and one that returns is taken back
 * at once. Method: events at times that the test sets.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Rank, UpstreamHealth } from '../../../src/upstream/policy/health.ts'

const test = suite('upstream/policy/health')

function takeDown(health: UpstreamHealth, nowMs = 0): void {
  health.refused(nowMs)
  health.refused(nowMs)
}

test('one refusal is forgiven, the second takes an upstream down', () => {
  const health = new UpstreamHealth()
  assert.not.ok(health.refused(0))
  assert.is(health.rank(0), Rank.well)
  assert.ok(health.refused(1))
  assert.ok(health.isDown)
  assert.not.ok(health.refused(2), 'it goes down only once')
})

test('a reply in between makes the refusals start anew', () => {
  const health = new UpstreamHealth()
  health.refused(0)
  health.replied(1)
  assert.not.ok(health.refused(2))
})

test('any reply brings an upstream back, and says so once', () => {
  const health = new UpstreamHealth()
  takeDown(health)
  assert.ok(health.replied(100))
  assert.not.ok(health.replied(101))
  assert.is(health.rank(101), Rank.well)
  assert.is(health.lastReplyMs, 101)
})

test('a burst of silences is one event, not an outage', () => {
  const health = new UpstreamHealth()
  for (let i = 0; i < 100; i++) assert.not.ok(health.stayedSilent(i, true))
  assert.not.ok(health.isDown)
})

test('a down upstream may be tried every 500 to 600 ms', () => {
  const health = new UpstreamHealth()
  takeDown(health)
  assert.not.ok(health.takeTrial(499, 0))
  assert.ok(health.takeTrial(500, 0))
  assert.not.ok(health.takeTrial(999, 0))
  assert.ok(health.takeTrial(1000, 0.999))
  assert.not.ok(health.takeTrial(1599, 0))
  assert.ok(health.takeTrial(1600, 0))
})

test('an upstream that others have to help out three times in a row is spared for five seconds', () => {
  const health = new UpstreamHealth()
  health.wasRescued(0)
  health.wasRescued(1)
  health.helped()
  health.wasRescued(2)
  health.wasRescued(3)
  assert.is(health.rank(3), Rank.well)
  health.wasRescued(4)
  assert.is(health.rank(4), Rank.doubtful)
  health.replied(5)
  assert.is(health.rank(5), Rank.doubtful, 'a reply alone is no help')
  assert.is(health.rank(5004), Rank.well)
})

test('three silences over a second take it down, one of them about what it has answered before', () => {
  const health = new UpstreamHealth()
  health.replied(0)
  assert.not.ok(health.stayedSilent(0, true))
  assert.is(health.rank(0), Rank.doubtful)
  assert.not.ok(health.stayedSilent(400, false))
  assert.not.ok(health.stayedSilent(900, false), 'three, but within a second')
  assert.ok(health.stayedSilent(1000, false))
  assert.equal([health.isDown, health.rank(1000)], [true, Rank.down])
})

test('silence about names it has never answered is no death, however much of it', () => {
  const health = new UpstreamHealth()
  health.replied(0)
  for (let ms = 0; ms < 10_000; ms += 10) assert.not.ok(health.stayedSilent(ms, false))
  assert.is(health.rank(9999), Rank.doubtful)
  assert.ok(health.stayedSilent(10_000, false), 'ten seconds of nothing are told')
  assert.equal([health.isDead(10_000), health.rank(10_000)], [false, Rank.doubtful])
})

test('one that has never answered anything is down, but not dead: it may be there for other names', () => {
  const health = new UpstreamHealth()
  for (const ms of [0, 500, 1000]) health.stayedSilent(ms, false)
  assert.equal(
    [health.isDown, health.isDead(1000), health.rank(1000)],
    [true, false, Rank.doubtful],
  )
})

test('proof of death grows old, unless something renews it', () => {
  const health = new UpstreamHealth()
  takeDown(health)
  assert.equal([health.rank(2499), health.rank(2500)], [Rank.down, Rank.doubtful])
  health.refused(2400)
  assert.equal([health.rank(4899), health.rank(4900)], [Rank.down, Rank.doubtful])
  health.stayedSilent(5000, false)
  assert.equal([health.rank(5001), health.isDown], [Rank.down, true])
})

test('what it has answered after its death is forgotten with it', () => {
  const health = new UpstreamHealth()
  takeDown(health)
  health.replied(100)
  for (const ms of [200, 800, 1400]) health.stayedSilent(ms, false)
  assert.equal([health.isDown, health.rank(1400)], [false, Rank.doubtful])
})

test('one refusal over UDP and TCP takes it down, one of either does not', () => {
  const either = new UpstreamHealth()
  assert.equal([either.refused(1000), either.isDown], [false, false])
  const both = new UpstreamHealth()
  assert.equal([both.refused(1000, true), both.isDead(1000)], [true, true])
})

test('what was sent in a silence of a second may be missed, whatever was said before it', () => {
  const health = new UpstreamHealth()
  health.replied(10_000)
  health.replied(12_000)
  health.replied(12_100)
  const cases: [number, number, boolean][] = [
    [10_000, 12_000, true],
    [11_100, 11_200, true],
    [11_101, 11_200, false],
    [9_999, 11_000, false],
    [10_500, 12_001, false],
  ]
  for (const [firstMs, lastMs, isMissed] of cases)
    assert.is(health.mayHaveMissed(firstMs, lastMs), isMissed, `${firstMs} to ${lastMs}`)
})

test.run()
