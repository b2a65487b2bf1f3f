/*
 * Goal: names are told apart by all their bytes, and removed ones do not come back. Method: a table beside a Map, with random
 * names that are put in and taken out.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NameKey, NameTable } from '../../../src/core/cache/name-table.ts'

const test = suite('core/cache/name-table')

const key = new NameKey()

test('numbers are kept under each name', () => {
  const table = new NameTable(2)
  for (let i = 0; i < 1000; i++) {
    const place = table.add(key.read(`\x05n${i}\0`))
    table.set(place, 0, i)
    table.set(place, 1, -i / 2)
  }
  assert.is(table.size, 1000)
  for (let i = 0; i < 1000; i++) {
    const place = table.find(key.read(`\x05n${i}\0`))
    assert.equal([table.get(place, 0), table.get(place, 1)], [i, -i / 2])
  }
  assert.is(table.find(key.read('\x05n1000\0')), -1)
})

test('names differ in their length, and in every byte', () => {
  const names = ['\0', '\x01a\0', '\x01b\0', '\x02aa\0', '\x03aaa\0', '\x04aaaa\0', '\x01a\x01a\0']
  const table = new NameTable(1)
  for (const [i, name] of names.entries()) table.set(table.add(key.read(name)), 0, i)
  for (const [i, name] of names.entries())
    assert.is(table.get(table.find(key.read(name)), 0), i, name)
})

test('a cleared table has none of its names', () => {
  const table = new NameTable(1)
  table.add(key.read('\x01a\0'))
  table.clear()
  assert.equal([table.size, table.used, table.find(key.read('\x01a\0'))], [0, 0, -1])
})

test('whatever is added and removed, it holds what a Map would hold', () => {
  const steps = fc.array(fc.tuple(fc.nat(60), fc.boolean()), { maxLength: 300 })
  fc.assert(
    fc.property(steps, (all) => {
      const table = new NameTable(1)
      const model = new Map<string, number>()
      for (const [at, [number, adds]] of all.entries()) {
        const name = `\x03n${number}\0`
        const place = table.find(key.read(name))
        assert.is(place < 0 ? undefined : table.get(place, 0), model.get(name))
        if (!adds) assert.is(table.remove(key), model.delete(name))
        else if (place < 0) {
          table.set(table.add(key), 0, at)
          model.set(name, at)
        }
        assert.is(table.size, model.size)
      }
    }),
  )
})

test.run()
