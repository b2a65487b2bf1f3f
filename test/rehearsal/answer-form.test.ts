// Goal: replies that mean the same to a program have the same form. Method: replies with names written in different ways.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerForm, isSameSet, saysTheSame, youngAgain } from '../../src/rehearsal/answer-form.ts'
import { header, name, octets, pointer, question, rr, u16 } from '../fixtures/packets/octets.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { type Records, replyTo } from './support.ts'

const test = suite('rehearsal/answer-form')

const query = writeQuery('www.example.com', 'A')

function formOf(reply: Buffer) {
  const form = answerForm(reply)
  if (form === undefined) throw new Error('unreadable')
  return form
}

const form = (records: Records) => formOf(replyTo(query, records))

test('compression and letter case of names make no difference, in owners and in data', () => {
  const asked = question(name('www.example.com'), 15)
  const mx = (owner: Uint8Array, target: Uint8Array) =>
    formOf(
      octets(
        header({ flags: 0x8180, counts: [1, 1, 0, 0] }),
        asked,
        rr({ owner, type: 15, data: octets(u16(10), target) }),
      ),
    )
  const whole = mx(name('WWW.example.com'), name('Mail.Example.com'))
  const short = mx(pointer(12), octets(4, 'mail', pointer(16)))
  assert.equal(whole.records, short.records)
  assert.not.equal(whole.records, mx(pointer(12), name('mail.example.org')).records)
})

test('compression makes no difference in the data of later types either (RFC 3597 4)', () => {
  const asked = question(name('www.example.com'), 17)
  const rp = (mailbox: Uint8Array, texts: Uint8Array) =>
    formOf(
      octets(
        header({ flags: 0x8180, counts: [1, 1, 0, 0] }),
        asked,
        rr({ owner: pointer(12), type: 17, data: octets(mailbox, texts) }),
      ),
    ).records
  const whole = rp(name('Admin.example.com'), name('who.example.com'))
  assert.equal(rp(octets(5, 'admin', pointer(16)), octets(3, 'who', pointer(16))), whole)
  assert.not.equal(rp(octets(5, 'admin', pointer(16)), name('who.example.org')), whole)
})

test('order and TTLs are beside the form', () => {
  const one = form({ addresses: ['192.0.2.1', '192.0.2.2'], ttl: 30 })
  const other = form({ addresses: ['192.0.2.2', '192.0.2.1'], ttl: 7 })
  assert.ok(saysTheSame(one, other))
  assert.equal([one.ttlSeconds, other.ttls], [30, [7, 7]])
  assert.not(saysTheSame(one, form({ addresses: ['192.0.2.1', '192.0.2.3'] })))
  assert.not(saysTheSame(form({ rcode: 3 }), form({})))
})

test('sets count their members', () => {
  assert.not(isSameSet(['a', 'a', 'b'], ['a', 'b', 'b']))
  assert.ok(isSameSet(['b', 'a'], ['a', 'b']))
})

test('a denial has the TTL of its SOA, and a failure has none', () => {
  assert.is(form({ rcode: 3, isDenial: true, ttl: 5 }).ttlSeconds, 5)
  assert.is(form({ rcode: 2 }).ttlSeconds, undefined)
})

test('a reply without a question is its response code', () => {
  const bare = Buffer.from(replyTo(query, { rcode: 1 }).subarray(0, 12))
  bare.writeUInt16BE(0, 4)
  assert.equal([formOf(bare).rcode, formOf(bare).records], [1, []])
})

test('a reply that ends in the middle has no form', () => {
  const whole = replyTo(query, { addresses: ['192.0.2.1'] })
  assert.is(answerForm(whole.subarray(0, -1)), undefined)
  assert.is(answerForm(Buffer.alloc(5)), undefined)
})

test('TTLs are raised together, of the answer and of the SOA, and never lowered', () => {
  const aged = replyTo(query, { addresses: ['192.0.2.1'], alias: 'a.example', ttl: 4 })
  const young = readMessage(youngAgain(aged, 30))
  assert.equal(
    young.answers.map(({ ttl }) => ttl),
    [30, 30],
  )
  assert.is(readMessage(youngAgain(aged, 3)).answers[0]?.ttl, 4)
  const denial = replyTo(query, { rcode: 3, isDenial: true, ttl: 1 })
  assert.is(readMessage(youngAgain(denial, 5)).authorities[0]?.ttl, 5)
  assert.is(readMessage(denial).authorities[0]?.ttl, 1, 'a copy is changed')
})

test.run()
