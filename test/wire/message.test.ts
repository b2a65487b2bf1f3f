/** Goal: dns-packet is used where its traps do no harm. Method: each trap, and a round trip. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage, encodeQuery } from '../../src/wire/message.ts'
import { header, name, octets, pointer, question, rr } from '../fixtures/packets/octets.ts'
import { readMessage } from '../support/client/dns-message.ts'
import { readPackets } from '../support/client/packets.ts'

const test = suite('wire/message')

test('a query is encoded with RD, its ID and an OPT record', () => {
  const query = readMessage(encodeQuery({ name: 'www.example', type: 'AAAA', id: 77 }))
  assert.equal([query.id, query.flags], [77, 0x0100])
  assert.equal(query.questions, [{ name: 'www.example.', type: 28, class: 1 }])
  assert.equal(query.opt, { size: 1232, ttl: 0, data: '' })
})

test('EDNS can be left out, and DO asked for', () => {
  const plain = readMessage(encodeQuery({ name: 'a.example', type: 'A', id: 1, udpBytes: 0 }))
  assert.is(plain.opt, undefined)
  const secure = readMessage(
    encodeQuery({ name: 'a.example', type: 'A', id: 1, udpBytes: 4096, dnssecOk: true }),
  )
  assert.equal(secure.opt, { size: 4096, ttl: 0x8000, data: '' })
})

test('a sound message is decoded', () => {
  const wire = octets(
    header({ flags: 0x8180, counts: [1, 1, 0, 0] }),
    question(name('www.example'), 1),
    rr({ owner: pointer(12), type: 1, ttl: 30, data: octets(192, 0, 2, 1) }),
  )
  const decoded = decodeMessage(wire)
  assert.ok(decoded.ok)
  if (decoded.ok) {
    const [first] = decoded.message.answers ?? []
    assert.equal([first?.type, first?.name], ['A', 'www.example'])
  }
})

test('twelve octets that claim 65,535 records of each kind are refused at once', () => {
  const bomb = header({ flags: 0x8180, counts: [65535, 65535, 65535, 65535] })
  const startMs = performance.now()
  for (let i = 0; i < 100; i++) assert.not(decodeMessage(bomb).ok)
  assert.ok(performance.now() - startMs < 50)
})

test('junk gives a reason and no exception', () => {
  assert.equal(decodeMessage(Buffer.alloc(3)), { ok: false, why: 'shorter than a header' })
  for (const { packet } of readPackets('responses')) {
    for (let length = 0; length < Math.min(packet.length, 300); length += 3) {
      const decoded = decodeMessage(Buffer.from(packet.subarray(0, length)))
      assert.ok(decoded.ok || decoded.why !== '')
    }
  }
})

test.run()
