/** Goal: what held up the daemon is named after the figures, and nothing is named without one. Method: results made by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { delaysText, stallRows } from '../../bench/report/stall-page.ts'
import type { StallResult, StallSample, StallSegment } from '../../bench/soaks/stall.ts'

const test = suite('bench/stall-page')

const calm: StallSample = { seconds: 1, stallMs: 1, stolenMs: 0, waitedMs: 5, collectedMs: 0 }
const window: StallSegment = {
  contestant: 'neardns',
  ...{ sent: 1000, received: 1000, lost: 0, wrong: 0, servfail: 0, slow: 1 },
  ...{ p50Us: 40, p99Us: 100, p999Us: 2000, maxUs: 9000, lateP99Us: 10, stolenMs: 100 },
}

function resultOf(parts: Partial<Pick<StallResult, 'samples' | 'segments'>>): StallResult {
  return { samples: [], segments: [], ...parts } as unknown as StallResult
}

test('a run without a long delay says so', () => {
  const text = delaysText(resultOf({ samples: [calm, { ...calm, stallMs: 10 }] }))
  assert.is(text, 'No second of 2 had a delay above 10 ms.')
})

test('each long delay is put down to what accounts for half of it, or to nothing', () => {
  const long = { ...calm, stallMs: 20 }
  const samples = [
    calm,
    { ...long, stolenMs: 10, waitedMs: 30 },
    { ...long, collectedMs: 14 },
    { ...long, waitedMs: 10 },
    { ...long, waitedMs: 9 },
    { ...long, collectedMs: 9 },
  ]
  assert.is(
    delaysText(resultOf({ samples })),
    '5 of 6 seconds had a delay above 10 ms: in 1 the hypervisor had taken the CPU, in 1 a major collection ran, in 1 others had the CPU while the daemon could have run, threads of its own included, in 2 none of what was watched accounts for half of the delay.',
  )
})

test('windows in which the hypervisor took next to nothing are shown beside all of them', () => {
  const stolen = { ...window, p99Us: 300, p999Us: 8000, maxUs: 50_000, slow: 9, stolenMs: 110 }
  const unbound = { ...window, contestant: 'unbound' as const }
  assert.equal(stallRows(resultOf({ segments: [window, stolen, unbound] })), [
    ['neardns', '2', '40', '200', '5.0', '8.0', '50.0', '0.500 %'],
    ['neardns, at most 100 ms stolen', '1', '40', '100', '2.0', '2.0', '9.0', '0.100 %'],
    ['unbound', '1', '40', '100', '2.0', '2.0', '9.0', '0.100 %'],
  ])
})

test.run()
