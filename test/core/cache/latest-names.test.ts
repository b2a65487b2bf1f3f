/*
 * Goal: the table holds at most so many names and always the latest half of them. Method: beside a LatestMap, which it stands in
 * for, with random names.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LatestMap } from '../../../src/core/cache/latest-map.ts'
import { LatestNames } from '../../../src/core/cache/latest-names.ts'

const test = suite('core/cache/latest-names')

const numbers = new Float64Array(2)

function read(names: LatestNames, name: string): number[] | undefined {
  return names.read(name, numbers) ? [...numbers] : undefined
}

test('a name that is written again has its new numbers, once', () => {
  const names = new LatestNames(10, 2)
  names.write('\x01a\0', Float64Array.of(1, 2))
  names.write('\x01a\0', Float64Array.of(3, 4))
  assert.equal(read(names, '\x01a\0'), [3, 4])
  assert.is(names.size, 1)
})

test('a name that was not written is not there, and one that was deleted is not either', () => {
  const names = new LatestNames(10, 2)
  assert.is(read(names, '\x01a\0'), undefined)
  names.write('\x01a\0', Float64Array.of(1, 2))
  assert.equal([names.delete('\x01a\0'), names.delete('\x01a\0')], [true, false])
  assert.is(read(names, '\x01a\0'), undefined)
})

test('nothing is left when it is cleared', () => {
  const names = new LatestNames(4, 2)
  for (let i = 0; i < 4; i++) names.write(`\x01${i}\0`, Float64Array.of(i, i))
  names.clear()
  assert.is(names.size, 0)
})

test('without deletions it holds what a LatestMap holds, and with them the latest of that', () => {
  const steps = fc.array(
    fc.tuple(fc.nat(40), fc.constantFrom('write', 'write', 'read', 'delete')),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(steps, fc.boolean(), (all, deletes) => {
      const names = new LatestNames(10, 2)
      const model = new LatestMap<number[]>(10)
      for (const [at, [number, what]] of all.entries()) {
        const name = `\x02n${number}\0`
        if (what === 'write') {
          names.write(name, Float64Array.of(at, number))
          model.set(name, [at, number])
          assert.equal(read(names, name), [at, number])
        } else if (what === 'delete' && deletes) {
          assert.is(names.delete(name) && !model.has(name), false)
          model.delete(name)
          assert.is(read(names, name), undefined)
        }
        const found = read(names, name)
        if (found !== undefined || !deletes) assert.equal(found, model.get(name))
        assert.ok(names.size <= 10)
      }
    }),
  )
})

test.run()
