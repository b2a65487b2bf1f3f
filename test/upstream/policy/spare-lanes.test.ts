/** Goal: where heads turn old all the time more connections are wanted, and after a burst of them none. Method: rates by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SpareLanes } from '../../../src/upstream/policy/spare-lanes.ts'

const test = suite('upstream/policy/spare-lanes')

/** Heads that turn old at this rate, for three seconds. */
function after(perSecond: number): SpareLanes {
  const spare = new SpareLanes()
  for (let ms = 0; ms < 3000; ms += 1000 / perSecond) spare.note(ms)
  return spare
}

test('none is wanted where no head turns old, or few do', () => {
  assert.is(new SpareLanes().wanted(0, 5, 4), 0)
  assert.is(after(5).wanted(3000, 5, 4), 0)
})

test('eight times as many are wanted as become old until they are found out, within a bound', () => {
  assert.is(after(30).wanted(3000, 5, 4), 2)
  assert.is(after(128).wanted(3000, 5, 8), 7)
  assert.is(after(128).wanted(3000, 5, 4), 4)
  assert.is(after(1000).wanted(3000, 5, 4), 4)
  assert.is(after(10).wanted(3000, 50, 8), 5, 'the server is distant')
})

test('what was is forgotten, and a burst is no rate', () => {
  assert.is(after(300).wanted(5000, 5, 8), 2)
  assert.is(after(300).wanted(7000, 5, 8), 0)
  const spare = new SpareLanes()
  for (let i = 0; i < 8; i++) spare.note(1000)
  assert.is(spare.wanted(1000, 5, 4), 0)
})

test.run()
