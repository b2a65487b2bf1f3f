/*
 * Goal: when one half of a look-up was denied, so is the other within a quarter of a second, and nobody else. Method: halves at given
 * times, each boundary; then random look-ups of many clients against what a list of all denials says.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isPairType, type PairMember, Pairs, pairMs } from '../../../src/core/search/pairs.ts'
import { RrType } from '../../../src/wire/constants.ts'

const test = suite('core/search/pairs')

const at = 1_000_000
const later = at + 60_000

function member(qtype: number, changes: Partial<PairMember> = {}): PairMember {
  return { name: '\x03www\0', client: '10.0.0.1', clientPort: 4000, qtype, ...changes }
}
const a = (changes?: Partial<PairMember>) => member(RrType.a, changes)
const aaaa = (changes?: Partial<PairMember>) => member(RrType.aaaa, changes)

function denied(one: PairMember, untilMs = later): Pairs {
  const pairs = new Pairs()
  pairs.note(one, untilMs, at)
  return pairs
}

for (const [one, other] of [
  [a, aaaa],
  [aaaa, a],
] as const) {
  const title = one === a ? 'AAAA behind A' : 'A behind AAAA'
  test(`${title} is held for a quarter of a second`, () => {
    assert.is(denied(one()).holds(other(), at), true)
    assert.is(denied(one()).holds(other(), at + pairMs - 1), true)
    assert.is(denied(one()).holds(other(), at + pairMs), false)
  })
}

test('a half is held no longer than the evidence of the other', () => {
  assert.is(denied(a(), at + 100).holds(aaaa(), at + 99), true)
  assert.is(denied(a(), at + 100).holds(aaaa(), at + 100), false)
})

test('the same type again is another look-up, and so is what follows it', () => {
  const pairs = denied(a())
  assert.is(pairs.holds(a(), at + 1), false)
  assert.is(pairs.repeats(a(), at + 1), true)
  assert.is(pairs.holds(aaaa(), at + 2), true, 'asking ends nothing')
  pairs.forget(a())
  assert.is(pairs.repeats(a(), at + 1), false)
  assert.is(pairs.holds(aaaa(), at + 2), false)
})

test('the same type again is the same look-up once the denial is a quarter of a second old', () => {
  const pairs = denied(a())
  assert.is(pairs.repeats(a(), at + pairMs - 1), true)
  assert.is(pairs.repeats(a(), at + pairMs), false)
})

const strangers: Readonly<Record<string, Partial<PairMember>>> = {
  'another name': { name: '\x03ftp\0' },
  'another client': { client: '10.0.0.2' },
  'another socket': { clientPort: 4001 },
  'another type': { qtype: RrType.https },
}

for (const [what, changes] of Object.entries(strangers)) {
  test(`${what} is not held, and does not end what is`, () => {
    const pairs = denied(a())
    assert.is(pairs.holds(aaaa(changes), at + 1), false)
    assert.is(pairs.repeats(a(changes), at + 1), false)
    assert.is(pairs.holds(aaaa(), at + 2), true)
  })
}

test('address and port do not run together', () => {
  const pairs = denied(a({ client: '10.0.0.1', clientPort: 14_000 }))
  assert.is(pairs.holds(aaaa({ client: '10.0.0.11', clientPort: 4000 }), at), false)
})

test('types other than A and AAAA are no pair: their denials hold nobody', () => {
  const pairs = denied(member(RrType.mx))
  assert.is(pairs.holds(aaaa(), at), false)
  assert.is(pairs.isQuiet(at), true)
  assert.equal(
    [RrType.a, RrType.aaaa, RrType.https, RrType.srv].map((qtype) => isPairType({ qtype })),
    [true, true, false, false],
  )
})

test('a pair whose both halves were denied is whole: the next question is another look-up', () => {
  const pairs = denied(a())
  pairs.note(aaaa(), later, at + 10)
  assert.is(pairs.holds(a(), at + 20), false)
  assert.is(pairs.holds(aaaa(), at + 20), false)
})

test('a half that comes too late begins a pair of its own', () => {
  const pairs = denied(a())
  pairs.note(aaaa(), later, at + pairMs)
  assert.is(pairs.holds(a(), at + pairMs + 1), true)
})

test('it is quiet before the first denial, and a quarter of a second after the last', () => {
  assert.is(new Pairs().isQuiet(0), true)
  const pairs = denied(a())
  assert.is(pairs.isQuiet(at + pairMs - 1), false)
  assert.is(pairs.isQuiet(at + pairMs), true)
})

test('halves that are waited for have a bound, and the latest are kept', () => {
  const pairs = new Pairs()
  for (let port = 1; port <= 20_000; port++) pairs.note(a({ clientPort: port }), later, at)
  const held = Array.from({ length: 20_000 }, (_, i) =>
    pairs.holds(aaaa({ clientPort: i + 1 }), at),
  )
  const count = held.filter(Boolean).length
  assert.ok(count <= 8192 && count >= 4096, `${count}`)
  assert.ok(held.slice(-4096).every(Boolean))
})

test('a half waits while four thousand look-ups are complete', () => {
  const pairs = denied(a())
  for (let port = 10_000; port < 14_000; port++) {
    pairs.note(a({ clientPort: port }), later, at)
    pairs.note(aaaa({ clientPort: port }), later, at)
  }
  assert.is(pairs.holds(aaaa(), at), true)
})

test('look-ups of the longest names are told apart by their last byte', () => {
  const client = '2001:db8:1111:2222:3333:4444:5555:6666'
  const labels = Array.from({ length: 3 }, () => `\x3f${'x'.repeat(63)}`).join('')
  const nameOf = (last: string) => `${labels}\x3d${'x'.repeat(60)}${last}\0`
  const one = { client, clientPort: 65_535, name: nameOf('a') }
  const pairs = denied(a(one))
  assert.is(nameOf('a').length, 255)
  assert.is(pairs.holds(aaaa(one), at), true)
  assert.is(pairs.holds(aaaa({ ...one, name: nameOf('b') }), at), false)
})

interface Step {
  readonly client: number
  readonly qtype: number
  readonly gapMs: number
  readonly lifeMs: number
}

const step = fc.record<Step>({
  client: fc.nat(2),
  qtype: fc.constantFrom(RrType.a, RrType.aaaa, RrType.a, RrType.aaaa, RrType.mx),
  gapMs: fc.oneof(fc.nat(60), fc.nat(400)),
  lifeMs: fc.oneof(fc.nat(300), fc.constant(5000)),
})

test('a pair is never told two things within pairMs: the second half is held while the first holds', () => {
  let pairsSeen = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const pairs = new Pairs()
      /** By client, the denial that waits for its other half. */
      const open = new Map<number, { qtype: number; untilMs: number }>()
      let nowMs = at
      for (const { client, qtype, gapMs, lifeMs } of steps) {
        nowMs += gapMs
        const asked = member(qtype, { clientPort: client + 1 })
        const first = open.get(client)
        const isSecond = isPairType(asked) && first !== undefined && first.qtype !== qtype
        const isHeld = pairs.holds(asked, nowMs)
        assert.is(isHeld, isSecond && nowMs < first.untilMs)
        if (isHeld) pairsSeen += 1
        if (!isPairType(asked)) continue
        pairs.note(asked, nowMs + lifeMs, nowMs)
        if (isHeld) open.delete(client)
        else open.set(client, { qtype, untilMs: nowMs + Math.min(lifeMs, pairMs) })
      }
    }),
    { numRuns: 500 },
  )
  assert.ok(pairsSeen > 500, `${pairsSeen}`)
})

test.run()
