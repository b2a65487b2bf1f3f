/** Goal: one client cannot send more than its share upstream, and a limit that is off costs and remembers nothing. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MissBudget } from '../../../src/core/question/miss-budget.ts'

const test = suite('core/question/miss-budget')

function taken(budget: MissBudget, client: string, count: number, nowMs: number): number {
  let granted = 0
  for (let i = 0; i < count; i++) if (budget.take(client, nowMs)) granted += 1
  return granted
}

test('0 is no limit', () => {
  const budget = new MissBudget({ missesPerClientPerSecond: 0 })
  assert.is(taken(budget, 'a', 10_000, 0), 10_000)
  assert.is(budget.refused, 0)
})

test('a client gets its rate as a burst, then as much as time brings', () => {
  const budget = new MissBudget({ missesPerClientPerSecond: 10 })
  assert.is(taken(budget, 'a', 100, 0), 10)
  assert.is(taken(budget, 'a', 100, 500), 5)
  assert.is(taken(budget, 'a', 100, 60_000), 10)
  assert.is(budget.refused, 275)
})

test('a refused question costs nothing', () => {
  const budget = new MissBudget({ missesPerClientPerSecond: 10 })
  taken(budget, 'a', 10, 0)
  for (let ms = 1; ms < 100; ms++) assert.not(budget.take('a', ms))
  assert.ok(budget.take('a', 100))
})

test('clients have budgets of their own', () => {
  const budget = new MissBudget({ missesPerClientPerSecond: 3 })
  assert.is(taken(budget, 'a', 10, 0), 3)
  assert.is(taken(budget, 'b', 10, 0), 3)
})

test('a lower rate holds at once', () => {
  const budget = new MissBudget({ missesPerClientPerSecond: 100 })
  taken(budget, 'a', 1, 0)
  budget.reconfigure({ missesPerClientPerSecond: 2 })
  assert.is(taken(budget, 'a', 100, 0), 2)
})

test('a hundred thousand addresses leave some thousands in memory, and the limit still holds', () => {
  const budget = new MissBudget({ missesPerClientPerSecond: 1 })
  for (let i = 0; i < 100_000; i++) assert.ok(budget.take(`client ${i}`, 0))
  assert.not(budget.take('client 99999', 0))
})

test('a client that goes on asking is not forgotten for others, and so gets no fresh bucket', () => {
  const budget = new MissBudget({ missesPerClientPerSecond: 1 })
  assert.ok(budget.take('busy', 0))
  for (let i = 0; i < 20_000; i++) {
    budget.take(`client ${i}`, 0)
    if (i % 1000 === 0) assert.not(budget.take('busy', 0))
  }
})

test.run()
