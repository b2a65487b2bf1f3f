/*
 * Goal: variables in a Corefile get the values that CoreDNS gives them. Method: small texts; the odd cases follow replaceEnvVars of its parser.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expandEnvironment } from '../../src/corefile/environment.ts'

const test = suite('corefile/environment')
const values: Readonly<Record<string, string>> = {
  A: 'one',
  B: 'two three',
  TO_A: '{$A}',
  SELF: 'x{$SELF}',
  TWICE: '{$TWICE}{$TWICE}',
}
const expand = (text: string) => expandEnvironment(text, (name) => values[name])

test('both ways to write a variable are replaced, everywhere in a word', () => {
  assert.is(expand(':{$A}-{%A%}-{$A}'), ':one-one-one')
  assert.is(expand('no variable'), 'no variable')
})

test('a variable that is not set is empty, and a value stays one word', () => {
  assert.is(expand('[{$NONE}]'), '[]')
  assert.is(expand('{$B}'), 'two three')
})

test('a reference in a value is followed', () => {
  assert.is(expand('{$TO_A}'), 'one')
})

test('a reference without a name, or without an end, stays', () => {
  assert.is(expand('{$}{$A}'), '{$}{$A}')
  assert.is(expand('{$A'), '{$A')
  assert.is(expand('{%%}'), '{%%}')
})

test('a value that refers to itself ends', () => {
  assert.ok(expand('{$SELF}').length < 1000)
  assert.ok(expand('{$TWICE}').length < 1e6)
})

test.run()
