/*
 * Goal: an image says what the upstream said, without what is hop by hop and without what was not chosen, compressed and in the
 * chosen order. Method: images are read by the tests' own decoder and compared, record by record, with the response they were made of.
 */
import { performance } from 'node:perf_hooks'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ageTtls } from '../../src/core/cache/ttl.ts'
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

test('records that their upstream sent in full are compressed, whatever comes before them', () => {
  const records = Array.from({ length: 20 }, (_, i) =>
    rr({ owner: name('WWW.corp.example'), type: 1, data: octets(10, 0, 0, i) }),
  )
  const image = make({ counts: [20, 0, 0], records })
  assert.is(image?.length, 12 + q.length + 20 * 16)
  assert.equal(
    readMessage(image ?? q).answers.map(({ name: owner, data }) => `${owner} ${data}`),
    records.map((_, i) => `www.corp.example. 10.0.0.${i}`),
  )
})

test('an alias in full is compressed, and what it leads to points into it', () => {
  const owner = name('origin.cdn.example')
  const image = make({
    counts: [3, 0, 0],
    records: [
      rr({ owner: qname, type: 5, data: owner }),
      rr({ owner, type: 1, data: octets(192, 0, 2, 1) }),
      rr({ owner, type: 1, data: octets(192, 0, 2, 2) }),
    ],
  })
  const targetAt = 12 + q.length + 12
  const target = octets(labels('origin.cdn'), pointer(12 + labels('www.corp').length))
  assert.equal(
    image?.subarray(12 + q.length),
    octets(
      rr({ owner: pointer(12), type: 5, data: target }),
      rr({ owner: pointer(targetAt), type: 1, data: octets(192, 0, 2, 1) }),
      rr({ owner: pointer(targetAt), type: 1, data: octets(192, 0, 2, 2) }),
    ),
  )
})

test('targets of SRV stay in full, and their addresses point to them', () => {
  const target = name('pod-1.corp.example')
  const srv = rr({ owner: qname, type: 33, data: octets(0, 0, 0, 1, 0, 80, target) })
  const image = make({
    counts: [1, 0, 1],
    records: [srv, rr({ owner: target, type: 1, data: octets(10, 0, 0, 1) })],
  })
  const targetAt = 12 + q.length + 2 + 10 + 6
  assert.equal(
    image?.subarray(12 + q.length),
    octets(
      rr({ owner: pointer(12), type: 33, data: octets(0, 0, 0, 1, 0, 80, target) }),
      rr({ owner: pointer(targetAt), type: 1, data: octets(10, 0, 0, 1) }),
    ),
  )
})

test('records come in the order of their numbers, each section by itself', () => {
  const ns = rr({ owner: pointer(16), type: 2, data: octets(labels('ns'), pointer(16)) })
  const image = readImage({
    counts: [4, 2, 2],
    records: [a(1), a(2), a(3), a(4), ns, a(5), opt(), a(6)],
    keep: [9, 3, 0, 9, 2, 1, 1, 1],
  })
  assert.equal(
    [image.answers, image.authorities, image.additionals].map((section) =>
      section.map(({ data }) => data),
    ),
    [['192.0.2.2', '192.0.2.1', '192.0.2.4'], ['192.0.2.5', 'ns.corp.example.'], ['192.0.2.6']],
  )
})

test('a record whose data hold a broken name has no image, whether it is written anew or not', () => {
  for (const [type, data] of [
    [5, octets(pointer(0x3fff))],
    [5, octets(9, 'abc')],
    [15, octets(1)],
    [2, octets()],
  ] as const) {
    const record = rr({ owner: pointer(12), type, data })
    for (const keep of [
      [1, 1],
      [0, 1],
    ])
      assert.is(make({ counts: [2, 0, 0], records: [a(1), record], keep }), undefined)
  }
})

test('what is left out may be broken', () => {
  const record = rr({ owner: pointer(12), type: 5, data: octets(9, 'abc') })
  assert.is(
    make({ counts: [2, 0, 0], records: [record, a(1)], keep: [0, 1] })?.length,
    12 + q.length + 16,
  )
})

test('a response that would pass 65,535 bytes with its names in full has no image', () => {
  const target = (i: number) => octets(0, 0, 0, 1, 0, 80, labels(`pod-${i}-${'x'.repeat(40)}`))
  const records = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      rr({ owner: pointer(12), type: 33, data: octets(target(i), pointer(12)) }),
    )
  const image = (count: number) => make({ counts: [count, 0, 0], records: records(count) })
  const whole = image(700)?.length ?? 0
  assert.ok(whole > 55_000 && whole < 65_535, `${whole} bytes`)
  assert.is(image(900), undefined)
})

