// Goal: quantiles are right to 4 %, of few and of many values. Method: values whose quantiles are known.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Waits } from '../../src/rehearsal/waits.ts'

const test = suite('rehearsal/waits')

test('quantiles of a thousand values are within 4 %', () => {
  const waits = new Waits()
  for (let i = 1; i <= 1000; i++) waits.add(i / 10)
  const { p50Ms, p90Ms, p99Ms, maxMs } = waits.quantiles
  for (const [found, wanted] of [
    [p50Ms, 50],
    [p90Ms, 90],
    [p99Ms, 99],
  ] as const)
    assert.ok(Math.abs(found - wanted) < wanted * 0.04, `${found}, not ${wanted}`)
  assert.is(maxMs, 100)
})

test('nothing waited, and nothing counted, are zero; an hour has its place', () => {
  assert.equal(new Waits().quantiles, { p50Ms: 0, p90Ms: 0, p99Ms: 0, maxMs: 0 })
  const waits = new Waits()
  for (const ms of [0, 0, 0, 3_600_000]) waits.add(ms)
  assert.equal([waits.quantiles.p50Ms, waits.quantiles.maxMs], [0, 3_600_000])
})

test.run()
