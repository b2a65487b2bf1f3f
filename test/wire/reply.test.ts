/*
 * Goal: each client gets its own answer: its ID, its letters, its bits, its OPT, its size. Method: one image, many questions,
 * read back by the tests' own decoder.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Ede, Rcode } from '../../src/wire/constants.ts'
import { makeImage } from '../../src/wire/image.ts'
import { parseName } from '../../src/wire/name.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import {
  negativeImage,
  ReplyShape,
  writeReply,
  writeShortReply,
  writeStored,
} from '../../src/wire/reply.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import {
  header,
  name,
  octets,
  opt,
  option,
  pointer,
  question,
  rr,
  u32,
} from '../fixtures/packets/octets.ts'
import { type ReadMessage, readMessage } from '../support/client/dns-message.ts'

const test = suite('wire/reply')

const host = name('www.example')
const a = rr({ owner: pointer(12), type: 1, ttl: 30, data: octets(192, 0, 2, 1) })

function imageOf(flags = 0x8180, answers = 1): Buffer {
  const records = new Array<Uint8Array>(answers).fill(a)
  const reply = octets(header({ flags, counts: [1, answers, 0, 0] }), question(host, 1), ...records)
  const scan = new ResponseScan()
  assert.ok(scanResponse(reply, reply.length, scan))
  const image = makeImage(reply, scan, new Uint8Array(answers).fill(1), true)
  assert.ok(image !== undefined)
  return image
}

function shaped(changes: Partial<ReplyShape> = {}): ReplyShape {
  return Object.assign(new ReplyShape(), changes)
}

function reply(query: Buffer, shape = shaped(), image = imageOf()): ReadMessage {
  const asked = new Question()
  readQuestion(query, query.length, asked)
  const out = Buffer.alloc(2000, 0xa5)
  const end = writeReply(out, image, query, asked, shape)
  assert.ok(
    out.subarray(end).every((octet) => octet === 0xa5),
    'writes behind its end',
  )
  assert.equal(replyFromStore(query, shape, image), Buffer.from(out))
  return readMessage(out.subarray(0, end))
}

/** The same image among others. @returns all that was written to */
function replyFromStore(query: Buffer, shape: ReplyShape, image: Buffer): Buffer {
  const asked = new Question()
  readQuestion(query, query.length, asked)
  const memory = Buffer.concat([Buffer.alloc(37, 0x5a), image, Buffer.alloc(41, 0x3c)])
  const before = Buffer.from(memory)
  const out = Buffer.alloc(2000, 0xa5)
  const stored = { memory, imageAt: 37, imageBytes: image.length, run: 0, turns: 0 }
  const end = writeStored(out, stored, query, asked, shape)
  assert.equal(memory, before)
  assert.is(readMessage(out.subarray(0, end)).id, asked.id)
  return out
}

function shortReply(query: Buffer, rcode: number, shape = shaped()): ReadMessage {
  const asked = new Question()
  readQuestion(query, query.length, asked)
  const out = Buffer.alloc(600, 0xa5)
  const end = writeShortReply(out, query, asked, rcode, shape)
  assert.ok(
    out.subarray(end).every((octet) => octet === 0xa5),
    'writes behind its end',
  )
  return readMessage(out.subarray(0, end))
}

const plain = (flags = 0x0100) => octets(header({ flags, id: 0xbeef }), question(host, 1))
const edns = (of: Parameters<typeof opt>[0] = {}, flags = 0x0100) =>
  octets(header({ flags, counts: [1, 0, 0, 1] }), question(host, 1), opt(of))

test('the reply has the ID and the letters of the query', () => {
  const query = octets(header({ id: 0xbeef }), question(name('wWw.ExAmPlE'), 1))
  const answer = reply(query)
  assert.is(answer.id, 0xbeef)
  assert.equal(answer.questions, [{ name: 'wWw.ExAmPlE.', type: 1, class: 1 }])
  // The owner is a pointer to the question and follows it.
  assert.is(answer.answers[0]?.name, 'wWw.ExAmPlE.')
})

test('the reply has the type of the query, whatever question the image was made for', () => {
  // An NXDOMAIN answers every type of its name (RFC 2308 5).
  const query = octets(header({}), question(host, 28))
  assert.is(reply(query, shaped(), imageOf(0x8183)).questions[0]?.type, 28)
})

test('RD and CD come from the query, RA is ours, Z is zero', () => {
  assert.is(reply(plain(0x0000)).flags, 0x8080)
  assert.is(reply(plain(0x0100)).flags, 0x8180)
  assert.is(reply(plain(0x0110)).flags, 0x8190)
  assert.is(reply(plain(0x0140)).flags, 0x8180)
})

test('TC, AA and a response code in the query do not come back', () => {
  assert.is(reply(plain(0x070f)).flags, 0x8180)
})

test('AA and the response code are the image’s', () => {
  assert.is(reply(plain(), shaped(), imageOf(0x8583)).flags, 0x8583)
})

test('AD is shown to those who set AD or DO, when the image has it', () => {
  const validated = imageOf(0x81a0)
  assert.not(reply(plain(), shaped(), validated).ad)
  assert.not(reply(edns(), shaped(), validated).ad)
  assert.ok(reply(plain(0x0120), shaped(), validated).ad)
  assert.ok(reply(edns({ dnssecOk: true }), shaped(), validated).ad)
  assert.not(reply(plain(0x0120)).ad)
})

