/** Goal: what a server does with several questions on a connection is learned, believed for a while, and unlearned. Method: given events and times. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Standing, StreamHabits } from '../../../src/upstream/policy/stream-habits.ts'

const test = suite('upstream/policy/stream-habits')

test('a question alone on a new connection is answered by any server, the rest has to be seen', () => {
  const habits = new StreamHabits()
  const all = () =>
    [Standing.fresh, Standing.reused, Standing.behind].map((how) => habits.answers(how))
  assert.equal(all(), [true, false, false])
  habits.noteAnswer(Standing.reused)
  assert.equal(all(), [true, true, false])
  habits.noteAnswer(Standing.behind)
  assert.equal(all(), [true, true, true])
  habits.noteDiscard(Standing.behind, 0)
  assert.equal(all(), [true, false, false])
})

test('a server that drops what is sent behind another gets one at a time, for longer each time', () => {
  const habits = new StreamHabits()
  habits.noteDiscard(Standing.behind, 1000)
  habits.noteDiscard(Standing.behind, 2000)
  assert.equal([habits.servesSingly(10_999), habits.servesOnce(10_999)], [true, false])
  assert.is(habits.servesSingly(11_000), false)
  habits.noteDiscard(Standing.behind, 11_000)
  assert.equal([habits.servesSingly(30_999), habits.servesSingly(31_000)], [true, false])
})

test('it is believed for eleven minutes at most, and for ten seconds again after it has behaved', () => {
  const habits = new StreamHabits()
  let nowMs = 0
  for (let i = 0; i < 12; i++) {
    habits.noteDiscard(Standing.behind, nowMs)
    nowMs += 640_000
  }
  habits.noteDiscard(Standing.behind, nowMs)
  assert.equal(
    [habits.servesSingly(nowMs + 639_999), habits.servesSingly(nowMs + 640_000)],
    [true, false],
  )
  habits.noteAnswer(Standing.behind)
  habits.noteDiscard(Standing.behind, nowMs + 640_000)
  assert.is(habits.servesSingly(nowMs + 650_000), false)
})

test('a server that answers one question a connection gets no second', () => {
  const habits = new StreamHabits()
  habits.noteDiscard(Standing.reused, 1000)
  assert.equal([habits.servesOnce(10_999), habits.servesSingly(10_999)], [true, true])
  assert.is(habits.servesOnce(11_000), false)
  habits.noteDiscard(Standing.fresh, 20_000)
  assert.is(habits.servesOnce(20_000), false, 'a first question may be slow, and says nothing')
})

test('closes with questions open are believed for two seconds, three within a second for ten', () => {
  const habits = new StreamHabits()
  habits.noteLoss(1000)
  assert.equal([habits.servesOnce(2999), habits.servesOnce(3000)], [true, false])
  habits.noteLoss(5000)
  habits.noteLoss(5500)
  habits.noteLoss(6000)
  assert.equal([habits.servesOnce(15_999), habits.servesOnce(16_000)], [true, false])
})

test('two that were dropped by a server which is known to answer such questions count for two seconds', () => {
  const habits = new StreamHabits()
  habits.noteAnswer(Standing.behind)
  habits.suspect(Standing.behind, 1000)
  habits.suspect(Standing.behind, 2000)
  assert.is(habits.servesSingly(2000), false)
  habits.suspect(Standing.behind, 2999)
  assert.equal([habits.servesSingly(4998), habits.servesSingly(4999)], [true, false])
  assert.is(habits.answers(Standing.behind), true)
})

test('who answers out of order is trusted to do so for a minute', () => {
  const habits = new StreamHabits()
  assert.is(habits.isConcurrent(0), false)
  habits.noteConcurrent(1000)
  assert.equal([habits.isConcurrent(60_999), habits.isConcurrent(61_000)], [true, false])
})

test.run()
