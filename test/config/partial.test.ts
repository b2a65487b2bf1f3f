/** Goal: a look into a configuration that is wrong in parts finds what is right, and never throws. Method: paths into values of every kind. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { at, items } from '../../src/config/partial.ts'

const test = suite('config/partial')

const config: unknown = {
  listen: ['a', null, 7],
  cache: { entriesMax: 0, enabled: false },
  zones: [{ name: 'x' }],
  word: 'text',
}

test('a value is found, false and 0 too', () => {
  assert.equal(
    [at(config, ['cache', 'entriesMax']), at(config, ['cache', 'enabled']), at(config, [])],
    [0, false, config],
  )
  assert.is(at(config, ['zones', 0, 'name']), 'x')
})

test('nothing is found behind what is not there, or of another kind, or only inherited', () => {
  for (const path of [
    ['missing', 'deeper'],
    ['word', 'length'],
    ['word', 0],
    ['listen', 'length', 'x'],
    ['listen', 1, 'x'],
    ['zones', 5, 'name'],
    ['cache', 'constructor'],
    ['cache', '__proto__', 'toString'],
    ['zones', 0, 'hasOwnProperty'],
  ]) {
    assert.is(at(config, path), undefined, path.join('.'))
  }
  for (const value of [undefined, null, 7, 'text']) assert.is(at(value, ['a']), undefined)
})

test('entries of a list come with their paths, whatever they are; what is no list has none', () => {
  assert.equal(items(config, ['listen']), [
    { path: ['listen', 0], value: 'a' },
    { path: ['listen', 1], value: null },
    { path: ['listen', 2], value: 7 },
  ])
  for (const path of [['word'], ['cache'], ['missing']]) assert.equal(items(config, path), [])
})

test.run()
