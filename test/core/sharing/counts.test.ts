/** Goal: every number has its own count, whatever comes and goes around it. Method: a Map does the same at random. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Counts } from '../../../src/core/sharing/counts.ts'

const test = suite('core/sharing/counts')

test('what was never counted is 0, and stays so', () => {
  const counts = new Counts()
  assert.is(counts.get(5), 0)
  counts.subtract(5, 1)
  assert.equal([counts.get(5), counts.size], [0, 0])
})

test('several are added and taken away at once, down to 0', () => {
  const counts = new Counts()
  counts.add(7, 2 ** 40)
  counts.subtract(7, 1)
  assert.is(counts.get(7), 2 ** 40 - 1)
  counts.subtract(7, 2 ** 41)
  assert.equal([counts.get(7), counts.size], [0, 0])
})

test('0 and negative numbers are numbers like others', () => {
  const counts = new Counts()
  for (const key of [0, -1, -(2 ** 31), 2 ** 31 - 1]) counts.add(key, 1)
  assert.equal(
    [counts.get(0), counts.get(-1), counts.get(-(2 ** 31)), counts.get(2 ** 31 - 1)],
    [1, 1, 1, 1],
  )
  assert.is(counts.get(1), 0)
})

/** @param spread of the keys: small ones meet at the same places */
function atRandom(spread: number, rounds: number, upShare: (round: number) => number): void {
  const counts = new Counts()
  const model = new Map<number, number>()
  let state = 12_345
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    return (state >>> 8) / 2 ** 24
  }
  for (let round = 0; round < rounds; round++) {
    const key = (Math.floor(random() * spread) * 64) | 0
    const count = model.get(key) ?? 0
    if (random() < upShare(round)) {
      counts.add(key, 1)
      model.set(key, count + 1)
    } else {
      counts.subtract(key, 1)
      if (count <= 1) model.delete(key)
      else model.set(key, count - 1)
    }
    assert.is(counts.get(key), model.get(key) ?? 0)
  }
  for (const [key, count] of model) assert.is(counts.get(key), count)
  assert.is(counts.size, model.size)
}

test('numbers that would stand at one place do not lose each other', () => {
  atRandom(40, 20_000, () => 0.5)
})

test('a flood and its end leave the right counts', () => {
  atRandom(3000, 60_000, (round) => (round < 30_000 ? 0.9 : 0.1))
})

test('after a flood the table is small again', () => {
  const counts = new Counts()
  for (let key = 0; key < 10_000; key++) counts.add(key, 1)
  assert.is(counts.size, 10_000)
  for (let key = 0; key < 10_000; key++) counts.subtract(key, 1)
  assert.equal([counts.size, counts.capacity], [0, 64])
  counts.add(1, 1)
  assert.is(counts.get(1), 1)
})

test.run()
