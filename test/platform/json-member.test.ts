/** Goal: JSON of any shape is read without a throw, and only what it says itself. Method: values of each kind. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { member, textOf } from '../../src/platform/json-member.ts'

const test = suite('platform/json-member')

test('a member is read, whatever it is; what is not there is undefined', () => {
  assert.equal([member({ a: 1 }, 'a'), member({ a: null }, 'a')], [1, null])
  for (const value of [undefined, null, 1, 'text', {}, []]) assert.is(member(value, 'a'), undefined)
})

test('what every object has is no member', () => {
  for (const key of ['constructor', 'toString', '__proto__']) assert.is(member({}, key), undefined)
})

test('what is no text is empty', () => {
  const values = [{ a: 'text' }, { a: 1 }, { a: null }, {}, 'a']
  assert.equal(
    values.map((value) => textOf(value, 'a')),
    ['text', '', '', '', ''],
  )
})

test.run()
