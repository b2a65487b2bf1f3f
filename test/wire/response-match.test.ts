/** Goal: only an answer to what was asked is taken for one (RFC 5452 9.1). Method: one good reply, changed in one place. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bareReply, matchesQuestion } from '../../src/wire/response-match.ts'
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

function bare(reply: Buffer): string | undefined {
  const whole = bareReply(reply, frame, questionEnd)
  if (whole === undefined) return undefined
  assert.ok(matches(whole), 'what is made of it has our question')
  assert.is(whole.length, questionEnd)
  assert.is(whole.readUInt16BE(0), reply.readUInt16BE(0))
  return `${whole.readUInt16BE(2).toString(16)} ${[4, 6, 8, 10].map((at) => whole.readUInt16BE(at))}`
}

const alone = (flags: number, counts: readonly [number, number, number, number] = [0, 0, 0, 0]) =>
  header({ flags, counts })

test('a header alone that says FORMERR, SERVFAIL or NOTIMP is taken for that, whatever flags and counts it has', () => {
  for (const rcode of [1, 2, 4]) {
    for (const reply of [
      alone(0x8180 | rcode),
      alone(0x8000 | rcode),
      alone(0x8180 | rcode, [1, 0, 0, 1]),
      alone(0x8180 | rcode, [0, 0, 0, 1]),
      octets(alone(0x8180 | rcode), opt()),
      octets(alone(0x8180 | rcode, [1, 0, 0, 1]), q),
      octets(alone(0x8180 | rcode, [1, 0, 0, 1]), q, opt().subarray(0, 5)),
      octets(alone(0x8180 | rcode, [1, 0, 0, 1]), q.subarray(0, 6)),
      octets(alone(0x8180 | rcode), 'what an old buffer held'),
    ])
      assert.is(bare(reply), `800${rcode} 1,0,0,0`)
  }
})

test('BADVERS without the question is FORMERR', () => {
  const reply = octets(alone(0x8180, [0, 0, 0, 1]), opt({ extendedRcode: 1 }))
  assert.is(bare(reply), '8001 1,0,0,0')
})

test('TC without a whole question is TC', () => {
  for (const reply of [
    alone(0x8380, [1, 9, 0, 1]),
    octets(alone(0x8380, [1, 9, 0, 1]), q.subarray(0, 9)),
  ])
    assert.is(bare(reply), '8200 1,0,0,0')
})

test('NOERROR, NXDOMAIN and REFUSED without the question are nothing, and so are queries, other opcodes and other questions', () => {
  for (const rcode of [0, 3, 5, 9]) assert.is(bare(alone(0x8180 | rcode)), undefined)
  assert.is(bare(alone(0x0101)), undefined)
  assert.is(bare(alone(0xa181)), undefined)
  const other = question(name('www.example'), 28)
  assert.is(bare(octets(alone(0x8181, [1, 0, 0, 1]), other)), undefined)
  assert.is(bare(octets(alone(0x8380, [1, 0, 0, 1]), name('wwv'))), undefined)
})

test.run()
