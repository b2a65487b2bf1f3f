/*
 * Goal: an image says what the upstream said, without what is hop by hop and without what was not chosen. Method: images
 * are read by the tests' own decoder and compared, record by record, with the response they were made of.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeImage } from '../../src/wire/image.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import {
  header,
  labels,
  name,
  octets,
  opt,
  pointer,
  question,
  rr,
  u16,
  u32,
} from '../fixtures/packets/octets.ts'
import { type ReadMessage, readMessage } from '../support/client/dns-message.ts'
import { readPackets } from '../support/client/packets.ts'

const test = suite('wire/image')

const qname = name('www.corp.example')
const q = question(qname, 1)
const a = (last: number, ttl = 30) =>
  rr({ owner: pointer(12), type: 1, ttl, data: octets(192, 0, 2, last) })

interface Made {
  readonly counts: readonly [number, number, number]
  readonly records: readonly Uint8Array[]
  readonly flags?: number
  readonly keep?: readonly number[]
  readonly trustAd?: boolean
  readonly trailing?: string
}

function make(of: Made): Buffer | undefined {
  const { counts, records, flags = 0x8180, keep, trustAd = false, trailing = '' } = of
  const reply = octets(header({ flags, counts: [1, ...counts] }), q, records, trailing)
  const scan = new ResponseScan()
  assert.ok(scanResponse(reply, reply.length, scan))
  return makeImage(reply, scan, Uint8Array.from(keep ?? records.map(() => 1)), trustAd)
}

function readImage(of: Made): ReadMessage {
  const image = make(of)
  assert.ok(image !== undefined)
  return readMessage(image)
}

test('ID, OPT, TC, RD, CD and Z are gone; QR and RA are set; AA and the response code stay', () => {
  const image = readImage({ counts: [1, 0, 1], records: [a(1), opt()], flags: 0x87f0 })
  assert.is(image.id, 0)
  assert.is(image.opt, undefined)
  assert.is(image.flags, 0x8480)
  assert.is(readImage({ counts: [0, 0, 0], records: [], flags: 0x8103 }).flags, 0x8083)
  assert.is(image.answers.length, 1)
})

test('AD is kept only where the upstream is trusted to validate', () => {
  const of = { counts: [1, 0, 0] as const, records: [a(1)], flags: 0x81a0 }
  assert.not(readImage(of).ad)
  assert.ok(readImage({ ...of, trustAd: true }).ad)
})

test('the upper bits of an extended response code do not leak into the header', () => {
  const of = { counts: [0, 0, 1] as const, records: [opt({ extendedRcode: 1 })] }
  assert.is(readImage({ ...of, flags: 0x8180 }).rcode, 0)
})

test('octets behind the last record are not copied', () => {
  const image = make({ counts: [1, 0, 0], records: [a(1)], trailing: 'tunnel' })
  assert.is(image?.length, 12 + q.length + 16)
})

test('when the kept records come first the octets are copied as they stand, compressed', () => {
  const image = make({
    counts: [2, 0, 2],
    records: [a(1), a(2), opt(), a(3)],
    keep: [1, 1, 1, 0],
  })
  assert.is(image?.length, 12 + q.length + 32)
  assert.is(image?.readUInt16BE(12 + q.length), 0xc00c)
})

test('when nothing is kept header and question remain', () => {
  const image = readImage({ counts: [2, 0, 0], records: [a(1), a(2)], keep: [0, 0] })
  assert.equal(image.answers, [])
  assert.equal(image.questions, [{ name: 'www.corp.example.', type: 1, class: 1 }])
})

test('with OPT in the middle the records around it stay, each in its section', () => {
  const ns = rr({ owner: pointer(16), type: 2, data: octets(labels('ns'), pointer(16)) })
  const image = readImage({ counts: [1, 1, 3], records: [a(1), ns, a(2), opt(), a(3)] })
  assert.equal(
    [image.answers, image.authorities, image.additionals].map((section) =>
      section.map(({ data }) => data),
    ),
    [['192.0.2.1'], ['ns.corp.example.'], ['192.0.2.2', '192.0.2.3']],
  )
  assert.is(image.opt, undefined)
})

test('a record in the middle can be left out, and pointers into it are written out', () => {
  const cnameAt = 12 + q.length
  // The CNAME's target stands in its data; the address record that follows points there.
  const cname = rr({ owner: pointer(12), type: 5, data: octets(labels('origin'), pointer(16)) })
  const target = rr({ owner: pointer(cnameAt + 12), type: 1, data: octets(192, 0, 2, 9) })
  const image = readImage({ counts: [2, 0, 0], records: [cname, target], keep: [0, 1] })
  assert.equal(
    image.answers.map(({ name: owner, data }) => [owner, data]),
    [['origin.corp.example.', '192.0.2.9']],
  )
})

const host = octets(labels('mail'), pointer(16))
const hostText = octets(labels('mail'), labels('corp.example'), 0)
/** Type, data with compressed names, the same data written out. RFC 3597 4 and the types that precede it. */
const compressible: readonly [string, number, Buffer, Buffer][] = [
  ['NS', 2, host, hostText],
  ['CNAME', 5, host, hostText],
  ['PTR', 12, host, hostText],
  ['MX', 15, octets(u16(10), host), octets(u16(10), hostText)],
  ['MINFO', 14, octets(host, host), octets(hostText, hostText)],
  ['RP', 17, octets(host, host), octets(hostText, hostText)],
  ['AFSDB', 18, octets(u16(1), host), octets(u16(1), hostText)],
  ['PX', 26, octets(u16(1), host, host), octets(u16(1), hostText, hostText)],
  ['SRV', 33, octets([1, 2, 80].map(u16), host), octets([1, 2, 80].map(u16), hostText)],
  ['KX', 36, octets(u16(1), host), octets(u16(1), hostText)],
  ['DNAME', 39, host, hostText],
  [
    'SOA',
    6,
    octets(host, host, [1, 2, 3, 4, 5].map(u32)),
    octets(hostText, hostText, [1, 2, 3, 4, 5].map(u32)),
  ],
  [
    'RRSIG',
    46,
    octets(Buffer.alloc(18, 1), host, 'signature'),
    octets(Buffer.alloc(18, 1), hostText, 'signature'),
  ],
  ['NSEC', 47, octets(host, 0, 1, 0x40), octets(hostText, 0, 1, 0x40)],
]

