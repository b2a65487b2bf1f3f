/* Goal: a name whose denial is still of effect is never said to have none. Method: random names and times beside a plain Map. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DenialFilter } from '../../../src/core/cache/denial-filter.ts'

const test = suite('core/cache/denial-filter')

test('what was noted may be there until its time is over, whatever else was noted', () => {
  const noted = fc.tuple(fc.integer(), fc.integer({ min: 0, max: 4_000_000_000 }))
  fc.assert(
    fc.property(fc.array(noted, { maxLength: 200, size: 'max' }), (all) => {
      const filter = new DenialFilter(16)
      for (const [hash, untilMs] of all) filter.note(hash, untilMs)
      for (const [hash, untilMs] of all) {
        if (untilMs > 0) assert.ok(filter.mayHold(hash, untilMs - 1))
        const latestMs = Math.max(...all.map(([, each]) => each))
        assert.not(filter.mayHold(hash, latestMs + 1000))
      }
    }),
    { numRuns: 200 },
  )
})

test('of 10,000 names beside 5,000 denied ones nine in ten are known to have no denial', () => {
  const filter = new DenialFilter(16)
  // As hashOf makes them: octets times powers of 31.
  const hashOf = (text: string) =>
    [...text].reduce((hash, c) => (Math.imul(hash, 31) + c.charCodeAt(0)) | 0, 7)
  for (let i = 0; i < 5000; i++) filter.note(hashOf(`no-${i}.team-1`), 5000)
  let may = 0
  for (let i = 0; i < 10_000; i++) if (filter.mayHold(hashOf(`service-${i}.team-2`), 1000)) may += 1
  assert.ok(may < 1000, `${may} of 10,000`)
})

test.run()
