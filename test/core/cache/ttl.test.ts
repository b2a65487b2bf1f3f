/*
 * Goal: a TTL is never negative, never grows, and never says more than the upstream's minus its age (RFC 2181 8, RFC 2308 5).
 * Method: random responses, limits and ages, through the functions that the cache uses, read by the tests' own decoder.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ResponseKind } from '../../../src/core/answer/response-kind.ts'
import {
  ageTtls,
  boundSets,
  boundTtls,
  overwriteTtls,
  type TtlLimits,
} from '../../../src/core/cache/ttl.ts'
import { makeImage } from '../../../src/wire/image.ts'
import { octets } from '../../fixtures/packets/octets.ts'
import { readMessage } from '../../support/client/dns-message.ts'
import {
  aRecord,
  cnameRecord,
  type ResponseOptions,
  responseTo,
  scanned,
  soaRecord,
  ttls,
} from '../support.ts'

const test = suite('core/cache/ttl')

const wide: TtlLimits = {
  positiveMinSeconds: 0,
  positiveMaxSeconds: 1_000_000,
  negativeMinSeconds: 0,
  negativeMaxSeconds: 1_000_000,
}

const kinds = ['answer', 'nodata', 'nxdomain', 'bare-denial'] as const

function imageOf(of: ResponseOptions): Buffer {
  const response = responseTo('www.example', 'A', of)
  const scan = scanned(response)
  const image = makeImage(response, scan, new Uint8Array(scan.records).fill(1), false)
  assert.ok(image !== undefined)
  return image
}

/** Both functions, told where the records of `image` are. */
function agerOf(image: Buffer) {
  const { questionEnd, records } = scanned(image)
  return {
    age: (seconds: number) => ageTtls(image, questionEnd, records, seconds),
    overwrite: (ttl: number) => overwriteTtls(image, questionEnd, records, ttl),
  }
}

function bounded(of: ResponseOptions, kind: ResponseKind, limits: Partial<TtlLimits> = {}) {
  const image = imageOf(of)
  const lifetime = boundTtls(image, scanned(image), kind, { ...wide, ...limits })
  return { lifetime, ttls: ttls(readMessage(image)) }
}

test('the records of one set of an upstream get its lowest TTL', () => {
  const set = [20, 7, 300].map((ttl, n) => aRecord('o.example', `10.0.0.${n}`, ttl))
  const image = imageOf({ answers: [cnameRecord('www.example', 'o.example', 90), ...set] })
  assert.is(boundSets(image, scanned(image), 'answer', wide), 7)
  assert.equal(ttls(readMessage(image)), [90, 7, 7, 7])
  for (const ttl of [0x8000_0000, 0xffff_ffff]) {
    const answers = [aRecord('www.example', '10.0.0.1', ttl), aRecord('www.example', '10.0.0.2', 9)]
    const topBit = imageOf({ answers })
    assert.is(boundSets(topBit, scanned(topBit), 'answer', wide), 0)
    assert.equal(ttls(readMessage(topBit)), [0, 0])
  }
})

test('an answer lives as long as its shortest record, and each record keeps its own TTL', () => {
  const answers = [
    cnameRecord('www.example', 'o.example', 300),
    aRecord('o.example', '10.0.0.1', 20),
  ]
  assert.equal(bounded({ answers }, 'answer'), { lifetime: 20, ttls: [300, 20] })
})

test('positive limits bound every record', () => {
  const answers = [aRecord('www.example', '10.0.0.1', 5), aRecord('www.example', '10.0.0.2', 900)]
  const limits = { positiveMinSeconds: 10, positiveMaxSeconds: 30 }
  assert.equal(bounded({ answers }, 'answer', limits), { lifetime: 10, ttls: [10, 30] })
})

test('TTL 0 and a TTL with the top bit set are 0 and not to be stored, unless a minimum is configured', () => {
  for (const ttl of [0, 0x8000_0000, 0x8000_0005, 0xffff_ffff]) {
    const answers = [aRecord('www.example', '10.0.0.1', ttl), aRecord('www.example', '10.0.0.2', 9)]
    assert.equal(bounded({ answers }, 'answer'), { lifetime: 0, ttls: [0, 9] })
    const limits = { positiveMinSeconds: 5 }
    assert.equal(bounded({ answers }, 'answer', limits), { lifetime: 5, ttls: [5, 9] })
  }
})

