/** Goal: two dials at once, then two a second at most. Method: given times, each bound at its edge. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DialBudget } from '../../../src/upstream/policy/dial-budget.ts'

const test = suite('upstream/policy/dial-budget')

test('two at once, whatever chance says, and the next after half a second', () => {
  for (const random of [0, 1]) {
    const budget = new DialBudget()
    const takes = (nowMs: number) => budget.take(nowMs, random)
    assert.equal([takes(1000), takes(1000), takes(1000)], [true, true, false])
    assert.is(takes(1000 + (random === 0 ? 299 : 499)), false)
    assert.is(takes(1500), true)
  }
})

test('unused dials are not saved up', () => {
  const budget = new DialBudget()
  const taken = Array.from({ length: 5 }, () => budget.take(1_000_000, 0))
  assert.equal(taken, [true, true, false, false, false])
})

test('an answer allows two more', () => {
  const budget = new DialBudget()
  for (let i = 0; i < 3; i++) budget.take(1000, 1)
  budget.refill()
  assert.equal(
    [budget.take(1000, 1), budget.take(1000, 1), budget.take(1000, 1)],
    [true, true, false],
  )
})

test.run()
