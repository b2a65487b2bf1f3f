/** Goal: the end of a pause of the whole server makes nothing slow, and a quick answer after a silence does. Method: silences and times by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Pauses } from '../../../src/upstream/policy/pauses.ts'

const test = suite('upstream/policy/pauses')

test('without a pause the work on a question begins when it comes', () => {
  const pauses = new Pauses()
  assert.equal([pauses.workedSince(7), pauses.graceMs(7)], [7, 0])
  pauses.note(20, 100, 100)
  assert.equal(
    [pauses.workedSince(7), pauses.graceMs(100)],
    [7, 0],
    'to one asked in the last quarter of the silence',
  )
})

test('what waited during a pause has been worked on since its end', () => {
  const pauses = new Pauses()
  pauses.note(250, 250, 1000)
  assert.equal([pauses.workedSince(750), pauses.workedSince(1003)], [1000, 1003])
})

test('nothing is slow at once after a pause, for as long as the pause was, and within a bound', () => {
  const pauses = new Pauses()
  pauses.note(250, 250, 1000)
  assert.equal([pauses.graceMs(1000), pauses.graceMs(1249), pauses.graceMs(1250)], [30, 30, 0])
  pauses.note(8, 8, 1100)
  assert.equal([pauses.graceMs(1110), pauses.graceMs(1250)], [30, 0], 'shorter ones follow')
  pauses.note(8, 8, 2000)
  assert.equal([pauses.graceMs(2007), pauses.graceMs(2008)], [8, 0])
})

test('answers of slow names that follow each other end no pause, unless they follow one', () => {
  const pauses = new Pauses()
  pauses.note(500, 8, 1000)
  assert.equal([pauses.workedSince(7), pauses.graceMs(1000)], [7, 0])
  pauses.note(24, 8, 2000)
  assert.is(pauses.workedSince(7), 2000)
  pauses.note(250, 250, 3000)
  pauses.note(500, 8, 3249)
  assert.is(pauses.workedSince(7), 3249, 'all that has waited has its time')
  pauses.note(500, 8, 3257)
  assert.is(pauses.workedSince(7), 3249)
})

test('where one pause follows the other what has waited is slow some time after the first of them', () => {
  const pauses = new Pauses()
  assert.is(pauses.slowFrom(7), 67)
  for (const endMs of [100, 140, 180]) pauses.note(30, 30, endMs)
  assert.equal([pauses.slowFrom(7), pauses.slowFrom(120), pauses.slowFrom(190)], [160, 200, 250])
  for (let i = 0; i < 20; i++) pauses.note(30, 30, 1000 + 40 * i)
  assert.is(pauses.slowFrom(7), 1160 + 60, 'as far as is known')
})

test('a question knows for a while that it has waited for the end of a pause', () => {
  const pauses = new Pauses()
  assert.is(pauses.wasWaiting(999, 1000), false)
  pauses.note(600, 700, 1000)
  assert.equal(
    [
      [999, 1000],
      [1001, 1001],
      [999, 1249],
      [999, 1250],
    ].map(([since = 0, now = 0]) => pauses.wasWaiting(since, now)),
    [true, false, true, false],
  )
})

test.run()
