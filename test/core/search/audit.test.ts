/*
 * Goal: no denial of a new subject before CoreDNS has been asked, as many audits as were set and not more than one in as many
 * milliseconds, and ten minutes off after a mismatch. Method: given times, each constant at its boundary; then random denials.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SearchAudit } from '../../../src/core/search/audit.ts'
import { Random } from '../../fuzz/random.ts'

const test = suite('core/search/audit')

const at = 1_000_000
const breakerMs = 600_000

/** The subject was asked for and confirmed, so what is due now is due by number. */
function proved(oneIn: number): SearchAudit {
  const audit = new SearchAudit(oneIn)
  audit.noteFirst('cut', at)
  audit.confirm('cut', at)
  return audit
}

test('the first denial of a subject is asked for, and those behind it for two seconds', () => {
  const audit = new SearchAudit(0)
  assert.is(audit.isFirst('cut', at), true)
  audit.noteFirst('cut', at)
  assert.is(audit.isFirst('cut', at + 1999), true)
  assert.is(
    audit.isFirst('cut', at + 2000),
    false,
    'a CoreDNS that is down does not hold it up for ever',
  )
  assert.is(audit.isFirst('rule', at + 2000), true, 'each subject has its own two seconds')
  audit.noteFirst('cut', at + 2000)
  assert.is(audit.isFirst('cut', at + 2000), false, 'they are not prolonged by another denial')
})

test('whether a denial is the first can be asked without being remembered', () => {
  const audit = new SearchAudit(0)
  assert.is(audit.isFirst('cut', at), true)
  assert.is(audit.isFirst('cut', at + 60_000), true)
  audit.confirm('cut', at + 60_000)
  assert.equal([audit.isProved('cut'), audit.audits], [false, 0])
})

test('a subject that CoreDNS confirmed is not first any more', () => {
  const audit = new SearchAudit(0)
  audit.noteFirst('cut', at)
  assert.is(audit.isProved('cut'), false)
  audit.confirm('cut', at + 10)
  assert.is(audit.isProved('cut'), true)
  assert.is(audit.isFirst('cut', at + 20), false)
  assert.is(audit.audits, 1)
})

test('what CoreDNS says of a subject that nobody has denied yet proves nothing', () => {
  const audit = new SearchAudit(0)
  audit.confirm('cut', at)
  assert.is(audit.isProved('cut'), false)
  assert.is(audit.isFirst('cut', at), true)
  audit.noteFirst('cut', at)
  audit.confirm('cut', at)
  audit.confirm('cut', at)
  assert.is(audit.audits, 1, 'and one proof counts once')
})

test('a subject is due again ten minutes after it was checked', () => {
  const audit = proved(0)
  assert.is(audit.isDue('cut', 'a', at + breakerMs - 1), false)
  assert.is(audit.isDue('cut', 'a', at + breakerMs), true)
  audit.begin('cut', 'a', at + breakerMs)
  assert.is(audit.isDue('cut', 'b', at + 2 * breakerMs - 1), false)
  assert.is(audit.isDue('cut', 'b', at + 2 * breakerMs), true)
})

test('a subject that was never checked is due at once', () => {
  assert.is(new SearchAudit(1000).isDue('cut', 'a', at), true)
  assert.is(new SearchAudit(0).isDue('cut', 'a', at), true)
})

/** @returns how many denials it takes until one is due, each a gap behind the one before */
function denialsUntilDue(audit: SearchAudit, gapMs: number, name: string): number {
  for (let count = 1; count <= 1000; count++)
    if (audit.isDue('cut', name, at + count * gapMs)) return count
  return -1
}

test('one in so many is due, but not one that was checked lately, nor more than one in as many milliseconds', () => {
  const audit = proved(10)
  audit.begin('cut', 'checked', at)
  assert.is(denialsUntilDue(audit, 1, 'new'), 10)
  audit.begin('cut', 'checked', at)
  assert.is(denialsUntilDue(audit, 0.5, 'new'), 20, 'ten milliseconds')
  audit.begin('cut', 'checked', at)
  assert.is(denialsUntilDue(audit, 1, 'checked'), 20, 'twice as many: then it is checked again')
})

test('where denials are few a new name is due after five times the least gap', () => {
  const audit = proved(10)
  audit.begin('cut', 'checked', at)
  assert.is(audit.isDue('cut', 'new', at + 49), false)
  assert.is(audit.isDue('cut', 'new', at + 50), true)
  assert.is(audit.isDue('cut', 'checked', at + 50), false)
  assert.is(audit.isDue('cut', 'checked', at + breakerMs - 1), false)
})

