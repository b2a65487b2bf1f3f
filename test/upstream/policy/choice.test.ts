/*
 * Goal: an order stays an order until the first is dead, equals get their shares by the policy, and somebody is chosen while there is
 * anybody. Method: upstreams in each state, and random numbers that the test sets.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Candidate,
  type ChoiceTerms,
  chooseUpstream,
  isUnhelpful,
  refusesEdns,
} from '../../../src/upstream/policy/choice.ts'
import { UpstreamHealth } from '../../../src/upstream/policy/health.ts'
import { ResponseScan, scanResponse } from '../../../src/wire/scan.ts'
import { aRecord, record, responseTo } from '../../core/support.ts'
import { octets } from '../../fixtures/packets/octets.ts'

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
  terms: Partial<ChoiceTerms> = {},
): string | undefined {
  return chooseUpstream(candidates, {
    policy: 'sequential',
    tried: [],
    nowMs: 0,
    random: 0,
    turn: 0,
    evenDead: false,
    ...terms,
  })?.name
}

function takeDown(health: UpstreamHealth, nowMs = 0): void {
  health.refused(nowMs)
  health.refused(nowMs)
}

test('in an order the first that is not dead is chosen, whatever its load and whatever is doubted', () => {
  const [first, second, third] = [upstream('first', 50, 80), upstream('second'), upstream('third')]
  const all = [first, second, third]
  assert.is(chosen(all), 'first')
  assert.is(chosen(all, { tried: [first] }), 'second')
  first.health.stayedSilent(0, true)
  for (let i = 0; i < 5; i++) first.health.wasRescued(0)
  assert.is(chosen(all), 'first', 'silence and rescues are about names')
  takeDown(first.health)
  assert.is(chosen(all), 'second')
  takeDown(second.health)
  assert.is(chosen(all), 'third')
  takeDown(third.health)
  assert.is(chosen(all), undefined)
  assert.is(chosen(all, { evenDead: true }), 'first')
  assert.is(chosen(all, { evenDead: true, tried: [first] }), 'second')
  assert.is(chosen(all, { nowMs: 2500 }), 'first', 'proof grows old')
})

test('equals that are doubtful are asked after the others', () => {
  for (const policy of ['spread', 'random', 'round_robin'] as const) {
    const all = [upstream('a'), upstream('b')]
    all[0]?.health.stayedSilent(0, false)
    assert.is(chosen(all, { policy }), 'b', policy)
    if (all[1] !== undefined) takeDown(all[1].health)
    assert.is(chosen(all, { policy }), 'a', `${policy}: doubtful is better than dead`)
  }
})

test('spread goes to the one that will be free soonest', () => {
  const all = [upstream('busy', 3, 2), upstream('idle', 0, 2), upstream('far', 0, 40)]
  for (const random of [0, 0.4, 0.9]) assert.is(chosen(all, { policy: 'spread', random }), 'idle')
})

test('random draws, whatever load and distance', () => {
  const all = [upstream('busy', 3, 2), upstream('idle', 0, 2), upstream('far', 0, 40)]
  const names = [0, 0.34, 0.67].map((random) => chosen(all, { policy: 'random', random }))
  assert.equal(names, ['busy', 'idle', 'far'])
})

test('round_robin takes turns, and skips the dead', () => {
  const all = [upstream('a'), upstream('b'), upstream('c')]
  const names = () => [0, 1, 2, 3].map((turn) => chosen(all, { policy: 'round_robin', turn }))
  assert.equal(names(), ['a', 'b', 'c', 'a'])
  if (all[1] !== undefined) takeDown(all[1].health)
  assert.equal(names(), ['a', 'c', 'c', 'a'])
})

test('spread breaks ties at random, and takes like distances for equal', () => {
  const all = [upstream('a', 0, 0.2), upstream('b', 0, 2.5), upstream('c', 0, 0)]
  const names = [0, 0.34, 0.67].map((random) => chosen(all, { policy: 'spread', random }))
  assert.equal(names, ['a', 'b', 'c'])
})

test('nobody is chosen from nobody', () => {
  for (const policy of ['sequential', 'spread', 'random', 'round_robin'] as const)
    assert.is(chosen([], { policy, random: 0.5, turn: 3, evenDead: true }), undefined)
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

test('an answer that cannot be read is none', () => {
  const scan = new ResponseScan()
  const reply = responseTo('www.example', 'A', { answers: [record('www.example', 'A', octets(1))] })
  assert.ok(scanResponse(reply, reply.length, scan))
  assert.ok(isUnhelpful(reply, scan))
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
