/*
 * Goal: questions go to upstreams that answer, one that does not is tried rarely, and one that returns is taken back
 * at once. Method: events at times that the test sets.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Candidate,
  type ChoicePolicy,
  chooseUpstream,
  isUnhelpful,
  Rank,
  refusesEdns,
  UpstreamHealth,
} from '../../../src/upstream/policy/choice.ts'
import { ResponseScan, scanResponse } from '../../../src/wire/scan.ts'
import { aRecord, responseTo } from '../../core/support.ts'

const test = suite('upstream/policy/choice')

interface Named extends Candidate {
  readonly name: string
  readonly health: UpstreamHealth
}

function upstream(name: string, load = 0, roundTripMs = 1): Named {
  return { name, health: new UpstreamHealth(), load, roundTripMs }
}

function chosen(
  candidates: readonly Named[],
  terms: { policy?: ChoicePolicy; tried?: readonly Named[]; nowMs?: number; random?: number } = {},
): string | undefined {
  const { policy = 'sequential', tried = [], nowMs = 0, random = 0 } = terms
  return chooseUpstream(candidates, { policy, tried, nowMs, random })?.name
}

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

test('one silence makes an upstream doubtful, three over a second take it down', () => {
  const health = new UpstreamHealth()
  assert.not.ok(health.stayedSilent(0))
  assert.is(health.rank(0), Rank.doubtful)
  assert.not.ok(health.stayedSilent(400))
  assert.not.ok(health.stayedSilent(900), 'three, but within a second')
  assert.ok(health.stayedSilent(1000))
  assert.ok(health.isDown)
})

test('a burst of silences is one event, not an outage', () => {
  const health = new UpstreamHealth()
  for (let i = 0; i < 100; i++) assert.not.ok(health.stayedSilent(i))
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

test('in sequence the first healthy upstream is chosen, whatever its load', () => {
  const [first, second, third] = [upstream('first', 50, 80), upstream('second'), upstream('third')]
  const all = [first, second, third]
  assert.is(chosen(all), 'first')
  assert.is(chosen(all, { tried: [first] }), 'second')
  first.health.stayedSilent(0)
  assert.is(chosen(all), 'second')
  takeDown(second.health)
  assert.is(chosen(all), 'third')
  takeDown(third.health)
  assert.is(chosen(all), 'first', 'doubtful is better than down')
  takeDown(first.health)
  assert.is(chosen(all), undefined)
})

test('spread goes to the one that will be free soonest', () => {
  const all = [upstream('busy', 3, 2), upstream('idle', 0, 2), upstream('far', 0, 40)]
  for (const random of [0, 0.4, 0.9]) assert.is(chosen(all, { policy: 'spread', random }), 'idle')
})

test('twenty questions may try an upstream out of turn when it has become the last hope', () => {
  const health = new UpstreamHealth()
  takeDown(health)
  health.becomeLastHope()
  for (let i = 0; i < 20; i++) assert.ok(health.takeTrial(10, 0))
  assert.not.ok(health.takeTrial(10, 0))
  assert.ok(health.takeTrial(500, 0))
})

test('spread breaks ties at random, and takes like distances for equal', () => {
  const all = [upstream('a', 0, 0.2), upstream('b', 0, 2.5), upstream('c', 0, 0)]
  const names = [0, 0.34, 0.67].map((random) => chosen(all, { policy: 'spread', random }))
  assert.equal(names, ['a', 'b', 'c'])
})

test('nobody is chosen from nobody', () => {
  assert.is(chosen([]), undefined)
  assert.is(chosen([], { policy: 'spread', random: 0.5 }), undefined)
})

test('the rcodes that another upstream may improve on are told from answers', () => {
  const scan = new ResponseScan()
  const reply = responseTo('www.example', 'A', { answers: [aRecord('www.example', '192.0.2.1')] })
  assert.ok(scanResponse(reply, reply.length, scan))
  const rcodes = Array.from({ length: 24 }, (_, rcode) => rcode)
  const helpful = rcodes.filter((rcode) => !isUnhelpful(reply, Object.assign(scan, { rcode })))
  assert.equal(helpful, [0, 3, 6])
  assert.equal(rcodes.filter(refusesEdns), [1, 4, 16])
})

test('a referral is no answer, an empty answer of a resolver is one', () => {
  const scan = new ResponseScan()
  const nodata = responseTo('www.example', 'A')
  for (const [ra, unhelpful] of [
    [0x80, false],
    [0, true],
  ] as const) {
    nodata[3] = ra
    assert.ok(scanResponse(nodata, nodata.length, scan))
    assert.is(isUnhelpful(nodata, scan), unhelpful)
  }
})

test.run()
