/** Goal: medians and percentiles are what they are called. Method: small hand-made samples. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  geometricMean,
  growthShare,
  median,
  percentile,
  significant,
} from '../../bench/support/statistics.ts'

const test = suite('bench/statistics')

test('the median of an even count is the mean of the two in the middle', () => {
  assert.is(median([9, 1, 5]), 5)
  assert.is(median([1, 2, 3, 10]), 2.5)
  assert.equal(median([]), Number.NaN)
})

test('a percentile is a value of the sample that no smaller share reaches', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  assert.is(percentile(hundred, 0.5), 50)
  assert.is(percentile(hundred, 0.99), 99)
  assert.is(percentile(hundred, 0.999), 100)
  assert.is(percentile([3], 0), 3)
  assert.equal(percentile([], 0.5), Number.NaN)
})

test('figures are kept to four digits', () => {
  assert.is(significant(123.456), 123.5)
  assert.is(significant(0.000123456), 0.0001235)
})

test('ratios have a mean and an interval that more pairs narrow', () => {
  const { mean, low, high } = geometricMean([1.1, 1.0, 1.2, 1.1, 1.0, 1.2])
  assert.ok(Math.abs(mean - 1.097) < 0.001, String(mean))
  // By hand: logarithms' standard deviation 0.0816, t(5) = 2.571.
  assert.ok(Math.abs(low - 1.007) < 0.002 && Math.abs(high - 1.195) < 0.002, `${low} ${high}`)
  const same = geometricMean([2, 2, 2, 2])
  assert.ok([same.low, same.mean, same.high].every((value) => Math.abs(value - 2) < 1e-9))
})

test('growth is that of a straight line, as a share of the mean', () => {
  assert.ok(
    Math.abs(
      growthShare([
        [0, 9],
        [1, 10],
        [2, 11],
      ]) - 0.2,
    ) < 1e-9,
  )
  assert.ok(
    Math.abs(
      growthShare([
        [0, 5],
        [1, 7],
        [2, 5],
      ]),
    ) < 1e-9,
  )
})

test.run()
