/** Goal: only an answer to what was asked is taken for one (RFC 5452 9.1). Method: one good reply, changed in one place. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { matchesQuestion } from '../../src/wire/response-match.ts'
import { header, name, octets, opt, question } from '../fixtures/packets/octets.ts'

const test = suite('wire/response-match')

const q = question(name('www.example'), 1)
const frame = octets(header({ id: 0, counts: [1, 0, 0, 1] }), q, opt())
const questionEnd = 12 + q.length
const good = octets(header({ flags: 0x8180 }), q)

function matches(reply: Buffer): boolean {
  return matchesQuestion(reply, reply.length, frame, questionEnd)
}

function changed(at: number, value: number): Buffer {
  const reply = Buffer.from(good)
  reply[at] = value
  return reply
}

test('the same question with QR=1 is a match, whatever the ID, rcode and flags', () => {
  assert.ok(matches(good))
  assert.ok(matches(changed(0, 0xff)))
  assert.ok(matches(changed(3, 0xff)))
  assert.ok(matches(changed(2, 0x87)))
})

test('letter case of the name does not matter, other octets do', () => {
  assert.ok(matches(octets(header({ flags: 0x8180 }), question(name('WwW.eXaMpLe'), 1))))
  for (let at = 12; at < questionEnd; at++) {
    const other = (good[at] ?? 0) ^ 1
    assert.not(matches(changed(at, other)), `octet ${at}`)
  }
})

test('a name whose labels are split elsewhere is another name', () => {
  const joined = octets(header({ flags: 0x8180 }), octets(11, 'www.example', 0), [0, 1, 0, 1])
  assert.is(joined.length, good.length)
  assert.not(matches(joined))
})

test('QR=0, another opcode, no question or two are no answer', () => {
  assert.not(matches(changed(2, 0x01)))
  for (let opcode = 1; opcode < 16; opcode++) {
    assert.not(matches(changed(2, 0x81 | (opcode << 3))), `opcode ${opcode}`)
  }
  assert.not(matches(changed(5, 0)))
  assert.not(matches(changed(5, 2)))
  assert.not(matches(changed(4, 1)))
})

test('no prefix of a reply is a match before its question is whole', () => {
  for (let length = 0; length < questionEnd; length++) {
    assert.not(matches(good.subarray(0, length)))
  }
})

test('octets behind the given length are not read', () => {
  assert.not(matchesQuestion(good, questionEnd - 1, frame, questionEnd))
})

test('a compressed qname is no match, because nobody may compress it', () => {
  const reply = octets(header({ flags: 0x8180 }), 0xc0, 12, [0, 1, 0, 1], Buffer.alloc(20))
  assert.not(matches(reply))
})

test.run()
