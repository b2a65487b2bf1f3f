/*
 * Goal: a few retries find out whether they help, whoever has the same reply meanwhile does what they saw, and a storm of failures is not
 * doubled (RFC 9520 3.1). Method: turns taken and ended by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Retries } from '../../../src/upstream/policy/plain-retries.ts'

const test = suite('upstream/policy/plain-retries')

const startMs = 1_000_000

function waiter(retries: Retries): { readonly seen: string[]; onRetriesKnown(): void } {
  const seen: string[] = []
  return {
    seen,
    onRetriesKnown() {
      const turn = retries.take(startMs)
      seen.push(turn)
      if (turn === 'wait') retries.join(this)
    },
  }
}

const take = (retries: Retries, count: number, nowMs = startMs) =>
  Array.from({ length: count }, () => retries.take(nowMs))

test('three are under way at a time, and the fourth waits', () => {
  assert.equal(take(new Retries(3), 4), ['now', 'now', 'now', 'wait'])
})

test('when one has helped all who wait may go, and everybody until one is in vain', () => {
  const retries = new Retries(3)
  take(retries, 3)
  const waiters = Array.from({ length: 5 }, () => waiter(retries))
  for (const one of waiters) retries.join(one)
  retries.end(true, startMs)
  assert.equal(
    waiters.flatMap(({ seen }) => seen),
    ['now', 'now', 'now', 'now', 'now'],
  )
  assert.equal(take(retries, 4), ['now', 'now', 'now', 'now'])
  retries.end(false, startMs)
  assert.equal(take(retries, 1), ['wait'])
})

test('three in vain are the last for a minute, and who waits is told so', () => {
  const retries = new Retries(3)
  take(retries, 3)
  const one = waiter(retries)
  retries.join(one)
  for (let i = 0; i < 3; i++) retries.end(false, startMs)
  assert.equal(one.seen, ['wait', 'wait', 'never'])
  assert.equal(take(retries, 1, startMs + 59_999), ['never'])
  assert.equal(take(retries, 1, startMs + 60_000), ['now'])
})

test('who has left is not told, and what was in vain may be forgotten', () => {
  const retries = new Retries(1)
  take(retries, 1)
  const [one, other] = [waiter(retries), waiter(retries)]
  retries.join(one)
  retries.join(other)
  retries.leave(one)
  retries.end(false, startMs)
  assert.equal([one.seen, other.seen], [[], ['never']])
  retries.reset()
  assert.equal(take(retries, 1), ['now'])
})

test.run()
