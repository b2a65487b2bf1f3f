/*
 * Goal: a table has what was put into it until it is taken out. Method: beside a Set, with random members that come and go, more of them
 * than buckets, and several of one hash.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type HashChained, HashChains } from '../../../src/core/sharing/hash-chains.ts'

const test = suite('core/sharing/hash-chains')

interface Member extends HashChained<Member> {
  readonly keyHash: number
}

const member = (keyHash: number): Member => ({ keyHash, nextInBucket: undefined })

test('what is taken out is gone, and leads nowhere', () => {
  const table = new HashChains<Member>()
  const [first, second, third] = [member(7), member(7), member(7)]
  for (const one of [first, second, third]) table.add(one)
  assert.equal([table.remove(second), table.remove(second)], [true, false])
  assert.is(second.nextInBucket, undefined)
  assert.equal(new Set(table.all()), new Set([first, third]))
  assert.equal([table.remove(first), table.remove(third), table.size], [true, true, 0])
})

test('it says of which hashes it has a member, whoever shares their bucket', () => {
  const table = new HashChains<Member>()
  for (const hash of [1, 33]) table.add(member(hash))
  assert.equal(
    [1, 33, 17, 2].map((hash) => table.mayHave(hash)),
    [true, true, false, false],
  )
})

test('another member of the same hash is not taken out', () => {
  const table = new HashChains<Member>()
  const one = member(-1)
  table.add(one)
  assert.is(table.remove(member(-1)), false)
  assert.equal(table.all(), [one])
})

test('whatever comes and goes, it holds what a Set would hold', () => {
  const hashes = fc.array(fc.integer({ min: -3, max: 90 }), { maxLength: 400 })
  fc.assert(
    fc.property(hashes, (all) => {
      const table = new HashChains<Member>()
      const model = new Set<Member>()
      for (const hash of all) {
        const known = [...model].find(({ keyHash }) => keyHash === hash)
        const isKept = known === undefined || hash % 3 === 0
        const one = isKept ? member(hash) : known
        if (isKept) table.add(one)
        else assert.ok(table.remove(one))
        if (isKept) model.add(one)
        else model.delete(one)
        assert.is(table.size, model.size)
      }
      assert.equal(new Set(table.all()), model)
    }),
  )
})

test.run()
