/** Goal: the key holds all that changes an answer and nothing else (CVE-2024-0874 is a key without CD). */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hashLike, QuestionKey } from '../../../src/core/cache/key.ts'
import { hashOfKey } from '../../../src/core/cache/key-bytes.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { header, name, octets, opt, option, question } from '../../fixtures/packets/octets.ts'

const test = suite('core/cache/key')

const keys = new QuestionKey()

interface Asked {
  readonly qname?: Uint8Array
  readonly type?: number
  readonly flags?: number
  readonly edns?: Parameters<typeof opt>[0]
  readonly id?: number
}

function read(asked: Asked): [Buffer, Question] {
  const { qname = name('www.example'), type = 1, flags = 0x0100, edns, id = 1 } = asked
  const counts = [1, 0, 0, edns === undefined ? 0 : 1] as const
  const query = octets(
    header({ id, flags, counts }),
    question(qname, type),
    edns === undefined ? [] : opt(edns),
  )
  const into = new Question()
  readQuestion(query, query.length, into)
  return [query, into]
}

function key(asked: Asked): string {
  return keys.read(...read(asked)).text()
}

test('letter case, ID, RD, EDNS size, options and AD do not split the cache', () => {
  const plain = key({})
  assert.is(key({ qname: name('WwW.ExAmPlE') }), plain)
  assert.is(key({ id: 99 }), plain)
  assert.is(key({ flags: 0x0000 }), plain)
  assert.is(key({ flags: 0x0120 }), plain)
  assert.is(key({ edns: { udpBytes: 4096 } }), plain)
  assert.is(key({ edns: { options: option(8, octets('subnet')) } }), plain)
  assert.is(key({ edns: { options: option(10, octets('12345678')) } }), plain)
})

test('name, type, DO and CD do', () => {
  const all = [
    key({}),
    key({ qname: name('ww.example') }),
    key({ qname: name('.') }),
    key({ type: 28 }),
    key({ type: 256 }),
    key({ flags: 0x0110 }),
    key({ edns: { dnssecOk: true } }),
    key({ flags: 0x0110, edns: { dnssecOk: true } }),
  ]
  assert.is(new Set(all).size, all.length)
})

test('a dot octet inside a label is another name than two labels', () => {
  assert.is.not(key({ qname: octets(3, 'a.b', 0) }), key({ qname: octets(1, 'a', 1, 'b', 0) }))
})

test('octets above 127 are kept apart', () => {
  const seen = new Set<string>()
  for (let octet = 0; octet < 256; octet++) seen.add(key({ qname: octets(1, octet, 0) }))
  // 26 letters in two cases.
  assert.is(seen.size, 256 - 26)
})

test('name and hash are those of the folded qname', () => {
  key({ qname: name('WWW.Example'), type: 5 })
  const hash = keys.nameHash
  assert.equal(Buffer.from(keys.name.subarray(0, keys.nameBytes)), name('www.example'))
  key({ qname: name('www.example'), type: 99 })
  assert.is(keys.nameHash, hash)
})

test('the hash of another type is that of the key which is made for it', () => {
  const model = key({
    qname: name('www.example'),
    type: 1,
    flags: 0x0110,
    edns: { dnssecOk: true },
  })
  const { nameHash } = keys
  for (const type of [28, 65, 65535]) {
    const hash = hashOfKey(keys.ofType(type), nameHash)
    assert.equal([keys.hashOfType(type), hashLike(model, nameHash, type)], [hash, hash])
  }
})

test('two questions share a key exactly when folded name, type, DO and CD are equal', () => {
  const asked = fc.record({
    labels: fc.array(fc.constantFrom('a', 'A', 'b', 'a.b', '\u0000'), { maxLength: 3 }),
    type: fc.constantFrom(1, 28, 257),
    cd: fc.boolean(),
    dnssecOk: fc.boolean(),
  })
  const wire = (parts: readonly string[]) => octets(...parts.map((part) => [part.length, part]), 0)
  const of = ({
    labels: parts,
    type,
    cd,
    dnssecOk,
  }: typeof asked extends fc.Arbitrary<infer T> ? T : never) => ({
    qname: wire(parts),
    type,
    flags: cd ? 0x0110 : 0x0100,
    edns: { dnssecOk },
  })
  fc.assert(
    fc.property(asked, asked, (one, other) => {
      const same = (a: typeof one) =>
        JSON.stringify({ ...a, labels: a.labels.map((l) => l.toLowerCase()) })
      assert.is(key(of(one)) === key(of(other)), same(one) === same(other))
    }),
    { numRuns: 5000 },
  )
})

test.run()