test('OPT is there only when the client sent one: size 1232, version 0, its DO bit', () => {
  assert.is(reply(plain()).opt, undefined)
  assert.equal(reply(edns({ udpBytes: 4096 })).opt, { size: 1232, ttl: 0, data: '' })
  assert.equal(reply(edns({ dnssecOk: true })).opt, { size: 1232, ttl: 0x8000, data: '' })
})

test('options of the client are not echoed', () => {
  const options = octets(option(10, octets('12345678')), option(65300, octets('x')))
  assert.is(reply(edns({ options })).opt?.data, '')
})

test('an extended error goes to clients with EDNS only', () => {
  const stale = shaped({ ede: Ede.staleAnswer })
  assert.is(reply(plain(), stale).opt, undefined)
  assert.is(reply(edns(), stale).opt?.data, '000f00020003')
})

test('keepalive and extended error stand side by side', () => {
  const shape = shaped({ ede: Ede.cachedError, keepalive: 100 })
  assert.is(reply(edns(), shape).opt?.data, '000f0002000d000b00020064')
})

test('the image itself is not written to', () => {
  const image = imageOf()
  const before = Buffer.from(image)
  reply(octets(header({ id: 7 }), question(name('WWW.EXAMPLE'), 1)), shaped(), image)
  assert.equal(image, before)
})

test('a reply that does not fit with its OPT is truncated to make room for it', () => {
  const image = imageOf()
  const exact = reply(edns(), shaped({ bytesMax: image.length + 11 }), image)
  assert.equal([exact.tc, exact.answers.length], [false, 1])
  const tight = reply(edns(), shaped({ bytesMax: image.length + 10 }), image)
  assert.equal([tight.tc, tight.answers.length], [true, 0])
  assert.equal(tight.opt, { size: 1232, ttl: 0, data: '' })
})

test('an image of 700 octets goes out whole, and cut where it must be', () => {
  const image = imageOf(0x8180, 42)
  assert.is(image.length, 12 + 17 + 42 * 16)
  const whole = reply(edns(), shaped(), image)
  assert.equal([whole.tc, whole.answers.length], [false, 42])
  const cut = reply(plain(), shaped({ bytesMax: 512 }), image)
  assert.equal([cut.tc, cut.answers.length], [true, 30])
})

test('options of ours take room, too', () => {
  const image = imageOf()
  const full = image.length + 11 + 6 + 6
  const shape = { ede: Ede.staleAnswer, keepalive: 100 }
  assert.not(reply(edns(), shaped({ ...shape, bytesMax: full }), image).tc)
  assert.ok(reply(edns(), shaped({ ...shape, bytesMax: full - 1 }), image).tc)
})

test('a short reply is header, question and response code', () => {
  const answer = shortReply(plain(0x0110), Rcode.servfail)
  assert.is(answer.id, 0xbeef)
  assert.is(answer.flags, 0x8192)
  assert.equal(answer.questions, [{ name: 'www.example.', type: 1, class: 1 }])
  assert.equal([answer.answers.length, answer.authorities.length, answer.opt], [0, 0, undefined])
})

test('a short reply keeps opcode, RD and CD and clears AA, TC, Z and AD', () => {
  const update = octets(header({ id: 9, flags: 0x2f70 }), question(host, 6))
  const answer = shortReply(update, Rcode.notimp)
  assert.is(answer.opcode, 5)
  assert.is(answer.flags, 0x8000 | (5 << 11) | 0x0110 | 4)
})

test('RA is for questions: NOTIMP and FORMERR say nothing of recursion', () => {
  for (const [rcode, ra] of [
    [Rcode.notimp, 0],
    [Rcode.formerr, 0],
    [Rcode.servfail, 0x80],
    [Rcode.refused, 0x80],
    [Rcode.badvers, 0x80],
  ] as const) {
    assert.is(shortReply(plain(), rcode).flags & 0x80, ra, `${rcode}`)
  }
})

test('when no question could be read the reply is a header', () => {
  const answer = shortReply(octets(header({ id: 3 }), 9, 'abc'), Rcode.formerr)
  assert.equal([answer.id, answer.rcode, answer.questions.length], [3, 1, 0])
})

test('BADVERS is written in two parts, with version 0', () => {
  const query = edns({ version: 9 })
  const answer = shortReply(query, Rcode.badvers)
  assert.is(answer.rcode, 0)
  assert.equal(answer.opt, { size: 1232, ttl: 0x0100_0000, data: '' })
})

test('the upper bits of a response code are lost without EDNS, not put into the header', () => {
  assert.is(shortReply(plain(), Rcode.badvers).rcode, 0)
})

test('an NXDOMAIN with SOA can be made from the question alone', () => {
  const query = octets(header({ id: 5 }), question(name('No.Such.cluster.local'), 28))
  const asked = new Question()
  readQuestion(query, query.length, asked)
  const owner = parseName('cluster.local') ?? new Uint8Array()
  const data = octets(
    name('ns.dns.cluster.local'),
    name('hostmaster.cluster.local'),
    [1, 2, 3, 4, 5].map(u32),
  )
  const image = negativeImage(query, asked, Rcode.nxdomain, { owner, data, ttlSeconds: 70_000 })
  const answer = reply(query, shaped(), image)
  assert.equal([answer.rcode, answer.aa, answer.ra], [3, true, true])
  assert.equal(answer.questions, [{ name: 'No.Such.cluster.local.', type: 28, class: 1 }])
  assert.equal(answer.authorities, [
    {
      name: 'cluster.local.',
      type: 6,
      class: 1,
      ttl: 70_000,
      data: 'ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5',
    },
  ])
})

test.run()
