/** Goal: the frequent keys of a stream are found in bounded memory, and no count is too low. Method: streams with known counts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SpaceSaving } from '../../../src/observe/live/space-saving.ts'

const test = suite('observe/live/space-saving')

test('what is frequent is found among ten thousand names that come once', () => {
  const sketch = new SpaceSaving(64)
  for (let i = 0; i < 10_000; i++) {
    sketch.add(`noise ${i}`, 1)
    if (i % 10 === 0) sketch.add('often', 1)
    if (i % 20 === 0) sketch.add('less often', 1)
  }
  const [first, second] = sketch.top(2)
  assert.equal([first?.key, second?.key], ['often', 'less often'])
  for (const [found, real] of [
    [first, 1000],
    [second, 500],
  ] as const) {
    assert.ok((found?.count ?? 0) >= real)
    assert.ok((found?.count ?? 0) - (found?.error ?? 0) <= real)
  }
})

test('a sampled query stands for as many as were left out', () => {
  const sketch = new SpaceSaving(4)
  sketch.add('a', 8)
  assert.is(sketch.top(1)[0]?.count, 8)
})

test('the slowest are those that waited, by their longest time', () => {
  const sketch = new SpaceSaving(4)
  sketch.add('hit', 1)
  sketch.add('slow', 1, 30)
  sketch.add('slow', 1, 10)
  sketch.add('slower', 1, 31)
  assert.equal(
    sketch.slowest(9).map(({ key, maxMs, totalMs, timed }) => [key, maxMs, totalMs / timed]),
    [
      ['slower', 31, 31],
      ['slow', 30, 20],
    ],
  )
})

test('the past counts for less, and is gone in the end', () => {
  const sketch = new SpaceSaving(4)
  sketch.add('old', 1)
  sketch.decay(0.5)
  sketch.add('new', 1)
  assert.equal(
    sketch.top(2).map(({ key, count }) => [key, count]),
    [
      ['new', 1],
      ['old', 0.5],
    ],
  )
  for (let i = 0; i < 5; i++) sketch.decay(0.5)
  assert.equal(
    sketch.top(2).map(({ key }) => key),
    ['new'],
  )
})

test.run()
