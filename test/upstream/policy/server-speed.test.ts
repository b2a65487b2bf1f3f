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

test('a head is slow when others were answered in the second half of its age', () => {
  const speed = new ServerSpeed(settings)
  assert.equal(
    [speed.isPassed(100, 102, 105), speed.isPassed(100, 102.5, 105), speed.isPassed(100, 90, 900)],
    [false, true, false],
  )
})

test('after a pause of the whole server heads have their time once more', () => {
  const speed = new ServerSpeed(settings)
  speed.noteSilence(250, 251, 1000)
  assert.equal([speed.isPassed(750, 1000, 1005), speed.isPassed(750, 1029, 1029)], [false, false])
  assert.is(speed.isPassed(750, 1030, 1031), true)
  assert.is(speed.isPassed(1245, 1248, 1250), true, 'the pause is long gone')
  assert.equal([speed.wasPaused(750, 1100), speed.wasPaused(1050, 1100)], [true, false])
})

test('a quick answer after a silence shows that the server was not the one', () => {
  const speed = new ServerSpeed(settings)
  for (const tookMs of [1, 6]) {
    speed.noteSilence(tookMs, 250, 1000)
    assert.is(speed.isPassed(750, 1000, 1000), true, `${tookMs} ms`)
  }
})

test('a changed setting holds from now on', () => {
  const speed = new ServerSpeed(settings)
  speed.settings = { ...settings, slowAfterMs: 50 }
  assert.is(speed.slowAfterMs, 50)
})

test.run()
