/*
 * Goal: what a client asked is read to the bit, and what cannot be asked costs next to nothing. Which verdict each odd query
 * gets is in fuzz/wire.test.ts, one fixture each; here is what the rest of the program reads from a question, and the time.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Question, readQuestion, Verdict } from '../../src/wire/question.ts'
import {
  header,
  labels,
  name,
  octets,
  opt,
  option,
  pointer,
  question,
  rr,
} from '../fixtures/packets/octets.ts'

const test = suite('wire/question')

const host = name('api.shop.svc.cluster.local')

function read(packet: Buffer): { verdict: Verdict; question: Question } {
  const into = new Question()
  return { verdict: readQuestion(packet, packet.length, into), question: into }
}

function withOpt(of: Parameters<typeof opt>[0]): Buffer {
  return octets(header({ counts: [1, 0, 0, 1] }), question(host, 1), opt(of))
}

test('ID, flags, type and class are read, and where the name and the question end', () => {
  const { verdict, question: read1 } = read(
    octets(header({ id: 0xbeef, flags: 0x0110 }), question(host, 28)),
  )
  assert.is(verdict, Verdict.ask)
  assert.is(read1.id, 0xbeef)
  assert.ok(read1.recursionDesired)
  assert.ok(read1.checkingDisabled)
  assert.is(read1.qnameEnd, 12 + host.length)
  assert.is(read1.questionEnd, 16 + host.length)
  assert.equal([read1.qtype, read1.qclass], [28, 1])
  const { question: read2 } = read(octets(header({ flags: 0 }), question(host, 1)))
  assert.not(read2.recursionDesired)
  assert.not(read2.checkingDisabled)
})

test('without EDNS a client takes 512 octets; with it what it says, but no less', () => {
  const plain = read(octets(header({}), question(host, 1))).question
  assert.equal([plain.hasEdns, plain.udpBytes, plain.dnssecOk], [false, 512, false])
  for (const [said, taken] of [
    [0, 512],
    [511, 512],
    [512, 512],
    [513, 513],
    [1232, 1232],
    [65535, 65535],
  ] as const) {
    assert.is(read(withOpt({ udpBytes: said })).question.udpBytes, taken)
  }
})

test('DO is read from the OPT record, whatever else its flags say', () => {
  assert.ok(read(withOpt({ dnssecOk: true })).question.dnssecOk)
  const packet = withOpt({})
  packet.writeUInt16BE(0x7fff, packet.length - 4)
  assert.not(read(packet).question.dnssecOk)
})

test('OPT may stand anywhere in the additional section', () => {
  const extra = rr({ owner: pointer(12), type: 1, data: octets(192, 0, 2, 1) })
  for (const records of [
    [opt({ udpBytes: 900 }), extra],
    [extra, opt({ udpBytes: 900 })],
  ]) {
    const { verdict, question: asked } = read(
      octets(header({ counts: [1, 0, 0, 2] }), question(host, 1), records),
    )
    assert.is(verdict, Verdict.ask)
    assert.is(asked.udpBytes, 900)
  }
})

test('of the options keepalive is seen, among whatever others', () => {
  const options = octets(
    option(10, octets('12345678')),
    option(11, octets()),
    option(65001, octets('loopmark')),
    option(12, Buffer.alloc(30)),
  )
  const packet = withOpt({ options })
  const { verdict, question: asked } = read(packet)
  assert.is(verdict, Verdict.ask)
  assert.ok(asked.wantsKeepalive)
})

test('BADVERS wins over the type, but not over a broken record', () => {
  assert.is(read(withOpt({ version: 1 })).verdict, Verdict.badvers)
  const transfer = octets(
    header({ counts: [1, 0, 0, 1] }),
    question(host, 252),
    opt({ version: 1 }),
  )
  assert.is(read(transfer).verdict, Verdict.badvers)
  const broken = octets(
    header({ counts: [1, 0, 0, 2] }),
    question(host, 1),
    opt({ version: 1 }),
    opt({}),
  )
  assert.is(read(broken).verdict, Verdict.formerr)
})

test('a dot octet stays inside its label', () => {
  const packet = octets(header({}), question(octets(3, 'a.b', labels('example'), 0), 1))
  const { verdict, question: asked } = read(packet)
  assert.is(verdict, Verdict.ask)
  assert.is(asked.qnameEnd, 12 + 4 + 8 + 1)
})

test('nothing of one packet is left for the next', () => {
  const into = new Question()
  const options = option(11, octets())
  const rich = withOpt({ udpBytes: 4096, dnssecOk: true, options })
  const fresh = new Question()
  for (const packet of [
    octets(header({ flags: 0x8180 }), question(host, 1)),
    octets(header({ flags: 0x2900 }), question(host, 1)),
    octets(header({ counts: [0, 0, 0, 0] })),
    octets(header({}), 9, 'abc'),
    octets(header({}), question(host, 1)),
  ]) {
    assert.is(readQuestion(rich, rich.length, into), Verdict.ask)
    const verdict = readQuestion(packet, packet.length, into)
    assert.is(readQuestion(packet, packet.length, fresh), verdict)
    assert.equal(into, fresh)
  }
})

test('a copy of a question does not change with the original', () => {
  const { question: original } = read(withOpt({ dnssecOk: true }))
  const copy = original.clone()
  const next = octets(header({ id: 1 }), question(name('.'), 2))
  readQuestion(next, next.length, original)
  assert.is(copy.id, 0x1234)
  assert.ok(copy.dnssecOk)
  assert.is(copy.qnameEnd, 12 + host.length)
})

test('sixteen records beside the question are read, seventeen are too many', () => {
  const padding = rr({ owner: name('.'), type: 16, data: octets() })
  const packet = (count: number) =>
    octets(
      header({ counts: [1, 0, 0, count] }),
      question(host, 1),
      Array.from({ length: count }, () => padding),
    )
  assert.is(read(packet(16)).verdict, Verdict.ask)
  assert.is(read(packet(17)).verdict, Verdict.formerr)
})

test('a query that claims 65,535 records is refused at once, with 64 KiB behind it as with none', () => {
  const into = new Question()
  for (const behind of [0, 11, 4000 * 11, 65_000]) {
    const packet = octets(
      header({ counts: [1, 65535, 65535, 65535] }),
      question(host, 1),
      Buffer.alloc(behind),
    )
    const times = Array.from({ length: 200 }, () => {
      const startMs = performance.now()
      assert.is(readQuestion(packet, packet.length, into), Verdict.formerr)
      return performance.now() - startMs
    })
    const fastest = Math.min(...times)
    assert.ok(fastest < 0.02, `${behind} octets behind: ${fastest} ms`)
  }
})

test('16,000 empty options in one OPT record take less than a millisecond', () => {
  const packet = withOpt({ options: Buffer.alloc(64_000) })
  const times = Array.from({ length: 50 }, () => {
    const startMs = performance.now()
    assert.is(read(packet).verdict, Verdict.ask)
    return performance.now() - startMs
  })
  assert.ok(Math.min(...times) < 1, `${Math.min(...times)} ms`)
})

test('every verdict comes from the header or from octets that were there', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (packet) => {
      const { verdict, question: asked } = read(Buffer.from(packet))
      assert.is(verdict === Verdict.dropShort, packet.length < 12)
      assert.ok(asked.questionEnd <= packet.length)
      if (verdict === Verdict.ask) assert.is(asked.questionEnd, asked.qnameEnd + 4)
    }),
    { numRuns: 20_000 },
  )
})

test.run()
