// Goal: a paragraph becomes lines that fit the terminal. Method: texts against lines.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { wrap } from '../../../src/cli/command-line/wrap.ts'

const test = suite('cli/command-line/wrap')

test('lines break between words and never exceed the width', () => {
  assert.is(wrap('one two three four', 9), 'one two\nthree\nfour\n')
  assert.is(wrap('one two three four', 9, '  '), '  one two\n  three\n  four\n')
})

test('a longer word keeps a line for itself', () => {
  assert.is(wrap('a 169.254.20.10:53 b', 6), 'a\n169.254.20.10:53\nb\n')
})

test.run()
