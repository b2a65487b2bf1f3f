/** Goal: what was counted stays counted when the search path is built anew. Method: counts of one after another. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type SearchCounts, SearchTotals } from '../../../src/core/search/totals.ts'

const test = suite('core/search/totals')

const counts = (n: number, fallbacks: Record<string, number> = {}): SearchCounts => ({
  structure: n,
  cut: 2 * n,
  shared: 3 * n,
  probes: 4 * n,
  audits: 5 * n,
  mismatches: 6 * n,
  answered: 7 * n,
  fallbacks,
})

test('counts of search paths that ended are added to those of the present one', () => {
  const totals = new SearchTotals()
  assert.equal(totals.with(counts(1)), counts(1))
  totals.add(counts(1, { type: 1, pinned: 2 }))
  totals.add(counts(10, { pinned: 3 }))
  assert.equal(totals.with(counts(100)), counts(111, { type: 1, pinned: 5 }))
})

test('while there is no search path the counts stay', () => {
  const totals = new SearchTotals()
  totals.add(counts(2))
  totals.add(undefined)
  assert.equal(totals.with(undefined), counts(2))
})

test.run()
