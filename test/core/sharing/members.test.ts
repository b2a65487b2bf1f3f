/*
 * Goal: a set of things with links of their own holds them in the order in which they came. Method: beside a Set, with random
 * comings and goings.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Chained } from '../../../src/core/sharing/chain.ts'
import { Members } from '../../../src/core/sharing/members.ts'

const test = suite('core/sharing/members')

class Thing extends Chained<Thing> {}

test('the first, one in the middle and the last can go', () => {
  for (const gone of [0, 1, 2]) {
    const members = new Members<Thing>()
    const things = [new Thing(), new Thing(), new Thing()]
    for (const thing of things) members.add(thing)
    assert.ok(members.delete(things[gone] as Thing))
    assert.equal(
      members.all(),
      things.filter((_, at) => at !== gone),
    )
  }
})

test('what is not there, or no longer, cannot be taken out', () => {
  const members = new Members<Thing>()
  const [one, other] = [new Thing(), new Thing()]
  members.add(one)
  assert.equal(
    [members.delete(other), members.delete(one), members.delete(one)],
    [false, true, false],
  )
  assert.equal([members.size, members.first], [0, undefined])
})

test('what has gone is linked to nothing', () => {
  const members = new Members<Thing>()
  const things = [new Thing(), new Thing(), new Thing()]
  for (const thing of things) members.add(thing)
  const [, middle] = things
  members.delete(middle as Thing)
  assert.equal([middle?.previous, middle?.next], [undefined, undefined])
})

test('whatever comes and goes, it holds what a Set would hold', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { maxLength: 100 }), (steps) => {
      const things = Array.from({ length: 13 }, () => new Thing())
      const members = new Members<Thing>()
      const model = new Set<Thing>()
      for (const step of steps) {
        const thing = things[step] as Thing
        const isThere = model.delete(thing)
        assert.is(members.delete(thing), isThere)
        if (!isThere) {
          members.add(thing)
          model.add(thing)
        }
        assert.ok(members.all().every((each, at) => each === [...model][at]))
        assert.is(members.size, model.size)
      }
    }),
  )
})

test.run()
