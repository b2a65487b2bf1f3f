/** Goal: parts of the comparison are kept beside each other, each with its build. Method: results made by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isSameMachine, merged } from '../../bench/comparison/merge.ts'
import {
  type ComparisonResult,
  measuredIn,
  type ScenarioResult,
} from '../../bench/comparison/summary.ts'
import { comparisonText } from '../../bench/report/comparison.ts'

const test = suite('bench/merge')

type Name = ScenarioResult['name']

function result(commit: string, names: readonly Name[], isNoted = true): ComparisonResult {
  const of = {
    ...{ date: '2026-11-30T18:00:00Z', command: 'npm run bench', isQuick: false },
    machine: { cpu: 'a CPU', cpus: 2, memoryMiB: 1, kernel: '6', loadAtStart: 0.1 },
    versions: { commit, isModified: false, node: 'v26' },
    ...{ rounds: 5, secondsPerRun: 2, contestants: [], missing: [] },
  }
  const rest = { about: 'names', summaries: [], absent: [], idleRssBytes: {}, runs: [] }
  const note = isNoted ? { measured: measuredIn(of) } : {}
  const scenarios = names.map((name) => ({ name, ...rest, ...note }))
  return { ...of, scenarios, firstAnswers: [] }
}

const buildsOf = ({ scenarios }: ComparisonResult) =>
  scenarios.map(({ name, measured }) => [name, measured?.commit])

test('a part takes the place of its scenarios, the others stay with their build', () => {
  const kept = result('old', ['hit-1k', 'miss', 'memory'])
  assert.equal(buildsOf(merged(kept, result('new', ['miss', 'mixed']))), [
    ['hit-1k', 'old'],
    ['miss', 'new'],
    ['mixed', 'new'],
    ['memory', 'old'],
  ])
})

test('what was kept before there were parts gets the build of its file', () => {
  const kept = result('old', ['hit-1k', 'miss'], false)
  const both = merged(kept, result('new', ['miss']))
  assert.equal(buildsOf(both), [
    ['hit-1k', 'old'],
    ['miss', 'new'],
  ])
  assert.is(both.firstAnswersMeasured?.commit, 'old')
})

test('first answers of a part replace those that were kept', () => {
  const firstAnswers = [{ contestant: 'neardns', medianMs: 1, maxMs: 1, starts: 5 }]
  const part = { ...result('new', []), firstAnswers }
  const both = merged(result('old', ['miss']), { ...part, firstAnswersMeasured: measuredIn(part) })
  assert.equal(both.firstAnswers, firstAnswers)
  assert.is(both.firstAnswersMeasured?.commit, 'new')
})

test('figures of different machines are not kept in one file', () => {
  const here = result('a', [])
  assert.ok(isSameMachine(here, result('b', ['miss'])))
  assert.not.ok(isSameMachine(here, { ...here, machine: { ...here.machine, cpu: 'another' } }))
  assert.not.ok(isSameMachine(here, { ...here, versions: { ...here.versions, node: 'v27' } }))
})

test('the page says of which build each part is', () => {
  const both = merged(result('old', ['hit-1k']), result('new', ['miss']))
  const text = comparisonText(both, []).join('\n')
  assert.match(text, /### Cache hits, 1,000 names\n\nNames\. Medians of 5 runs.*commit old,/)
  assert.match(text, /### Misses over TCP\n\nNames\. Medians of 5 runs.*commit new,/)
})

test.run()
