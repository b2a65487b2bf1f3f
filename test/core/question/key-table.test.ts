/*
 * Goal: a value is found by its key until it is removed. Method: a table beside a Map, with random keys that come and
 * go, and more of them than buckets.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Keyed, KeyTable } from '../../../src/core/question/key-table.ts'

const test = suite('core/question/key-table')

interface Value extends Keyed<Value> {
  readonly key: string
}

/** Few hashes, so that keys share them. */
const hashFor = (key: string) => Number(/\d+/.exec(key)?.[0] ?? 0) % 37
const keyed = (key: string): Value => ({ key, keyHash: hashFor(key), nextInBucket: undefined })
const find = (table: KeyTable<Value>, key: string) => table.get(key, hashFor(key))

test('a table that is empty again finds nothing', () => {
  const table = new KeyTable<Value>()
  const value = keyed('\x01a\0')
  assert.is(find(table, value.key), undefined)
  table.add(value)
  assert.is(find(table, '\x01a\0'), value)
  assert.equal([table.remove(value), table.remove(value)], [true, false])
  assert.equal([find(table, '\x01a\0'), table.size], [undefined, 0])
})

test('another value of the same key is not removed', () => {
  const table = new KeyTable<Value>()
  const [one, other] = [keyed('\x01a\0'), keyed('\x01a\0')]
  table.add(one)
  assert.is(table.remove(other), false)
  assert.is(find(table, '\x01a\0'), one)
})

test('all are found, however many there are', () => {
  const table = new KeyTable<Value>()
  const values = Array.from({ length: 1000 }, (_, i) => keyed(`\x04n${i}\0`))
  for (const value of values) table.add(value)
  for (const value of values) assert.is(find(table, value.key), value)
  assert.equal(new Set(table.all()), new Set(values))
  for (const value of values) assert.ok(table.remove(value))
  assert.equal([table.size, table.all()], [0, []])
})

test('whatever comes and goes, it holds what a Map would hold', () => {
  const keys = fc.array(fc.nat(90), { maxLength: 400 })
  fc.assert(
    fc.property(keys, (all) => {
      const table = new KeyTable<Value>()
      const model = new Map<string, Value>()
      for (const number of all) {
        const value = keyed(`\x03n${number}\0`)
        const known = find(table, value.key)
        assert.is(known, model.get(value.key))
        if (known === undefined) {
          table.add(value)
          model.set(value.key, value)
        } else {
          table.remove(known)
          model.delete(known.key)
        }
        assert.is(table.size, model.size)
      }
    }),
  )
})

test.run()
