/** Goal: each result is a series of its own, with what was counted. Method: a family made of counts that change. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { noResults, resultFamily } from '../../src/local/result-counts.ts'

const test = suite('local/result-counts')

test('a family has a sample for each result, as it is when it is read', () => {
  const counts = noResults()
  const family = resultFamily('neardns_some_total', 'Some.', counts)
  counts.denial += 2
  assert.equal(family.collect(), [
    { labels: { result: 'answer' }, value: 0 },
    { labels: { result: 'denial' }, value: 2 },
    { labels: { result: 'failure' }, value: 0 },
  ])
})

test.run()
