/*
 * Goal: a cut denies names for five seconds at most, and never in the last quarter of a second of its evidence; what exists is not
 * asked for again and again. Method: given times, each constant at its boundary, then random knowledge at random times.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CutTable, cutSecondsMax } from '../../../src/core/search/cuts.ts'
import { pairMs } from '../../../src/core/search/pairs.ts'

const test = suite('core/search/cuts')

const at = 1_000_000
const com = '\x03com\x06team-a\x03svc\x07cluster\x05local\0'

function learned(seconds = 5): CutTable {
  const cuts = new CutTable()
  cuts.learnAbsence(com, seconds, at)
  return cuts
}

test('the constants are those that users were promised', () => {
  assert.is(cutSecondsMax, 5)
  assert.is(pairMs, 250)
})

test('a cut is usable until a pair before the end of its evidence', () => {
  const cut = learned().get(com, at)
  assert.equal(
    { ...cut },
    {
      exists: false,
      learnedMs: at,
      expiresMs: at + 5000,
      usableUntilMs: at + 4750,
      isProbing: false,
    },
  )
  assert.ok(learned().get(com, at + 4749))
  assert.is(learned().get(com, at + 4750), undefined)
})

test('evidence that lives longer than five seconds is used for five, and shorter evidence for its own life', () => {
  for (const [seconds, usableMs] of [
    [1, 750],
    [4, 3750],
    [5, 4750],
    [6, 4750],
    [3600, 4750],
  ] as const) {
    assert.ok(learned(seconds).get(com, at + usableMs - 1), `${seconds} s`)
    assert.is(learned(seconds).get(com, at + usableMs), undefined, `${seconds} s`)
  }
})

test('evidence without a life is never used', () => {
  assert.is(learned(0).get(com, at), undefined)
})

test('times are kept as whole milliseconds, rounded down', () => {
  const cuts = new CutTable()
  cuts.learnAbsence(com, 5, at + 0.9)
  assert.is(cuts.get(com, at + 1)?.expiresMs, at + 5000)
})

test('names are told apart', () => {
  const cuts = learned()
  assert.is(cuts.get(com.replace('com', 'net'), at), undefined)
  assert.is(cuts.size, 1)
})

test('a cut that ended is lapsed for a minute, and never while it is usable', () => {
  const cuts = learned()
  const endMs = at + 4750
  assert.is(cuts.getLapsed(com, endMs - 1), undefined)
  assert.is(cuts.getLapsed(com, endMs)?.exists, false)
  assert.ok(cuts.getLapsed(com, endMs + 59_999))
  assert.is(cuts.getLapsed(com, endMs + 60_000), undefined)
})

test('what exists never lapses, and nothing unknown does', () => {
  const cuts = new CutTable()
  cuts.learnExistence(com, 5, at)
  assert.is(cuts.getLapsed(com, at + 6000), undefined)
  assert.is(cuts.getLapsed('\0', at), undefined)
})

test('existence holds to the end of its evidence, not a pair before it', () => {
  const cuts = new CutTable()
  cuts.learnExistence(com, 5, at)
  assert.is(cuts.get(com, at + 4999)?.exists, true)
  assert.is(cuts.get(com, at + 5000), undefined)
})

test('existence is learned at once over a cut, and says that it has killed one', () => {
  const cuts = learned()
  assert.is(cuts.learnExistence(com, 5, at + 1), true)
  assert.is(cuts.get(com, at + 1)?.exists, true)
  assert.is(cuts.learnExistence(com, 5, at + 2), false, 'it is dead already')
})

test('a cut that is not usable any more is not killed', () => {
  assert.is(learned().learnExistence(com, 5, at + 4749), true)
  assert.is(learned().learnExistence(com, 5, at + 4750), false)
  assert.is(new CutTable().learnExistence(com, 5, at), false)
})

test('existence is noted anew once a second', () => {
  const cuts = new CutTable()
  cuts.learnExistence(com, 5, at)
  cuts.learnExistence(com, 5, at + 999)
  assert.is(cuts.get(com, at + 999)?.learnedMs, at)
  cuts.learnExistence(com, 5, at + 1000)
  assert.is(cuts.get(com, at + 1000)?.learnedMs, at + 1000)
})

test('an answer that proves nothing ends a cut and leaves nothing', () => {
  const cuts = learned()
  assert.is(cuts.learnExistence(com, 0, at), true)
  assert.is(cuts.get(com, at), undefined)
  assert.is(cuts.getLapsed(com, at + 4750), undefined)
  assert.is(cuts.size, 0)
})

test('an absence is learned over existence, which may have ended', () => {
  const cuts = new CutTable()
  cuts.learnExistence(com, 5, at)
  cuts.learnAbsence(com, 5, at + 1)
  assert.is(cuts.get(com, at + 1)?.exists, false)
})

test('what is unknown is worth a probe, a cut once it is not usable, what exists after a minute', () => {
  assert.is(new CutTable().isWorthProbing(com, at), true)
  const cuts = learned()
  assert.is(cuts.isWorthProbing(com, at + 4749), false)
  assert.is(cuts.isWorthProbing(com, at + 4750), true)
  cuts.learnExistence(com, 5, at)
  assert.is(cuts.isWorthProbing(com, at + 59_999), false)
  assert.is(cuts.isWorthProbing(com, at + 60_000), true)
})

test('a cut in use is refreshed a tenth of a second before its use ends, once', () => {
  const cuts = learned()
  assert.is(cuts.takeRefreshDue(com, at + 4649), false)
  assert.is(cuts.takeRefreshDue(com, at + 4650), true)
  assert.is(cuts.takeRefreshDue(com, at + 4651), false, 'its probe is under way')
  assert.is(cuts.get(com, at + 4651)?.isProbing, true)
  cuts.learnAbsence(com, 5, at + 4660)
  const next = cuts.get(com, at + 4660)
  assert.is(next?.isProbing, false)
  assert.is(next?.usableUntilMs, at + 4660 + 4750)
})

test('what is remembered has a bound, and the latest is kept', () => {
  const cuts = new CutTable()
  for (let i = 0; i < 30_000; i++) cuts.learnAbsence(`${i}\0`, 5, at)
  assert.ok(cuts.size <= 20_000, `${cuts.size}`)
  assert.ok(cuts.size >= 10_000, `${cuts.size}`)
  assert.ok(cuts.get('29999\0', at))
  assert.is(cuts.get('0\0', at), undefined)
})

interface Lesson {
  readonly what: 'absent' | 'exists'
  readonly seconds: number
  readonly afterMs: number
}

const lessons = fc.array(
  fc.record<Lesson>({
    what: fc.constantFrom('absent' as const, 'absent' as const, 'exists' as const),
    seconds: fc.oneof(fc.nat(10), fc.nat(100_000)),
    afterMs: fc.oneof(fc.nat(300), fc.nat(20_000)),
  }),
  { minLength: 1, maxLength: 12 },
)

test('no cut is usable 5 s after CoreDNS last denied it, nor after it was seen to exist', () => {
  let usable = 0
  fc.assert(
    fc.property(lessons, fc.nat(6000), (all, laterMs) => {
      const cuts = new CutTable()
      let nowMs = at
      let deniedMs = Number.NEGATIVE_INFINITY
      for (const { what, seconds, afterMs } of all) {
        nowMs += afterMs
        if (what === 'absent') cuts.learnAbsence(com, seconds, nowMs)
        else cuts.learnExistence(com, seconds, nowMs)
        deniedMs = what === 'absent' ? nowMs : Number.NEGATIVE_INFINITY
      }
      const cut = cuts.get(com, nowMs + laterMs)
      if (cut === undefined || cut.exists) return
      usable += 1
      assert.ok(nowMs + laterMs - deniedMs <= 5000 - pairMs)
      assert.ok(cut.expiresMs - (nowMs + laterMs) > pairMs, 'the other half still fits in')
    }),
    { numRuns: 2000 },
  )
  assert.ok(usable > 100, `${usable}`)
})

test.run()
