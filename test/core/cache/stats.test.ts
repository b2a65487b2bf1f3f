/** Goal: the cache's numbers are those of its store as they are now, each under its own name. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CacheStats } from '../../../src/core/cache/stats.ts'

const test = suite('core/cache/stats')

test('each number is read off the store when it is asked for', () => {
  const present = { success: 1, denial: 2 }
  const evicted = { success: 3, denial: 4 }
  const stats = new CacheStats({ present, evicted })
  const { entriesSuccess, entriesDenial, evictionsSuccess, evictionsDenial } = stats
  assert.equal([entriesSuccess, entriesDenial, evictionsSuccess, evictionsDenial], [1, 2, 3, 4])
  present.success = 10
  evicted.denial = 40
  assert.equal([stats.entriesSuccess, stats.evictionsDenial], [10, 40])
  assert.equal([stats.prefetches, stats.refused, stats.passedOver], [0, 0, 0])
})

test.run()
