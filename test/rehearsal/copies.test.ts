// Goal: a packet counts once however many links it passes, and a repeated one counts again. Method: places and times by hand.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Copies } from '../../src/rehearsal/copies.ts'

const test = suite('rehearsal/copies')

test('the same bytes at other places within a second are copies', () => {
  const copies = new Copies()
  const seen = [1, 2, 3].map((place, i) => copies.isNew('a', place, 1000 + i))
  assert.equal([seen, copies.copies], [[true, false, false], 2])
})

test('the same bytes at the same place are a packet that was sent again, and its copies are copies again', () => {
  const copies = new Copies()
  const places = [1, 2, 1, 2, 1, 2]
  assert.equal(
    places.map((place, i) => copies.isNew('a', place, 1000 + i)),
    [true, false, true, false, true, false],
  )
})

test('after a second it is no copy, at whatever place', () => {
  const copies = new Copies()
  assert.is(copies.isNew('a', 1, 1000), true)
  assert.is(copies.isNew('a', 2, 2000), true)
})

test('a copy is known across the turn of generations', () => {
  const copies = new Copies()
  copies.isNew('other', 1, 0)
  assert.is(copies.isNew('a', 1, 999), true)
  assert.is(copies.isNew('a', 2, 1001), false)
  assert.is(copies.isNew('b', 1, 1002), true)
})

test.run()
