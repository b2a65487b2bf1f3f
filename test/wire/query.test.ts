/** Goal: what goes upstream is ours alone, and nothing of the client's packet but the question (RFC 6891 6.1.1). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inRandomCase, upstreamQuery, withoutOpt } from '../../src/wire/query.ts'
import { header, name, octets, opt, option, question } from '../fixtures/packets/octets.ts'
import { readMessage } from '../support/client/dns-message.ts'

const test = suite('wire/query')

const options = {
  dnssecOk: false,
  checkingDisabled: false,
  payloadBytes: 1232,
}

const asked = octets(
  header({ id: 0xbeef, flags: 0x0160, counts: [1, 0, 0, 1] }),
  question(octets(3, 'W.w', 7, 'EXAMPLE', 0), 65, 1),
  opt({ udpBytes: 4096, options: option(8, octets('client subnet')) }),
  'trailing garbage',
)
const questionEnd = 12 + 13 + 4

test('it has ID 0, RD alone, the question in lower case and an OPT record of ours', () => {
  const frame = upstreamQuery(asked, questionEnd, options)
  assert.equal(
    frame,
    octets(
      header({ id: 0, flags: 0x0100, counts: [1, 0, 0, 1] }),
      question(octets(3, 'w.w', 7, 'example', 0), 65),
      opt({ udpBytes: 1232 }),
    ),
  )
})

test('DO and CD are carried on, because the answer depends on them', () => {
  const frame = upstreamQuery(asked, questionEnd, {
    ...options,
    dnssecOk: true,
    checkingDisabled: true,
  })
  const read = readMessage(frame)
  assert.is(read.flags, 0x0110)
  assert.is(read.opt?.ttl, 0x8000)
})

test('options of the operator stand in our OPT', () => {
  const ednsOptions = octets(0xff, 0xee, 0, 2, 0xab, 0xcd)
  const frame = upstreamQuery(asked, questionEnd, { ...options, ednsOptions })
  assert.equal(
    frame.subarray(questionEnd),
    opt({ udpBytes: 1232, options: option(0xffee, octets(0xab, 0xcd)) }),
  )
  assert.equal(withoutOpt(frame, questionEnd).length, questionEnd)
})

test('type and class keep octets that look like letters', () => {
  const odd = octets(header({}), question(name('a.example'), 0x4142, 0x4344))
  const frame = upstreamQuery(odd, odd.length, options)
  assert.is(frame.readUInt16BE(odd.length - 4), 0x4142)
  assert.is(frame.readUInt16BE(odd.length - 2), 0x4344)
})

test('without OPT the same question remains, in a buffer of its own', () => {
  const frame = upstreamQuery(asked, questionEnd, options)
  const before = Buffer.from(frame)
  const plain = withoutOpt(frame, questionEnd)
  const read = readMessage(plain)
  assert.is(read.opt, undefined)
  assert.is(read.questions[0]?.type, 65)
  plain.fill(0)
  assert.equal(frame, before)
})

test('a frame holds nothing but what is to be sent, wherever its memory was before', () => {
  // Fills the pool with something else first.
  for (let i = 0; i < 2000; i++) Buffer.allocUnsafe(64).fill(0xa5)
  const frame = upstreamQuery(asked, questionEnd, options)
  assert.not(frame.includes(0xa5))
})

const reverse = octets(header({}), question(name('4.3.2.1.in-addr.arpa'), 0x6161, 0x6161), opt())
const reverseEnd = reverse.length - 11

/** The capitals of a name. */
const capitalsOf = (frame: Buffer) => frame.toString('latin1').replaceAll(/[^A-Z]/g, '')

test('random case changes the letters of the name and nothing else, in a copy', () => {
  const before = Buffer.from(reverse)
  const mixed = inRandomCase(reverse, reverseEnd, () => 0b0101)
  assert.is(
    mixed?.toString('latin1', 12, reverseEnd - 4),
    '\x014\x013\x012\x011\x07In-Addr\x04arpa\0',
  )
  const type = reverse.subarray(reverseEnd - 4)
  assert.equal(mixed?.subarray(reverseEnd - 4), type, 'a type that looks like letters')
  assert.equal(reverse, before)
})

test('there is a capital at least, and sixteen bits are drawn for sixteen letters', () => {
  assert.is(capitalsOf(inRandomCase(reverse, reverseEnd, () => 0) ?? reverse), 'I')
  assert.is(capitalsOf(inRandomCase(reverse, reverseEnd, () => 0xffff) ?? reverse), 'INADDRARPA')
  let draws = 0
  const long = octets(header({}), question(name('abcdefghijklmnopqrstuvwxyz.example'), 1))
  inRandomCase(long, long.length, () => draws++)
  assert.is(draws, 3)
})

test('a name with fewer than eight letters has too few', () => {
  const of = (text: string) => octets(header({}), question(name(text), 1))
  const draw = (query: Buffer) => inRandomCase(query, query.length, () => 0xffff)
  assert.is(draw(of('abc.1234567.defg')), undefined)
  assert.ok(draw(of('abc.1234567.defgh')))
})

test.run()
