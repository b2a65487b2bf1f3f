/** Goal: what indexes counters counts from 0 without a gap, and no reason stands twice. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dropReasons, ReplySource } from '../../src/core/facts.ts'

const test = suite('core/facts')

test('sources are numbered from 0, each once', () => {
  const numbers = Object.values(ReplySource).toSorted((a, b) => a - b)
  assert.equal(numbers, [...numbers.keys()])
})

test('no reason for a drop stands twice', () => {
  assert.is(new Set(dropReasons).size, dropReasons.length)
})

test.run()
