/*
 * Goal: hedges and retries stay a share of the questions, with room for a burst. Method: questions and spendings at times
 * that the test sets.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RetryBudget } from '../../../src/upstream/policy/retry-budget.ts'

const test = suite('upstream/policy/retry-budget')

/** Spends `cost` after each of `count` questions, `everyMs` apart. @returns how often the budget covered it */
function spendAfterEach(
  budget: RetryBudget,
  load: { count: number; everyMs: number; cost: number; fromMs?: number },
): number {
  let covered = 0
  for (let i = 1; i <= load.count; i++) {
    const nowMs = (load.fromMs ?? 0) + i * load.everyMs
    budget.earn(nowMs)
    if (budget.spend(nowMs, load.cost)) covered++
  }
  return covered
}

test('a quiet group may spend its burst, and no more', () => {
  const budget = new RetryBudget(20, 10)
  let covered = 0
  while (budget.spend(0, 1)) covered++
  assert.is(covered, 10)
})

test('in the long run a fifth of the questions may be asked again', () => {
  const budget = new RetryBudget(20, 10)
  spendAfterEach(budget, { count: 10_000, everyMs: 5, cost: 1 })
  const covered = spendAfterEach(budget, { count: 10_000, everyMs: 5, cost: 1, fromMs: 50_000 })
  assert.ok(covered > 1900 && covered <= 2100, `${covered}`)
})

test('a dearer retry stays rarer', () => {
  const budget = new RetryBudget(20, 10)
  const covered = spendAfterEach(budget, { count: 10_000, everyMs: 5, cost: 3 })
  assert.ok(covered > 500 && covered < 720, `${covered}`)
})

test('what was saved in calm pays for a storm, but fades', () => {
  const soon = new RetryBudget(20, 10)
  const late = new RetryBudget(20, 10)
  for (const budget of [soon, late]) for (let i = 1; i <= 5000; i++) budget.earn(i * 5)
  const countFrom = (budget: RetryBudget, nowMs: number) => {
    let covered = 0
    while (budget.spend(nowMs, 1)) covered++
    return covered
  }
  assert.ok(countFrom(soon, 25_000) > 300)
  assert.ok(countFrom(late, 25_000 + 60_000) <= 11)
})

test('the burst comes back with time', () => {
  const budget = new RetryBudget(0, 10)
  while (budget.spend(0, 1));
  assert.not.ok(budget.spend(10, 1))
  assert.ok(budget.spend(3000, 1))
})

test('what is refused costs nothing, and a refund can be spent again', () => {
  const budget = new RetryBudget(0, 2)
  assert.not.ok(budget.spend(0, 3))
  assert.ok(budget.spend(0, 2))
  assert.not.ok(budget.spend(0, 1))
  budget.refund(1)
  assert.ok(budget.spend(0, 1))
})

test('a clock that stands still or steps back does no harm', () => {
  const budget = new RetryBudget(20, 1)
  assert.ok(budget.spend(1000, 1))
  assert.not.ok(budget.spend(500, 1))
  assert.not.ok(budget.spend(1000, 1))
})

test('a new percentage applies to the next question', () => {
  const budget = new RetryBudget(0, 0)
  budget.earn(0)
  assert.not.ok(budget.spend(0, 1))
  budget.setPercent(100)
  budget.earn(0)
  assert.ok(budget.spend(0, 1))
})

test('a client spends what it has earned, and owes half of the burst at most', () => {
  const budget = new RetryBudget(20, 10)
  for (let i = 0; i < 50; i++) budget.earn(0, 'greedy')
  let covered = 0
  while (budget.spend(0, 1, 'greedy')) covered++
  assert.is(covered, 15)
  assert.ok(budget.spend(0, 1, 'modest'), 'who never asked before has its own half of what is left')
})

test('what others have earned is lent like the burst', () => {
  const budget = new RetryBudget(25, 0)
  for (let i = 0; i < 40; i++) budget.earn(0, 'modest')
  let covered = 0
  while (budget.spend(0, 1, 'greedy')) covered++
  assert.is(covered, 5)
  for (let i = 0; i < 5; i++) assert.ok(budget.spend(0, 1, 'modest'))
  assert.not.ok(budget.spend(0, 1, 'modest'))
})

test('a debt fades, and a refund lessens it', () => {
  const budget = new RetryBudget(0, 10)
  while (budget.spend(0, 1, 'greedy'));
  budget.refund(1, 'greedy')
  assert.ok(budget.spend(0, 1, 'greedy'))
  assert.not.ok(budget.spend(0, 1, 'greedy'))
  assert.ok(budget.spend(10_000, 1, 'greedy'))
})

test('ten thousand clients leave no more accounts than allowed', () => {
  const budget = new RetryBudget(20, 10)
  for (let i = 0; i < 10_000; i++) budget.earn(i, `client ${i}`)
  assert.ok(budget.clients <= 4096, `${budget.clients}`)
})

test.run()
