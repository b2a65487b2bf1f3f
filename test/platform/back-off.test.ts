/** Goal: what failed is asked ever less often, and not by all nodes at once. Method: failures in a row, both ends of the random share. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { backOffMs } from '../../src/platform/back-off.ts'

const test = suite('platform/back-off')

test('it doubles up to a minute', () => {
  const waits = [1, 2, 3, 6, 7, 100, 5000].map((failures) => backOffMs(failures, 1))
  assert.equal(waits, [1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000])
})

test('it is spread over its later half', () => {
  assert.equal([backOffMs(3, 0), backOffMs(3, 0.5), backOffMs(3, 1)], [2000, 3000, 4000])
})

test.run()
