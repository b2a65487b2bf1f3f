/** Goal: bucket counts become the histogram that prom-client would have counted. Method: the same random values, counted by both. */

import { Histogram, Registry } from 'prom-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  boundsOf,
  countedSamples,
  histogram,
  histogramSamples,
  LabelCache,
} from '../../../src/observe/families/family.ts'
import { Metrics } from '../../../src/observe/metrics.ts'
import { Random } from '../../fuzz/random.ts'

const test = suite('observe/families/family')

const bounds = [0.25, 1, 2.5, 10]

test('a histogram over bucket counts is what prom-client makes of the same values', async () => {
  const registry = new Registry()
  const about = { name: 'took_seconds', help: 'Time taken.' }
  const theirs = new Histogram({
    ...about,
    buckets: bounds,
    labelNames: ['to'],
    registers: [registry],
  })
  const slots = new Float64Array(2 * (bounds.length + 2))
  const random = new Random(7)
  for (let n = 0; n < 1000; n++) {
    // Quarters: their sums are exact. Every bound is met.
    const [server, value] = [random.below(2), random.below(50) / 4]
    theirs.observe({ to: `10.0.0.${server}` }, value)
    const found = bounds.findIndex((bound) => value <= bound)
    const base = server * (bounds.length + 2)
    const bucket = base + (found < 0 ? bounds.length : found)
    slots[bucket] = (slots[bucket] ?? 0) + 1
    const sum = base + bounds.length + 1
    slots[sum] = (slots[sum] ?? 0) + value
  }
  const metrics = new Metrics()
  metrics.add([
    histogram([about.name, about.help], ['to'], () =>
      [0, 1].flatMap((server) => {
        const base = server * (bounds.length + 2)
        return histogramSamples({ to: `10.0.0.${server}` }, boundsOf(bounds), slots, { base })
      }),
    ),
  ])
  const lines = (text: string) => text.trimEnd().split('\n')
  const ours = lines((await metrics.scrape()).body)
  // prom-client lists label sets in the order of their first value.
  assert.equal(ours.toSorted(), lines(await registry.metrics()).toSorted())
  assert.is(ours.length, 2 + 2 * (bounds.length + 3))
})

test('a histogram without counts has no samples, and its sum is scaled to the unit of the family', () => {
  const slots = Float64Array.of(0, 0, 0, 0, 0, 0)
  assert.equal(histogramSamples({}, boundsOf(bounds), slots), [])
  slots.set([1, 0, 0, 0, 0, 200])
  const samples = histogramSamples({}, boundsOf(bounds), slots, { sumScale: 0.001 })
  assert.is(samples.find(({ suffix }) => suffix === '_sum')?.value, 0.2)
})

test('only positions that have counted have samples, and their labels are made once', () => {
  let made = 0
  const labels = new LabelCache((at) => {
    made++
    return { at: String(at) }
  })
  const slots = Float64Array.of(0, 3, 0, 5)
  const expected = [
    { labels: { at: '1' }, value: 3 },
    { labels: { at: '3' }, value: 5 },
  ]
  assert.equal(countedSamples(slots, labels), expected)
  assert.equal(countedSamples(slots, labels), expected)
  assert.is(made, 2)
})

test.run()
