/** Goal: a regression is called one, noise is not. Method: made-up runs of both sides. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { summed } from '../../bench/micro/compare.ts'
import type { OneRun } from '../../bench/micro/one-run.ts'

const test = suite('bench/compare')

function runOf(times: Readonly<Record<string, number>>): OneRun {
  const rest = { nsPerOp: 0, p99NsPerOp: 0, bytesPerOp: 0, samples: 1, isAboveBar: false }
  const results = Object.entries(times).map(([name, ns]) => ({ name, quietNsPerOp: ns, ...rest }))
  return { results, failed: [] }
}

const verdicts = (base: readonly number[], branch: readonly number[]) =>
  summed(
    base.map((ns) => runOf({ key: ns })),
    branch.map((ns) => runOf({ key: ns })),
  ).comparisons.map(({ verdict }) => verdict)

test('a tenth more in each pair is slower, a tenth less is faster', () => {
  assert.equal(verdicts([100, 120, 90, 110], [110, 132, 99, 121]), ['slower'])
  assert.equal(verdicts([100, 120, 90, 110], [90, 108, 81, 99]), ['faster'])
})

test('a difference that the pairs do not agree on is none', () => {
  assert.equal(verdicts([100, 120, 90, 110], [130, 90, 110, 100]), ['no difference shown'])
})

test('what only one side has is named and not compared', () => {
  const { comparisons, notes } = summed([runOf({ key: 1 })], [runOf({ key: 1, age: 2 })])
  assert.equal(
    comparisons.map(({ name }) => name),
    ['key'],
  )
  assert.equal(notes, ['on one side only: age'])
})

test.run()
