/**
 * Goal: a run that says nothing about the server does not count, medians are taken over those that do, and verdicts say
 * what was measured. Method: made-up readings.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { judged, type Run } from '../../bench/comparison/contest.ts'
import type { Load } from '../../bench/comparison/loads.ts'
import {
  type ComparisonResult,
  isUsable,
  ratioSpread,
  summarise,
} from '../../bench/comparison/summary.ts'
import { comparisonBars } from '../../bench/report/bars.ts'
import { comparisonText, scenarioText } from '../../bench/report/comparison.ts'
import type { LoadReport } from '../../bench/support/load.ts'

const test = suite('bench/contest')

const reading = (userUs: number, systemUs: number) => ({
  ...{ cpuUs: userUs + systemUs, userUs, systemUs },
  rssBytes: 1_000_000,
})

interface Change {
  readonly contestant?: string
  readonly load?: Load
  readonly userUs?: number
  readonly report?: Partial<LoadReport>
}

function run({ contestant = 'neardns', load = 'most', userUs = 20_000, report }: Change): Run {
  const { sent = 10_000, lost = 0 } = report ?? {}
  const latencies = { p50Us: 40, p99Us: 100, p999Us: 400, maxUs: 900, lateP99Us: 5, lateMaxUs: 50 }
  const counts = {
    sent,
    lost,
    received: sent - lost,
    wrong: 0,
    servfail: 0,
    slow: 0,
    sendErrors: 0,
  }
  const rest = { seconds: 2, queriesPerSecond: sent / 2, cpuUs: 0, nextUnique: 0, examples: [] }
  return judged(
    { contestant, round: 1, load },
    { ...counts, ...rest, ...latencies, ...report },
    { before: reading(0, 0), after: reading(userUs, 30_000) },
  )
}

const invalid = (report: Partial<LoadReport>, load?: Load) =>
  run({ report, ...(load !== undefined && { load }) }).invalid

test('CPU is counted for each answered query', () => {
  const { cpuUsPerQuery, userUsPerQuery, systemUsPerQuery, cpuShare } = run({})
  assert.equal([cpuUsPerQuery, userUsPerQuery, systemUsPerQuery, cpuShare], [5, 2, 3, 0.025])
  assert.equal(run({}).invalid, [])
})

test('a run that lost more than one in a thousand does not count', () => {
  assert.equal(invalid({ lost: 10 }), [])
  assert.equal(invalid({ lost: 11 }), ['11 of 10000 lost'])
})

test('a run with failures does not count: refusing is cheap', () => {
  assert.equal(invalid({ servfail: 11 }), ['11 of 10000 failed'])
})

test('one wrong answer is enough, and the run keeps the example', () => {
  assert.equal(invalid({ wrong: 1, examples: ['query 00'] }), ['1 of 10000 wrong', 'query 00'])
})

test('a run whose load generator fell behind does not count', () => {
  assert.equal(invalid({}, 5000), [])
  assert.equal(invalid({}, 5100), ['the generator sent 5000 q/s'])
  assert.equal(invalid({ lateP99Us: 2500 }, 5000), ['the generator was 2500 us late'])
  assert.equal(invalid({ lateP99Us: 2500 }), [])
})

test('a page says how many runs the calm gate has repeated', () => {
  const machine = { cpu: 'a CPU', cpus: 2, memoryMiB: 1, kernel: '6', loadAtStart: 0 }
  const result = {
    ...{
      machine,
      date: '2026-11-30',
      versions: { commit: 'abc', node: 'v26' },
      contestants: [],
      missing: [],
      scenarios: [],
      firstAnswers: [],
    },
    ...{ rounds: 5, secondsPerRun: 2, calm: { gapUsMax: 2000, repeats: 7 } },
  } as unknown as ComparisonResult
  assert.match(
    comparisonText(result, [])[0] ?? '',
    /more than 2 ms at a time was repeated \(7 times\)/,
  )
})

test('medians are over the runs that count, and a row without enough of them means nothing', () => {
  const bad = { report: { lost: 5000 } }
  const [row] = summarise([run({ userUs: 10_000 }), run({ userUs: 30_000 }), run(bad)], ['neardns'])
  assert.is(row?.userUsPerQuery, 2)
  assert.is(row?.invalidRuns, 1)
  assert.ok(row && isUsable(row))
  const [half] = summarise([run({}), run(bad)], ['neardns'])
  assert.not.ok(half && isUsable(half))
})

test('ratios are to each peer under the same load', () => {
  const runs = [run({}), run({ contestant: 'coredns', userUs: 70_000 })]
  const summaries = summarise(runs, ['neardns', 'coredns'])
  const rest = { about: 'hits', absent: [], idleRssBytes: {}, runs }
  const lines = scenarioText({ name: 'hit-1k', summaries, ...rest }).split('\n')
  const ratioOf = (server: string) =>
    lines.find((line) => line.startsWith(`| ${server} `))?.split('|')[6]
  assert.equal([ratioOf('neardns')?.trim(), ratioOf('coredns')?.trim()], ['', '0.50 x (0.50-0.50)'])
})

test('a ratio is that of two runs of one round, with its spread', () => {
  const inRound = (round: number, userUs: number, contestant = 'neardns') => ({
    ...run({ contestant, userUs }),
    round,
  })
  const runs = [
    ...[inRound(1, 30_000), inRound(2, 20_000), inRound(3, 10_000), inRound(4, 0)],
    ...[
      inRound(1, 30_000, 'unbound'),
      inRound(2, 70_000, 'unbound'),
      inRound(3, 10_000, 'unbound'),
    ],
  ]
  const read = ({ cpuUsPerQuery }: Run) => cpuUsPerQuery
  const pair = ['neardns', 'unbound'] as const
  assert.equal(ratioSpread(runs, 'most', pair, read), { median: 1, least: 0.5, most: 1 })
  assert.is(ratioSpread(runs, 1000, pair, read), undefined)
})

test('saturation has a table for each window, a fixed rate one with the ratios of p99', () => {
  const loads = ['most', 'most-16', 'most-1', 1000] as const
  const runs = loads.flatMap((load) => [
    run({ load, report: { sent: 2000 } }),
    run({ load, contestant: 'unbound', report: { sent: 2000, p99Us: 50 } }),
  ])
  const summaries = summarise(runs, ['neardns', 'unbound'])
  const rest = { about: 'hits', absent: [], idleRssBytes: {}, runs }
  const text = scenarioText({ name: 'hit-1k', summaries, ...rest })
  for (const head of ['96 queries out', '16 queries out', '1 query out']) {
    assert.ok(text.includes(`at saturation, ${head}`), text)
  }
  assert.match(
    text,
    /\| p99: neardns is \| +1,000 q\/s \|\n.*\n\| unbound +\| 2\.00 x \(2\.00-2\.00\) \|/,
  )
})

test('a verdict says met, not met, or that it was not measured', () => {
  const runs = [
    run({ report: { queriesPerSecond: 100_000 } }),
    run({ contestant: 'unbound', userUs: 10_000, report: { queriesPerSecond: 90_000 } }),
  ]
  const summaries = summarise(runs, ['neardns', 'unbound'])
  const about = { about: '', absent: [], idleRssBytes: {}, runs }
  const scenarios = [{ name: 'hit-1k', summaries, ...about }]
  const judgedBars = comparisonBars({ scenarios, firstAnswers: [] } as unknown as ComparisonResult)
  const verdictOf = (what: string) => judgedBars.find((bar) => bar.what.includes(what))?.verdict
  assert.is(verdictOf("CPU per query, to unbound's"), 'not met')
  assert.is(verdictOf("q/s, to unbound's"), 'met')
  assert.is(verdictOf("to CoreDNS's"), 'not measured')
})

test.run()
