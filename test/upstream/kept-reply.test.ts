/*
 * Goal: of the replies that were no answers the client gets the one that says most. Method: each pair of them, in either order.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { KeptReply } from '../../src/upstream/kept-reply.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { aRecord, record, responseTo } from '../core/support.ts'
import { octets } from '../fixtures/packets/octets.ts'
import { NotingUpstream } from './parts.ts'

const test = suite('upstream/kept-reply')

function replyWith(rcode: number) {
  const reply = responseTo('www.example', 'A', { rcode })
  const scan = new ResponseScan()
  assert.ok(scanResponse(reply, reply.length, scan))
  return { reply, scan }
}

function best(...rcodes: readonly number[]): number {
  const [first = 0, ...others] = rcodes
  const { reply, scan } = replyWith(first)
  const kept = new KeptReply(reply, scan, new NotingUpstream('udp', 'first'))
  for (const rcode of others) {
    const other = replyWith(rcode)
    kept.offer(other.reply, other.scan, new NotingUpstream('udp', 'other'))
  }
  return kept.reply.readUInt8(3) & 0x0f
}

test('SERVFAIL says more than REFUSED, and REFUSED more than the rest, whichever came first', () => {
  for (const rcode of [1, 4, 5, 9, 0]) assert.equal([best(2, rcode), best(rcode, 2)], [2, 2])
  for (const rcode of [1, 4, 9, 0]) assert.equal([best(5, rcode), best(rcode, 5)], [5, 5])
})

test('an empty reply says more than the rest', () => {
  for (const rcode of [1, 4, 9]) assert.equal([best(0, rcode), best(rcode, 0)], [0, 0])
})

test('of equals the first stays, with its upstream', () => {
  const { reply, scan } = replyWith(4)
  const kept = new KeptReply(reply, scan, new NotingUpstream('udp', 'first'))
  kept.offer(reply, scan, new NotingUpstream('udp', 'other'))
  assert.is(kept.upstream.name, 'first')
  const better = replyWith(2)
  kept.offer(better.reply, better.scan, new NotingUpstream('udp', 'other'))
  assert.is(kept.upstream.name, 'other')
})

test('half an answer is more than any error, and more of an answer is more', () => {
  const cutTo = (count: number) => {
    const answers = Array.from({ length: count }, () => aRecord('www.example', '192.0.2.1'))
    const reply = responseTo('www.example', 'A', { flags: 0x0200, answers })
    const scan = new ResponseScan()
    assert.ok(scanResponse(reply, reply.length, scan))
    return { reply, scan }
  }
  const error = replyWith(2)
  const kept = new KeptReply(error.reply, error.scan, new NotingUpstream())
  assert.is(kept.isCut, false)
  for (const [offered, wanted] of [
    [cutTo(0), 0],
    [cutTo(2), 2],
    [cutTo(1), 2],
    [error, 2],
  ] as const) {
    kept.offer(offered.reply, offered.scan, new NotingUpstream())
    assert.equal([kept.isCut, kept.reply.readUInt16BE(6)], [true, wanted])
  }
})

test('what cannot be read says nothing, whatever its code and its bits', () => {
  const brokenAnswers = [record('www.example', 'A', octets(192, 0, 2))]
  for (const head of [{ rcode: 3 }, { flags: 0x0200 }]) {
    const reply = responseTo('www.example', 'A', { ...head, answers: brokenAnswers })
    const scan = new ResponseScan()
    assert.ok(scanResponse(reply, reply.length, scan))
    const kept = new KeptReply(reply, scan, new NotingUpstream())
    assert.equal([kept.isDenial, kept.isCut], [false, false])
    const refused = replyWith(5)
    kept.offer(refused.reply, refused.scan, new NotingUpstream())
    assert.is(kept.reply.readUInt8(3) & 0x0f, 5)
  }
})

test('it is a copy', () => {
  const { reply, scan } = replyWith(2)
  const kept = new KeptReply(reply, scan, new NotingUpstream())
  reply.fill(0xff)
  assert.is(kept.reply.readUInt8(3) & 0x0f, 2)
})

test.run()
