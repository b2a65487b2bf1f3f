/** Goal: the records of the stand-ins are what their types say. Method: each kind put into a message and read back by the tests' own decoder. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseAddress } from '../../src/config/address.ts'
import {
  a,
  aaaa,
  answerImage,
  cname,
  type DemoRecord,
  https,
  mx,
  ptr,
  soa,
  srv,
  type TypedData,
  txt,
} from '../../src/demo/records.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'

const test = suite('demo/records')

function imageOf(answers: readonly DemoRecord[], authority: readonly DemoRecord[] = [], rcode = 0) {
  const query = writeQuery('WWW.example', 'A', { id: 0x1234, ednsBytes: 1232 })
  const asked = new Question()
  readQuestion(query, query.length, asked)
  return readMessage(answerImage(query, asked, { rcode, answers, authority }, 0x80))
}

/** Data of one record, as the decoder reads it: names and addresses in words, the rest in hexadecimal. */
function dataOf(data: TypedData): string | undefined {
  return imageOf([{ owner: 'x.example', ttlSeconds: 7, ...data }]).answers[0]?.data
}

test('a message carries the question as it came, no ID, no OPT, and its sections in order', () => {
  const one = { owner: 'x.example', ttlSeconds: 7, ...a('192.0.2.1') }
  const other = { owner: 'example', ttlSeconds: 300, ...a('192.0.2.2') }
  const message = imageOf([one], [other], 3)
  assert.equal(
    [message.id, message.qr, message.aa, message.ra, message.rcode, message.opt],
    [0, true, true, true, 3, undefined],
  )
  assert.equal(message.questions, [{ name: 'WWW.example.', type: 1, class: 1 }])
  assert.equal(
    [...message.answers, ...message.authorities].map(({ name, ttl, type }) => [name, ttl, type]),
    [
      ['x.example.', 7, 1],
      ['example.', 300, 1],
    ],
  )
})

test('addresses', () => {
  assert.is(dataOf(a('192.0.2.10')), '192.0.2.10')
  for (const text of [
    '2001:db8::10',
    '::1',
    'fd00::',
    '::',
    '2001:db8:1:2:3:4::8',
    '1:2:3:4:5:6:7:8',
  ]) {
    const told = parseAddress(dataOf(aaaa(text)) ?? '')
    assert.equal(told, parseAddress(text), text)
  }
})

test('names', () => {
  assert.is(dataOf(cname('a.example')), 'a.example.')
  assert.is(dataOf(ptr('a.example.')), 'a.example.')
  assert.match(dataOf(mx(10, 'mail.example')) ?? '', /mail\.example\./)
  assert.match(dataOf(srv(80, 'web.example')) ?? '', /web\.example\./)
  assert.match(dataOf(soa('ns.example', 'root.example', 9, [1, 2, 3, 4])) ?? '', /ns\.example\./)
})

test('numbers stand where their type has them', () => {
  assert.equal([...mx(0x0102, '.').data], [1, 2, 0])
  // Priority, weight, port (RFC 2782).
  assert.equal([...srv(0x1f90, '.').data], [0, 0, 0, 100, 0x1f, 0x90, 0])
  assert.equal([...soa('.', '.', 0x01020304, [5, 6, 7, 0x08090a0b]).data].slice(2), [
    ...[1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 8, 9, 10, 11],
  ])
  // SvcPriority 1, own name, key 1 (alpn) with "h2" behind its length (RFC 9460).
  assert.is(Buffer.from(https().data).toString('hex'), '00010000010003026832')
})

test('a text has its length in octets, not in characters', () => {
  assert.equal([...txt('ä').data], [2, 0xc3, 0xa4])
})

test('a name that is none is a defect of the demo', () => {
  assert.throws(() => cname('a..b'), /"a\.\.b" is no domain name/)
})

test.run()
