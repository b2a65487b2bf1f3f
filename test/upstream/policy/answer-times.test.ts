/** Goal: a distant server is not slow, slow names do not change what is slow, and a slow answer is late at twice its time. Method: given times. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AnswerTimes } from '../../../src/upstream/policy/answer-times.ts'

const test = suite('upstream/policy/answer-times')

test('nearby the setting decides, at a distance the round trip', () => {
  const times = new AnswerTimes()
  assert.is(times.slowAfterMs(5), 5)
  times.note(0.3)
  assert.is(times.slowAfterMs(5), 5)
  const far = new AnswerTimes()
  far.note(30)
  assert.is(far.slowAfterMs(5), 90)
})

test('one slow answer in three does not move the limit, a server that moves away does', () => {
  const times = new AnswerTimes()
  times.note(0.3)
  for (let i = 0; i < 3000; i++) times.note(i % 3 === 0 ? 2000 : 0.3)
  assert.is(times.slowAfterMs(5), 5)
  for (let i = 0; i < 60; i++) times.note(20)
  assert.is(times.slowAfterMs(5), 60)
})

test('while nothing but slow names is asked, the limit stays that of a server within a continent', () => {
  const times = new AnswerTimes()
  times.noteDial(0.2)
  for (let i = 0; i < 60; i++) times.note(3000)
  assert.is(times.slowAfterMs(5), 300)
  const satellite = new AnswerTimes()
  satellite.noteDial(600)
  for (let i = 0; i < 60; i++) satellite.note(620)
  assert.is(satellite.slowAfterMs(5), 1800)
})

test('a slow answer is late at twice the slowest of late, within a quarter of a second and a second', () => {
  const times = new AnswerTimes()
  assert.is(times.lateAfterMs, 1000, 'unknown')
  times.noteSlow(20)
  assert.is(times.lateAfterMs, 250)
  times.noteSlow(300)
  assert.is(times.lateAfterMs, 600)
  times.noteSlow(20)
  assert.ok(times.lateAfterMs > 550)
  times.noteSlow(2000)
  assert.is(times.lateAfterMs, 1000)
})

test.run()
