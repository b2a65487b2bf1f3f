/*
 * Goal: names, TTLs and RCODE of a message are changed and nothing else, whatever was compressed. Method: messages made by hand, read by the
 * tests' own decoder; and messages of the fuzzers, which must come out sound or not at all.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseName, presentName } from '../../src/wire/name.ts'
import { type ImageEdits, type Rename, reviseImage } from '../../src/wire/revise.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { header, name, octets, rr } from '../fixtures/packets/octets.ts'
import { responseFixtures } from '../fixtures/packets/responses.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'

const test = suite('wire/revise')

const renamed =
  (from: string, to: string): Rename =>
  (wire) => {
    const text = presentName(wire, 0)
    return text.endsWith(from) ? parseName(text.slice(0, -from.length) + to) : wire
  }
const stays: ImageEdits = {
  owner: (wire) => wire,
  value: (wire) => wire,
  ttl: (seconds) => seconds,
  rcode: (code) => code,
}
const question = writeQuery('A.front', 'SRV').subarray(12)

/** The question's name is a.back; the pointers lead to it and to its last label. */
const owner = octets([0xc0, 12])
const above = octets([0xc0, 14])
const soaData = octets([2, 'ns', above], [4, 'host', above], Buffer.alloc(20))
const message = octets(
  header({ flags: 0x8180, counts: [1, 3, 1, 0] }),
  name('a.back'),
  [0, 33, 0, 1],
  rr({ owner, type: 33, ttl: 10, data: octets([0, 1, 0, 2, 0, 80], name('Node.a.back')) }),
  rr({ owner, type: 5, ttl: 20, data: octets([1, 'b', above]) }),
  rr({ owner, type: 1, ttl: 30, data: octets([192, 0, 2, 1]) }),
  rr({ owner: above, type: 6, ttl: 40, data: soaData }),
)

test('owners, leading names of data, TTLs and the RCODE', () => {
  const back = renamed('back.', 'front.')
  const edits = { owner: back, value: back, ttl: (seconds: number) => seconds + 1, rcode: () => 3 }
  const made = reviseImage(message, question, edits)
  const read = readMessage(made ?? Buffer.alloc(0))
  assert.is(read.rcode, 3)
  assert.equal(read.questions, [{ name: 'A.front.', type: 33, class: 1 }])
  assert.equal(
    read.answers.map((one) => [one.name, one.ttl]),
    [
      ['A.front.', 11],
      ['A.front.', 21],
      ['A.front.', 31],
    ],
  )
  assert.equal(read.answers[1]?.data, 'b.front.')
  assert.ok(made?.includes(name('node.a.front')), 'the target of SRV, in full')
  assert.is(read.authorities[0]?.name, 'front.')
})

test('a name that stays keeps its letters, and the second name of SOA stays', () => {
  const made = reviseImage(message, question, { ...stays, value: renamed('ns.back.', 'n.') })
  assert.ok(made?.includes(name('Node.a.back')))
  const read = readMessage(made ?? Buffer.alloc(0))
  assert.equal(
    read.answers.map((one) => one.name),
    ['a.back.', 'a.back.', 'a.back.'],
  )
  assert.ok(made?.includes(octets([1, 'n', 0, 4, 'host'])))
})

test('a new name that is none, and a message that is malformed, end in nothing', () => {
  assert.is(reviseImage(message, question, { ...stays, owner: () => undefined }), undefined)
  assert.is(reviseImage(message, question, { ...stays, value: () => undefined }), undefined)
  assert.is(reviseImage(message.subarray(0, 40), question, stays), undefined)
})

test('whatever a message holds, what comes out is sound', () => {
  const scan = new ResponseScan()
  const longer = renamed('example.', 'longer.example.')
  const edits = { ...stays, owner: longer, value: longer }
  let made = 0
  for (const { packet } of responseFixtures()) {
    for (let end = 12; end <= Math.min(packet.length, 600); end += 7) {
      const image = reviseImage(Buffer.from(packet.subarray(0, end)), question, edits)
      if (image === undefined) continue
      made += 1
      assert.ok(scanResponse(image, image.length, scan))
    }
  }
  assert.ok(made > 0)
})

test.run()
