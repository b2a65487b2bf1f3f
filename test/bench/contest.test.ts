/**
 * Goal: a run that says nothing about the server does not count, and medians are taken over those that do. Method: made-up
 * readings.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { judged, type Run } from '../../bench/support/contest.ts'
import { isUsable, summarise, tableRows } from '../../bench/support/results.ts'

const test = suite('bench/contest')

const reading = (userUs: number, systemUs: number) => ({ userUs, systemUs, rssBytes: 1_048_576 })

function run(change: {
  readonly contestant?: Run['contestant']
  readonly rate?: number
  readonly sent?: number
  readonly lost?: number
  readonly servfail?: number
  readonly userUs?: number
}): Run {
  const { contestant = 'neardns', rate, sent = 10_000, lost = 0, servfail = 0 } = change
  const completed = sent - lost
  return judged(
    { contestant, round: 1, ...(rate !== undefined && { rate }) },
    {
      sent,
      completed,
      lost,
      seconds: 2,
      queriesPerSecond: completed / 2,
      rcodes: { NOERROR: completed - servfail, SERVFAIL: servfail },
    },
    { before: reading(0, 0), after: reading(change.userUs ?? 20_000, 30_000) },
  )
}

test('CPU is counted for each answered query', () => {
  const { userUsPerQuery, systemUsPerQuery, cpuShare, invalid } = run({})
  assert.equal([userUsPerQuery, systemUsPerQuery, cpuShare], [2, 3, 0.025])
  assert.equal(invalid, [])
})

test('a run that lost more than one in a thousand does not count', () => {
  assert.equal(run({ lost: 10 }).invalid, [])
  assert.equal(run({ lost: 11 }).invalid, ['11 of 10000 lost'])
})

test('a run with failures does not count: refusing is cheap', () => {
  assert.equal(run({ servfail: 11 }).invalid, ['11 of 10000 failed'])
})

test('a run whose load generator fell behind does not count', () => {
  assert.equal(run({ rate: 5000 }).invalid, [])
  assert.equal(run({ rate: 5100 }).invalid, ['load generator sent 5000 q/s'])
})

test('medians are over the runs that count, and a row without enough of them means nothing', () => {
  const [row] = summarise([run({ userUs: 10_000 }), run({ userUs: 30_000 }), run({ lost: 5000 })])
  assert.is(row?.userUsPerQuery, 2)
  assert.is(row?.invalidRuns, 1)
  assert.ok(row && isUsable(row))
  const [half] = summarise([run({}), run({ lost: 5000 })])
  assert.not.ok(half && isUsable(half))
})

test('ratios are to CoreDNS at the same rate', () => {
  const runs = [run({}), run({ contestant: 'coredns', userUs: 70_000 })]
  const rows = tableRows(summarise(runs))
  assert.equal(
    rows.map((cells) => cells[11]),
    ['0.50', '1.00'],
  )
})

test.run()
