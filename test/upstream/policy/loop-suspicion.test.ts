/** Goal: a group is suspected of a loop for a minute after each reason. Method: times by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LoopSuspicion } from '../../../src/upstream/policy/loop-suspicion.ts'

const test = suite('upstream/policy/loop-suspicion')

test('nobody is suspected without a reason, and for a minute with each', () => {
  const loops = new LoopSuspicion()
  assert.is(loops.isOpen(1_000_000), false)
  loops.note(1_000_000)
  assert.equal([loops.isOpen(1_059_999), loops.isOpen(1_060_000)], [true, false])
  loops.note(1_050_000)
  assert.is(loops.isOpen(1_109_999), true)
})

test.run()
