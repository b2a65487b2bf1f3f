/** Goal: a list grows in place, but for an empty one, which may be shared and is never written to. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { append } from '../../../src/core/question/short-list.ts'

const test = suite('core/question/short-list')

test('onto an empty list a new one begins', () => {
  const shared: number[] = []
  const [one, other] = [append(shared, 1), append(shared, 2)]
  assert.equal([one, other, shared], [[1], [2], []])
  assert.is.not(one, other)
})

test('a list that has something goes on as itself', () => {
  const list = [1]
  assert.is(append(list, 2), list)
  assert.equal(append(list, 3), [1, 2, 3])
})

test.run()
