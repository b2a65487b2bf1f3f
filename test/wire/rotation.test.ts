/*
 * Goal: each reply has the addresses of a set in another order and is otherwise the same message. Method: images of every make, turned
 * by every number and read back.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { ReplyShape, writeReply, writeStored } from '../../src/wire/reply.ts'
import { addressRun, turnAddresses } from '../../src/wire/rotation.ts'
import {
  header,
  labels,
  name,
  octets,
  pointer,
  question,
  rr,
  u16,
} from '../fixtures/packets/octets.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'

const test = suite('wire/rotation')

const qname = name('www.corp.example')
const bodyAt = 12 + qname.length + 4
const self = pointer(12)
const a = (last: number, owner = self, ttl = 30) =>
  rr({ owner, type: 1, ttl, data: octets(10, 0, last >> 8, last & 255) })
const v6 = (last: number, owner = self) =>
  rr({ owner, type: 28, data: octets(Buffer.alloc(14, 0xfd), u16(last)) })
const many = (count: number, make: (i: number) => Buffer) =>
  Array.from({ length: count }, (_, i) => make(i))
const cname = rr({ owner: self, type: 5, data: octets(labels('origin'), pointer(16)) })
const origin = pointer(bodyAt + 12)
const signature = rr({
  owner: self,
  type: 46,
  data: octets(0, 1, Buffer.alloc(16), 0, 'signature'),
})

function image(answers: readonly Buffer[], additionals: readonly Buffer[] = []): Buffer {
  const counts = [1, answers.length, 0, additionals.length] as const
  return octets(header({ id: 0, flags: 0x8080, counts }), question(qname, 1), answers, additionals)
}

/** Turned, from among other bytes. */
function turned(whole: Buffer, turns: number): Buffer {
  const memory = octets(Buffer.alloc(37, 0x5a), whole, Buffer.alloc(41, 0x3c))
  const before = Buffer.from(memory)
  const out = Buffer.from(whole)
  turnAddresses(out, memory, 37, addressRun(whole), turns)
  assert.equal(memory, before)
  return out
}

function rotated<T>(list: readonly T[], by: number): T[] {
  return [...list.slice(by), ...list.slice(0, by)]
}

for (const [what, of] of Object.entries({ A: a, AAAA: v6 })) {
  for (const count of [2, 3, 8, 9, 40]) {
    test(`${count} ${what}: each turn begins with the next one, and they come round`, () => {
      const records = many(count, (i) => of(i))
      const whole = image(records)
      for (let turns = 0; turns <= 2 * count; turns++) {
        assert.equal(turned(whole, turns), image(rotated(records, turns % count)))
      }
    })
  }
}

test('aliases stay first and signatures last', () => {
  const records = [cname, a(1, origin), a(2, origin), a(3, origin), signature]
  const wanted = [cname, a(3, origin), a(1, origin), a(2, origin), signature]
  assert.equal(turned(image(records), 2), image(wanted))
})

test('only the first set of addresses in the answer turns', () => {
  const mixed = [a(1), v6(1), v6(2), a(2), a(3)]
  assert.equal(turned(image(mixed), 1), image([a(1), v6(2), v6(1), a(2), a(3)]))
  assert.is(addressRun(image([a(1)], [a(2), a(3)])), 0)
})

test('TTLs stay in their places, because they are those of the set', () => {
  const [one, two] = [a(1, self, 30), a(2, self, 30)]
  assert.equal(turned(image([one, two]), 1), image([two, one]))
  const wanted = image([a(2, self, 10), a(1, self, 20)])
  assert.equal(turned(image([a(1, self, 10), a(2, self, 20)]), 1), wanted)
})

test('what is no set of addresses has nothing to turn', () => {
  const mx = (i: number) => rr({ owner: self, type: 15, data: octets(u16(i), pointer(16)) })
  for (const records of [[], [a(1)], [mx(1), mx(2)], [cname, a(1, origin)], [a(1), v6(1)]]) {
    assert.is(addressRun(image(records)), 0)
  }
  // Their owners differ, or stand in full.
  assert.is(addressRun(image([a(1), a(2, pointer(16))])), 0)
  assert.is(addressRun(image([a(1, qname), a(2, qname)])), 0)
})

test('the largest set there can be is known', () => {
  const count = Math.floor((65_535 - bodyAt) / 16)
  const records = many(count, (i) => a(i))
  assert.equal(turned(image(records), count - 1), image(rotated(records, count - 1)))
})

test('a number of turns may be anything, such as that of an entry older than its process', () => {
  const whole = image(many(3, (i) => a(i)))
  for (const turns of [-1, -12_345, 2 ** 31 + 7, 2 ** 40]) {
    assert.is(new Set(readMessage(turned(whole, turns)).answers.map(({ data }) => data)).size, 3)
  }
})

/** First addresses of `replies` replies. */
function firsts(whole: Buffer, bytesMax: number, rotates: boolean, replies: number): string[] {
  const query = writeQuery('www.corp.example', 'A')
  const asked = new Question()
  readQuestion(query, query.length, asked)
  const shape = Object.assign(new ReplyShape(), { bytesMax, rotates })
  const out = Buffer.alloc(65_535)
  return many(replies, (i) => {
    shape.turns = i
    const run = addressRun(whole)
    const stored = { memory: whole, imageAt: 0, imageBytes: whole.length, run, turns: i }
    const bytes =
      i % 2 === 0
        ? writeStored(out, stored, query, asked, shape)
        : writeReply(out, whole, query, asked, shape)
    return Buffer.from(out.subarray(0, bytes))
  }).map((reply) => readMessage(reply).answers[0]?.data ?? 'none')
}

test('a reply that is cut was turned before, so that each address reaches somebody', () => {
  const whole = image(many(60, (i) => a(i)))
  for (const bytesMax of [512, 65_535]) {
    assert.is(new Set(firsts(whole, bytesMax, true, 60)).size, 60)
    assert.is(new Set(firsts(whole, bytesMax, false, 60)).size, 1)
  }
})

test.run()
