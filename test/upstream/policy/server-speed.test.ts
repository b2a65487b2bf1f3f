/** Goal: names are judged by the server's own pace, and what took long while it answered nobody tells nothing. Method: given answers. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ServerSpeed } from '../../../src/upstream/policy/server-speed.ts'
import { askFor } from '../support.ts'

const test = suite('upstream/policy/server-speed')
const settings = { slowAfterMs: 5, slowNamesMax: 64 }
const question = askFor('www.example')

test('an answer apart is slow or quick by itself', () => {
  const speed = new ServerSpeed(settings)
  speed.noteApart(question, 4.9)
  assert.is(speed.expectsSlow(question), false)
  speed.noteApart(question, 5)
  assert.is(speed.expectsSlow(question), true)
  assert.is(speed.lateAfterMs, 250)
})

test('at a distance more is quick', () => {
  const speed = new ServerSpeed(settings)
  speed.noteRoundTrip(30)
  assert.is(speed.slowAfterMs, 90)
  speed.noteApart(question, 80)
  assert.is(speed.expectsSlow(question), false)
})

test('a long time marks a name only while the server answers others', () => {
  const speed = new ServerSpeed(settings)
  speed.noteAnswer(question, 900, false)
  assert.equal([speed.expectsSlow(question), speed.lateAfterMs], [false, 1000])
  speed.noteSlow(question)
  speed.noteAnswer(question, 100, true)
  assert.equal([speed.expectsSlow(question), speed.lateAfterMs], [true, 250])
})

test('a changed setting holds from now on', () => {
  const speed = new ServerSpeed(settings)
  speed.settings = { ...settings, slowAfterMs: 50 }
  assert.is(speed.slowAfterMs, 50)
})

test.run()
