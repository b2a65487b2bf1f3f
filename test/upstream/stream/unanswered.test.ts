/*
 * Goal: a connection's questions are found by their IDs until they are answered, and those given up are told apart. Method: a few
 * attempts that nobody sends.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Attempt } from '../../../src/upstream/attempt.ts'
import { Unanswered } from '../../../src/upstream/stream/unanswered.ts'

const test = suite('upstream/stream/unanswered')

function attempts(...isDone: boolean[]): Attempt[] {
  return isDone.map((each, at) => ({ id: 100 + at, isDone: each }) as Attempt)
}

function holding(all: readonly Attempt[]): Unanswered {
  const open = new Unanswered()
  for (const attempt of all) open.add(attempt)
  return open
}

test('each is found by its ID', () => {
  const all = attempts(false, true, false)
  const open = holding(all)
  for (const attempt of all) assert.is(open.withId(attempt.id), attempt)
  assert.is(open.withId(99), undefined)
})

test('one is awaited as long as not all are done', () => {
  assert.is(holding(attempts(true, true, false)).isAnyAwaited, true)
  assert.is(holding(attempts(true, true)).isAnyAwaited, false)
  assert.is(new Unanswered().isAnyAwaited, false)
})

test('whoever takes all out gets those that are awaited', () => {
  const all = attempts(false, true, false)
  const open = holding(all)
  assert.is(open.clear().length, 2)
  assert.equal([open.size, open.first], [0, undefined])
})

test.run()
