/** Goal: types have their names, and unknown ones their numbers. Method: a few of each. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { typeText } from '../../src/core/type-text.ts'

const test = suite('core/type-text')

test('a known type has its name, another its number', () => {
  assert.equal([1, 28, 65, 4711].map(typeText), ['A', 'AAAA', 'HTTPS', 'TYPE4711'])
})

test.run()
