/** Goal: whoever takes all it can leaves places for others, and counts come back to zero. Method: holders that take until they are refused. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Claim, type Holder, refusalBy, Shares } from '../../../src/core/sharing/shares.ts'

import { keyFor } from './key-for.ts'

const test = suite('core/sharing/shares')

const client = (key: string): Holder => ({ by: 'client', key: keyFor(key), weight: 1 })
const domain = (key: number, weight = 1 / 2): Holder => ({ by: 'domain', key, weight })

/** @returns how many places it got */
function takeAll(shares: Shares, claim: Claim): number {
  let got = 0
  for (; shares.refusal(claim) === undefined; got++) shares.take(claim)
  return got
}

test('alone, a client gets half, a domain a third, at any size of the pool', () => {
  for (const max of [10, 64, 1000, 2048]) {
    assert.is(takeAll(new Shares(max), [client('a')]), Math.ceil(max / 2))
    assert.is(takeAll(new Shares(max), [domain(1)]), Math.ceil(max / 3))
  }
})

test('who is refused is told by whose share, the first of the claim', () => {
  const shares = new Shares(10)
  takeAll(shares, [client('a')])
  assert.is(shares.refusal([client('a'), domain(1)]), 'client')
  takeAll(shares, [client('b'), domain(1)])
  assert.is(shares.refusal([client('c'), domain(1)]), 'domain')
  assert.is(shares.refusal([client('c'), domain(2)]), undefined)
  while (shares.free > 0) shares.take([])
  assert.is(shares.refusal([client('c'), domain(2)]), 'all')
})

test('nineteen that take all they can leave a twentieth to strangers', () => {
  const shares = new Shares(1000)
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 19; i++)
      if (shares.refusal([client(`${i}`)]) === undefined) shares.take([client(`${i}`)])
  }
  assert.equal([shares.free, shares.of(client('0'))], [50, 50])
  assert.is(shares.refusal([client('stranger'), domain(7, 1 / 8)]), undefined)
})

test('a client whose one domain is used up has room for another', () => {
  const shares = new Shares(2048)
  assert.is(takeAll(shares, [client('a'), domain(1)]), 683)
  assert.ok(takeAll(shares, [client('a'), domain(2)]) > 200)
})

test('a pool of one place gives it to anybody, and of two one to each', () => {
  const one = new Shares(1)
  assert.is(takeAll(one, [client('a'), domain(1, 1 / 8)]), 1)
  const two = new Shares(2)
  assert.is(takeAll(two, [client('a')]), 1)
  assert.is(takeAll(two, [client('b')]), 1)
})

test('with three times the share one holder may have three quarters, and still not the last place', () => {
  const shares = new Shares(100)
  const generous = shares.times(3)
  while (refusalBy(generous, [client('a')]) === undefined) shares.take([client('a')])
  assert.equal([shares.of(client('a')), generous.free], [75, 25])
  assert.is(refusalBy(generous, [client('a')]), 'client')
  assert.is(refusalBy(generous, [client('b')]), undefined)
  const small = new Shares(2)
  while (refusalBy(small.times(3), [client('a')]) === undefined) small.take([client('a')])
  assert.is(small.free, 0, 'of two places one is less than a share')
})

test('what is given back is there for others, and nothing is left of who has nothing', () => {
  const shares = new Shares(8)
  const claim = [client('a'), domain(1)]
  shares.take(claim)
  shares.take([client('a')])
  assert.equal([shares.taken, shares.of(client('a')), shares.of(domain(1))], [2, 2, 1])
  shares.giveBack([client('a'), domain(1)])
  shares.giveBack([client('a')])
  assert.equal([shares.taken, shares.of(client('a')), shares.of(domain(1))], [0, 0, 0])
  assert.is(takeAll(shares, claim), 3)
})

test('a place may count for one more holder, who is looked at first, or for one alone', () => {
  const shares = new Shares(10)
  const [group, claim] = [domain(9, 1 / 2), [client('a'), domain(1)]]
  for (; shares.refusal(claim, group) === undefined; ) shares.take(claim, 1, group)
  assert.equal([shares.of(group), shares.refusal([client('b')], group)], [4, 'domain'])
  shares.giveBack(claim, 1, group)
  assert.equal([shares.of(group), shares.of(client('a'))], [3, 3])
  shares.takeFor(client('c'))
  assert.equal(
    [shares.taken, shares.of(client('c')), shares.refusalFor(client('c'))],
    [4, 1, undefined],
  )
  for (; shares.refusalFor(client('c')) === undefined; ) shares.takeFor(client('c'))
  assert.is(shares.refusalFor(client('c')), 'client')
  shares.giveBackFor(client('c'))
  assert.is(shares.refusalFor(client('c')), undefined)
})

test('a pool that has shrunk below what is taken gives nothing until enough came back', () => {
  const shares = new Shares(8)
  for (let i = 0; i < 4; i++) shares.take([client(`${i}`)])
  shares.setMax(3)
  assert.is(shares.refusal([client('new')]), 'all')
  shares.giveBack([client('0')])
  shares.giveBack([client('1')])
  assert.is(shares.refusal([client('new')]), undefined)
})

test.run()