test('the largest message that is all one record has an image, with its owner in full', () => {
  const data = Buffer.alloc(65_535 - 12 - q.length - qname.length - 10, 0x07)
  const of = (owner: Buffer) =>
    make({ counts: [1, 0, 0], records: [rr({ owner, type: 10, data })] })
  assert.is(of(qname)?.length, 65_535 - qname.length + 2)
  assert.is(of(name('abc.corp.example'))?.length, 65_535 - qname.length + 6)
})

test('a hostile response costs little: pointers to long names, names that share nothing', () => {
  const long = octets(
    Array.from({ length: 126 }, () => labels('a')),
    0,
  )
  const first = rr({ owner: pointer(12), type: 5, data: long })
  const at = pointer(12 + q.length + 12)
  const many = Array.from({ length: 4000 }, () => rr({ owner: pointer(12), type: 2, data: at }))
  const before = performance.now()
  for (let i = 0; i < 5; i++) {
    // Either is fine, as long as it takes no time: refused, or made.
    make({ counts: [4001, 0, 0], records: [first, ...many] })
    make({ counts: [4001, 0, 0], records: [...many.slice(1), first, ...many.slice(0, 1)] })
  }
  assert.ok(performance.now() - before < 2000)
})

/** TTLs that read as labels: "a" and the root, a label of one byte before it, one over the next fields. */
const namelikeTtls = [0x0161_0000, 0x0001_6100, 0x0000_0161, 0x0c00_0000, 0x0261_6200]

test('wherever a pointer leads, no name of an image changes with TTLs, letters or type', () => {
  let made = 0
  for (const ttl of namelikeTtls) {
    const alias = rr({ owner: pointer(12), type: 5, ttl, data: octets(labels('b'), pointer(16)) })
    const mx = rr({
      owner: pointer(16),
      type: 15,
      ttl,
      data: octets(0, 10, labels('c'), pointer(12)),
    })
    const end = rr({ owner: pointer(45), type: 1, ttl, data: octets(192, 0, 2, 9) })
    const reply = octets(
      header({ flags: 0x8180, counts: [1, 2, 1, 1] }),
      q,
      alias,
      end,
      mx,
      a(7, ttl),
    )
    for (const at of pointersIn(reply)) {
      for (let target = 12; target < at; target++) {
        const hostile = Buffer.from(reply)
        pointer(target).copy(hostile, at)
        made += Number(keepsItsNames(hostile))
      }
    }
  }
  assert.ok(made > 80, `${made} images`)
})

function pointersIn(message: Buffer): number[] {
  return [...message.keys()].filter((at) => at > 12 && message[at] === 0xc0)
}

/** @returns whether there is an image */
function keepsItsNames(reply: Buffer): boolean {
  const scan = new ResponseScan()
  if (!scanResponse(reply, reply.length, scan)) return false
  const image = makeImage(reply, scan, new Uint8Array(scan.records).fill(1), false)
  if (image === undefined) return false
  assert.ok(scanResponse(image, image.length, scan))
  const before = namesIn(image)
  assert.equal(before, namesIn(reply))
  for (const seconds of [1, 7, 0x0101_0101]) {
    ageTtls(image, scan.questionEnd, scan.records, seconds)
    image.write('WWW', 13)
    image.writeUInt16BE(0xffff, scan.questionEnd - 4)
    assert.equal(namesIn(image), before, reply.toString('hex'))
  }
  return true
}

function namesIn(message: Buffer): string[] {
  const { answers, authorities, additionals } = readMessage(message)
  return [...answers, ...authorities, ...additionals].map(({ name: owner, data }) =>
    `${owner} ${data}`.toLowerCase(),
  )
}

test('the root is written as one byte, never as a pointer', () => {
  const ns = rr({ owner: name('.'), type: 2, data: name('a.root-servers.net') })
  const reply = octets(header({ counts: [1, 2, 0, 0] }), question(name('.'), 2), ns, ns)
  const scan = new ResponseScan()
  assert.ok(scanResponse(reply, reply.length, scan))
  const image = makeImage(reply, scan, Uint8Array.of(1, 1), false)
  const again = rr({ owner: name('.'), type: 2, data: pointer(12 + 5 + 11) })
  assert.equal(image?.subarray(17), octets(ns, again))
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