for (const kind of ['nxdomain', 'nodata'] as const) {
  test(`${kind} lives as long as the smaller of SOA TTL and MINIMUM, and its SOA says so`, () => {
    for (const [ttl, minimum, wanted] of [
      [300, 60, 60],
      [60, 300, 60],
      [0, 60, 0],
      [0x8000_0000, 60, 0],
    ] as const) {
      const of = { authorities: [soaRecord('example', ttl, minimum)] }
      assert.equal(bounded(of, kind), { lifetime: wanted, ttls: [wanted] })
    }
  })

  test(`${kind} is bounded by the negative limits`, () => {
    const limits = { negativeMinSeconds: 3, negativeMaxSeconds: 5, positiveMaxSeconds: 1 }
    const of = (ttl: number) => ({ authorities: [soaRecord('example', ttl)] })
    assert.equal(bounded(of(300), kind, limits), { lifetime: 5, ttls: [5] })
    assert.equal(bounded(of(1), kind, limits), { lifetime: 3, ttls: [3] })
  })

  test(`${kind} behind an alias lives no longer than the alias`, () => {
    const of = {
      answers: [cnameRecord('www.example', 'o.example', 7)],
      authorities: [soaRecord('example', 100)],
    }
    assert.equal(bounded(of, kind), { lifetime: 7, ttls: [7, 7] })
  })
}

test('a denial without SOA of its own is bounded by the negative limits and by its records', () => {
  const limits = { negativeMaxSeconds: 20, positiveMaxSeconds: 1 }
  assert.equal(bounded({}, 'bare-denial', limits), { lifetime: 20, ttls: [] })
  const of = {
    answers: [cnameRecord('www.example', 'o.test', 7)],
    authorities: [soaRecord('example', 300, 3)],
  }
  assert.equal(bounded(of, 'bare-denial', limits), { lifetime: 7, ttls: [7, 20] })
})

test('a response without records lives as long as the limit allows', () => {
  assert.equal(bounded({}, 'answer', { positiveMaxSeconds: 30 }), { lifetime: 30, ttls: [] })
})

test('the flags of an OPT record are no TTL', () => {
  const response = responseTo('www.example', 'A', {
    answers: [aRecord('www.example', '10.0.0.1', 50)],
    extendedRcode: 0xff,
  })
  assert.is(boundTtls(response, scanned(response), 'answer', wide), 50)
  assert.is(readMessage(response).opt?.ttl, 0xff00_0000)
  // Images have none, so that what ages them need not look.
  assert.is(imageOf({ extendedRcode: 0xff }).readUInt16BE(10), 0)
})

const anyTtl = fc.oneof(
  fc.nat(400),
  fc.nat(0xffff_ffff),
  fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
)
const anyLimits = fc
  .tuple(fc.nat(100), fc.nat(100_000), fc.nat(100), fc.nat(100_000))
  .map(([positiveMin, positiveSpan, negativeMin, negativeSpan]) => ({
    positiveMinSeconds: positiveMin,
    positiveMaxSeconds: positiveMin + positiveSpan,
    negativeMinSeconds: negativeMin,
    negativeMaxSeconds: negativeMin + negativeSpan,
  }))

test('at any two ages 0 <= TTL(later) <= TTL(earlier) <= stored - age, for every record', () => {
  fc.assert(
    fc.property(
      fc.record({
        answerTtls: fc.array(anyTtl, { maxLength: 5 }),
        soaTtl: anyTtl,
        limits: anyLimits,
        ages: fc.array(fc.nat(200_000), { minLength: 1, maxLength: 6 }),
        kind: fc.constantFrom<ResponseKind>(...kinds),
      }),
      ({ answerTtls, soaTtl, limits, ages, kind }) => {
        const image = imageOf({
          answers: answerTtls.map((ttl) => aRecord('www.example', '10.0.0.1', ttl)),
          authorities: [soaRecord('example', soaTtl)],
        })
        const lifetime = boundTtls(image, scanned(image), kind, limits)
        const ager = agerOf(image)
        const stored = ttls(readMessage(image))
        assert.ok(lifetime >= 0 && lifetime <= 0x7fff_ffff)
        assert.ok(stored.every((ttl) => lifetime <= ttl))
        let last = stored
        let before = 0
        for (const age of ages.toSorted((one, other) => one - other)) {
          ager.age(age - before)
          before = age
          const aged = ttls(readMessage(image))
          for (const [index, ttl] of aged.entries()) {
            assert.is(ttl, Math.max(0, (stored[index] ?? 0) - age))
            assert.ok(ttl <= (last[index] ?? 0))
          }
          last = aged
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('nothing but TTLs is written', () => {
  const image = imageOf({
    answers: [aRecord('www.example', '10.0.0.1', 60), aRecord('www.example', '10.0.0.2', 70)],
  })
  const before = Buffer.from(image)
  agerOf(image).overwrite(0xffff_ffff)
  const touched = [...image.keys()].filter((at) => image[at] !== before[at])
  const { typeAt } = scanned(image)
  const ttlOctets = [0, 1].flatMap((i) => [4, 5, 6, 7].map((offset) => (typeAt[i] ?? 0) + offset))
  assert.ok(
    touched.every((at) => ttlOctets.includes(at)),
    octets(touched).toString('hex'),
  )
})

test.run()