for (const [type, number, data, wanted] of compressible) {
  test(`compressed names in the data of ${type} are written out when records before it go`, () => {
    const record = rr({ owner: pointer(12), type: number, ttl: 77, data })
    const image = make({ counts: [2, 0, 0], records: [a(1), record], keep: [0, 1] })
    assert.equal(
      image?.subarray(12 + q.length),
      rr({ owner: qname, type: number, ttl: 77, data: wanted }),
    )
  })
}

test('data of other types are copied octet by octet, pointers or not', () => {
  const data = octets(0xc0, 0x0c, 'opaque', 0, 0xff)
  for (const type of [1, 16, 28, 35, 64, 65, 257, 65280]) {
    const record = rr({ owner: pointer(12), type, data })
    const image = make({ counts: [2, 0, 0], records: [a(1), record], keep: [0, 1] })
    assert.equal(image?.subarray(12 + q.length), rr({ owner: qname, type, data }))
  }
})

test('a record whose data hold a broken name cannot be written out', () => {
  for (const [type, data] of [
    [5, octets(pointer(0x3fff))],
    [5, octets(9, 'abc')],
    [15, octets(1)],
    [2, octets()],
  ] as const) {
    const record = rr({ owner: pointer(12), type, data })
    assert.is(make({ counts: [2, 0, 0], records: [a(1), record], keep: [0, 1] }), undefined)
  }
})

test('a response that would pass 65,535 octets when written out has no image', () => {
  const records = Array.from({ length: 3700 }, () => a(1))
  const keep = [0, ...records.slice(1).map(() => 1)]
  assert.is(make({ counts: [3700, 0, 0], records, keep }), undefined)
})

test('an image is written to where the caller wants it', () => {
  const reply = octets(header({ flags: 0x8180, counts: [1, 2, 0, 0] }), q, a(1), a(2))
  const scan = new ResponseScan()
  assert.ok(scanResponse(reply, reply.length, scan))
  for (const keep of [
    [1, 1],
    [0, 1],
  ]) {
    const into = Buffer.alloc(65_535)
    const image = makeImage(reply, scan, Uint8Array.from(keep), false, into)
    assert.is(image?.buffer, into.buffer)
    assert.is(image?.byteOffset, into.byteOffset)
  }
})

test('every sound response gives an image that says the same, and can be scanned', () => {
  const scan = new ResponseScan()
  const again = new ResponseScan()
  let images = 0
  for (const { name: fixture, expect, packet } of readPackets('responses')) {
    if (expect !== 'sound' || !scanResponse(packet, packet.length, scan)) continue
    const image = makeImage(packet, scan, new Uint8Array(scan.records).fill(1), false)
    if (image === undefined) continue
    assert.ok(scanResponse(image, image.length, again), fixture)
    assert.is(again.end, image.length, fixture)
    assert.is(again.records, scan.records - (scan.optIndex < 0 ? 0 : 1), fixture)
    assert.is(again.soaTtlSeconds, scan.soaTtlSeconds, fixture)
    images++
  }
  assert.ok(images > 20, `${images} images`)
})

test.run()
