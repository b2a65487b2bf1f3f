/*
 * Goal: a LatestMap is a Map, but for what was set longest ago. Method: random operations beside a plain Map that forgets nothing.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LatestMap } from '../../../src/core/cache/latest-map.ts'

const test = suite('core/cache/latest-map')

const entriesMax = 10
type Operation = readonly [what: 'set' | 'delete', key: string]
const operation = fc.tuple(
  fc.constantFrom('set' as const, 'set' as const, 'set' as const, 'delete' as const),
  fc.nat(30).map((number) => `key ${number}`),
)

/** @returns a Map that forgets nothing: its keys are in the order in which they were set */
function play(operations: readonly Operation[], map: LatestMap<number>): Map<string, number> {
  const all = new Map<string, number>()
  for (const [at, [what, key]] of operations.entries()) {
    const wasThere = all.delete(key)
    if (what === 'delete') assert.ok(wasThere || !map.delete(key))
    if (what === 'delete') map.delete(key)
    else map.set(key, at)
    if (what === 'set') all.set(key, at)
    assert.ok(map.size <= entriesMax)
  }
  return all
}

test('it never holds more than it may, and no value but the last one set', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
      const map = new LatestMap<number>(entriesMax)
      const all = play(operations, map)
      const held = [...map.all()]
      assert.is(held.length, map.size)
      for (const [key, value] of held) assert.is(value, all.get(key))
      for (const key of all.keys()) assert.is(map.has(key), map.get(key) !== undefined)
    }),
    { numRuns: 500 },
  )
})

test('the latest half is always there', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
      const map = new LatestMap<number>(entriesMax)
      const sets = operations.filter(([what]) => what === 'set')
      const all = play(sets, map)
      for (const [key, value] of [...all].slice(-entriesMax / 2)) assert.is(map.get(key), value)
    }),
    { numRuns: 500 },
  )
})

test('after clear it is empty', () => {
  const map = new LatestMap<number>(4)
  for (let i = 0; i < 10; i++) map.set(`key ${i}`, i)
  assert.ok(map.size > 0)
  map.clear()
  assert.is(map.size, 0)
  assert.is(map.get('key 9'), undefined)
})

test('300,000 keys pass through in little time', () => {
  // With one Map whose first key is taken out each time it was minutes.
  const map = new LatestMap<number>(20_000)
  const startMs = performance.now()
  for (let i = 0; i < 300_000; i++) map.set(`key ${i}`, i)
  assert.ok(performance.now() - startMs < 10_000)
  assert.is(map.get('key 299999'), 299_999)
})

test.run()
