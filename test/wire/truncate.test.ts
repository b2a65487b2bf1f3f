/*
 * Goal: whatever size a client can take, it gets a whole message of at most that size, cut where a cut is allowed, and TC says
 * whether something needed is missing (RFC 2181 5.2 and 9). Method: every size from the smallest to the full one, for images
 * of different make; the result is read by the tests' own decoder and compared with the uncut one.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { truncate } from '../../src/wire/truncate.ts'
import {
  header,
  labels,
  name,
  octets,
  pointer,
  question,
  rr,
  u16,
  u32,
} from '../fixtures/packets/octets.ts'
import { type ReadMessage, readMessage } from '../support/client/dns-message.ts'

const test = suite('wire/truncate')

const qname = name('www.corp.example')
const q = question(qname, 1)
const headBytes = 12 + q.length
const self = pointer(12)
const address = (index: number) =>
  rr({ owner: self, type: 1, data: octets(10, 0, index >> 8, index & 255) })
const v6 = (index: number) =>
  rr({ owner: self, type: 28, data: octets(Buffer.alloc(14, 0xfd), u16(index)) })
const text = (bytes: number) =>
  rr({ owner: self, type: 16, data: octets(bytes - 1, 'x'.repeat(bytes - 1)) })
const mx = (index: number) =>
  rr({ owner: self, type: 15, data: octets(u16(index), labels(`mail${index}`), pointer(16)) })
const ns = (index: number) =>
  rr({ owner: pointer(16), type: 2, data: octets(labels(`ns${index}`), pointer(16)) })
const glue = (index: number) =>
  rr({ owner: octets(labels(`ns${index}`), pointer(16)), type: 1, data: octets(10, 9, 9, index) })
const cname = rr({ owner: self, type: 5, data: octets(labels('origin'), pointer(16)) })
const origin = pointer(headBytes + 12)
const atOrigin = (index: number) =>
  rr({ owner: origin, type: 1, data: octets(10, 1, 1, index & 255) })
const soa = rr({
  owner: pointer(16),
  type: 6,
  data: octets(labels('ns'), pointer(16), labels('root'), pointer(16), [1, 2, 3, 4, 5].map(u32)),
})
const nsec = rr({ owner: self, type: 47, data: octets(name('x.corp.example'), Buffer.alloc(60)) })

function repeat(count: number, make: (index: number) => Buffer): Buffer[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

function image(
  answers: readonly Buffer[],
  authorities: readonly Buffer[] = [],
  additionals: readonly Buffer[] = [],
  flags = 0x8080,
): Buffer {
  const counts = [1, answers.length, authorities.length, additionals.length] as const
  return octets(header({ id: 0, flags, counts }), q, answers, authorities, additionals)
}

const images: Readonly<Record<string, Buffer>> = {
  'addresses that are one set': image(repeat(80, address)),
  'AAAA that are one set': image(repeat(50, v6)),
  'texts of one set': image(repeat(12, () => text(100))),
  'MX with addresses to help': image(repeat(20, mx), [], repeat(20, glue)),
  'an alias, then addresses': image([cname, ...repeat(60, atOrigin)]),
  'an alias, then texts': image([
    cname,
    ...repeat(10, () => rr({ owner: origin, type: 16, data: octets(90, 'y'.repeat(90)) })),
  ]),
  'two sets of addresses': image([...repeat(20, address), ...repeat(30, v6)]),
  'a large answer with authority and additional': image(
    repeat(10, address),
    repeat(13, ns),
    repeat(13, glue),
  ),
  'a referral': image(
    [],
    repeat(13, ns),
    repeat(26, (index) => glue(index % 13)),
  ),
  'a denial with proofs': image([], [soa, ...repeat(6, () => nsec)], [], 0x8083),
  'one record larger than 512': image([rr({ owner: self, type: 16, data: Buffer.alloc(700, 7) })]),
}

function cut(whole: Buffer, bytesMax: number): ReadMessage {
  const out = Buffer.alloc(whole.length + 8, 0xa5)
  const end = truncate(whole, bytesMax, out)
  assert.ok(end <= bytesMax, `${end} octets where ${bytesMax} fit`)
  const scan = new ResponseScan()
  assert.ok(scanResponse(out, end, scan), 'it is malformed')
  assert.is(scan.end, end)
  return readMessage(out.subarray(0, end))
}

/** Owner and type of a record: what makes an RRset. */
function setOf(record: { name: string; type: number } | undefined): string {
  return record === undefined ? 'none' : `${record.name} ${record.type}`
}

function isAddress(record: { type: number } | undefined): boolean {
  return record?.type === 1 || record?.type === 28
}

for (const [what, whole] of Object.entries(images)) {
  test(`${what}: at every size a whole message, cut where it may be, with TC where it must be`, () => {
    const full = readMessage(whole)
    const smallest = Math.min(headBytes, 512)
    for (let size = smallest; size < whole.length; size++) {
      const short = cut(whole, size)
      const count = short.answers.length
      assert.equal(short.answers, full.answers.slice(0, count), `${size}: not the first records`)
      assert.equal(short.additionals, [], `${size}: additional records go first`)
      const isWhole = count === full.answers.length
      // Inside a set only addresses may be cut.
      const [last, next] = [full.answers[count - 1], full.answers[count]]
      const isInside = !isWhole && setOf(last) === setOf(next)
      assert.ok(!isInside || isAddress(next), `${size}: a set that is no addresses was split`)
      const hasAuthority = short.authorities.length > 0
      if (hasAuthority)
        assert.equal(short.authorities, full.authorities, `${size}: split authority`)
      const isMissingSoa = !hasAuthority && full.authorities.some(({ type }) => type === 6)
      assert.is(short.tc, !isWhole || isMissingSoa, `${size}: TC`)
    }
  })
}

test('as many addresses as fit are kept', () => {
  const whole = images['addresses that are one set'] ?? Buffer.alloc(0)
  for (const size of [512, 700, 1232]) {
    assert.is(cut(whole, size).answers.length, Math.floor((size - headBytes) / 16))
  }
})

test('an alias is kept with as many addresses behind it as fit', () => {
  const whole = images['an alias, then addresses'] ?? Buffer.alloc(0)
  const short = cut(whole, 512)
  assert.is(short.answers[0]?.type, 5)
  assert.is(short.answers.length, 1 + Math.floor((512 - headBytes - cname.length) / 16))
})

test('texts that do not all fit are all left out', () => {
  const whole = images['texts of one set'] ?? Buffer.alloc(0)
  assert.equal(cut(whole, 1000).answers, [])
  const behindAlias = images['an alias, then texts'] ?? Buffer.alloc(0)
  assert.equal(
    cut(behindAlias, 600).answers.map(({ type }) => type),
    [5],
  )
})

test('AA and the response code survive the cut', () => {
  const whole = image(repeat(80, address), [], [], 0x8483)
  assert.is(cut(whole, 512).flags, 0x8683)
})

test.run()