test('0 checks first uses only', () => {
  const audit = proved(0)
  for (let i = 0; i < 5000; i++) assert.is(audit.isDue('cut', `${i}`, at + i), false)
})

test('a mismatch is counted and turns its kind off for ten minutes', () => {
  const audit = new SearchAudit(0)
  assert.is(audit.isOpen('cut', at), false)
  audit.mismatch('cut', at)
  assert.is(audit.mismatches, 1)
  assert.is(audit.isOpen('cut', at + breakerMs - 1), true)
  assert.is(audit.isOpen('other', at), false)
  assert.equal(audit.openKinds(at + breakerMs - 1), ['cut'])
  assert.equal(audit.openKinds(at + breakerMs), [])
  assert.is(audit.isOpen('cut', at + breakerMs), false)
  assert.is(audit.isOpen('cut', at), true, 'asking changes nothing')
})

test('a kind may be off for a shorter time, and is no mismatch then', () => {
  const audit = new SearchAudit(0)
  audit.trip('cut', at, 5000)
  assert.is(audit.mismatches, 0)
  assert.is(audit.isOpen('cut', at + 4999), true)
  assert.is(audit.isOpen('cut', at + 5000), false)
})

test('a rule was used once for each time it is asked', () => {
  const audit = new SearchAudit(0)
  assert.is(audit.takeUse('rule'), false)
  audit.noteUse('rule')
  audit.noteUse('rule')
  assert.is(audit.takeUse('other'), false)
  assert.is(audit.takeUse('rule'), true)
  assert.is(audit.takeUse('rule'), false)
})

for (const [what, wasAudited, factor] of [
  ['that is new', false, 1.3],
  ['that was audited before', true, 2.6],
] as const) {
  for (const wrongNames of [1, 10, 100]) {
    test(`a name ${what}, ${wrongNames} of 1,000, is wrong about as often as one in how many is audited`, () => {
      const random = new Random(wrongNames)
      const runs = Array.from({ length: 60 }, () =>
        wrongUntilAudited(random, wrongNames, wasAudited),
      )
      const mean = runs.reduce((sum, wrong) => sum + wrong, 0) / runs.length
      assert.ok(mean < factor * 100, `${mean} on average`)
      assert.ok(Math.max(...runs) < 800, `${Math.max(...runs)} at most`)
    })
  }
}

/** 400 denials a second of 1,000 names, one in 100 audited. @returns denials of names that exist by then, until one is audited */
function wrongUntilAudited(random: Random, wrongNames: number, wasAudited: boolean): number {
  const audit = proved(100)
  const bornMs = wasAudited ? at + 300_000 : at
  let wrong = 0
  for (let nowMs = at; ; nowMs += 2.5) {
    const number = random.below(1000)
    const isWrong = number < wrongNames && nowMs >= bornMs
    if (isWrong) wrong += 1
    if (!audit.isDue('cut', `name ${number}`, nowMs)) continue
    audit.begin('cut', `name ${number}`, nowMs)
    if (isWrong) return wrong
  }
}

test('whatever is denied whenever, audits are at least so many milliseconds apart as denials are between them', () => {
  let audits = 0
  const denial = fc.record({ name: fc.nat(20), gapMs: fc.oneof(fc.nat(2), fc.nat(40)) })
  const denials = fc.array(denial, { minLength: 20, maxLength: 300, size: 'max' })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), denials, (oneIn, all) => {
      const audit = proved(oneIn)
      let nowMs = at
      let lastMs = Number.NEGATIVE_INFINITY
      let sinceLast = 0
      for (const { name, gapMs } of all) {
        nowMs += gapMs
        sinceLast += 1
        if (!audit.isDue('cut', `${name}`, nowMs)) continue
        assert.ok(nowMs - lastMs >= oneIn, `${nowMs - lastMs} ms`)
        // Fewer denials than that only where they are few.
        assert.ok(sinceLast >= oneIn || nowMs - lastMs >= 5 * oneIn, `${sinceLast} denials`)
        audit.begin('cut', `${name}`, nowMs)
        lastMs = nowMs
        sinceLast = 0
        audits += 1
      }
    }),
    { numRuns: 300 },
  )
  assert.ok(audits > 100, `${audits}`)
})

test.run()
