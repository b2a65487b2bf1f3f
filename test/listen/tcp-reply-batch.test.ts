/*
 * Goal: replies of one go leave in one write, in order and whole, and those of another connection are never among them. Method: owners
 * that keep what they are to write; replies of random lengths at the end.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type BatchOwner, ReplyBatch } from '../../src/listen/tcp-reply-batch.ts'
import { frameBytesMax } from '../../src/wire/framing.ts'

const test = suite('listen/tcp-reply-batch')

class Owner implements BatchOwner {
  readonly written: Buffer[] = []

  writeFrames(frames: Buffer): void {
    this.written.push(frames)
  }

  get bytes(): Buffer {
    return Buffer.concat(this.written)
  }
}

function framed(...replies: readonly Buffer[]): Buffer {
  return Buffer.concat(
    replies.flatMap((reply) => [Buffer.of(reply.length >> 8, reply.length & 0xff), reply]),
  )
}

test('replies of one connection are one write', () => {
  const [batch, owner] = [new ReplyBatch(), new Owner()]
  const [one, two] = [Buffer.from('one'), Buffer.from('second')]
  batch.append(owner, one, 3)
  batch.append(owner, two, 6)
  assert.equal([owner.written.length, batch.bytesFor(owner)], [0, 13])
  batch.flush()
  assert.equal(owner.written, [framed(one, two)])
  assert.is(batch.bytesFor(owner), 0)
})

test('a reply is copied, and only as much of it as is said', () => {
  const [batch, owner] = [new ReplyBatch(), new Owner()]
  const reply = Buffer.from('reply and more')
  batch.append(owner, reply, 5)
  reply.fill(0)
  batch.flush()
  assert.equal(owner.bytes, framed(Buffer.from('reply')))
})

test('a reply to another connection sends what waits for the first', () => {
  const batch = new ReplyBatch()
  const [one, other] = [new Owner(), new Owner()]
  batch.append(one, Buffer.from('1'), 1)
  batch.append(other, Buffer.from('2'), 1)
  assert.equal([one.written.length, batch.bytesFor(one), batch.bytesFor(other)], [1, 0, 3])
  batch.append(one, Buffer.from('3'), 1)
  batch.flush()
  assert.equal(
    [one.bytes, other.bytes],
    [framed(Buffer.from('1'), Buffer.from('3')), framed(Buffer.from('2'))],
  )
})

test('the longest reply fits by itself, and to the last octet', () => {
  const [batch, owner] = [new ReplyBatch(), new Owner()]
  const longest = Buffer.alloc(frameBytesMax - 2, 7)
  batch.append(owner, longest, longest.length)
  assert.is(owner.written.length, 0)
  batch.append(owner, Buffer.alloc(0), 0)
  assert.equal([owner.written.length, batch.bytesFor(owner)], [1, 2])
  batch.flush()
  assert.equal(owner.bytes, framed(longest, Buffer.alloc(0)))
})

test('replies that fill the batch to its last octet are one write', () => {
  const [batch, owner] = [new ReplyBatch(), new Owner()]
  const [one, rest] = [Buffer.alloc(1, 1), Buffer.alloc(frameBytesMax - 5, 2)]
  batch.append(owner, one, one.length)
  batch.append(owner, rest, rest.length)
  assert.equal([owner.written.length, batch.bytesFor(owner)], [0, frameBytesMax])
  batch.flush()
  assert.equal(owner.written, [framed(one, rest)])
})

test('what is written is no view of the batch, nor of a pool', () => {
  const [batch, owner] = [new ReplyBatch(), new Owner()]
  batch.append(owner, Buffer.from('first'), 5)
  batch.flush()
  batch.append(owner, Buffer.from('later'), 5)
  batch.flush()
  assert.equal(owner.written, [framed(Buffer.from('first')), framed(Buffer.from('later'))])
  for (const frames of owner.written) assert.is(frames.buffer.byteLength, 7)
})

test('nothing is written when nothing waits', () => {
  const [batch, owner] = [new ReplyBatch(), new Owner()]
  batch.flush()
  batch.append(owner, Buffer.from('1'), 1)
  batch.flush()
  batch.flush()
  assert.is(owner.written.length, 1)
})

test('a flush that is wanted soon comes at the end of the tick, once, with all that came meanwhile', async () => {
  const [batch, owner] = [new ReplyBatch(), new Owner()]
  batch.append(owner, Buffer.from('1'), 1)
  batch.flushSoon()
  batch.flushSoon()
  batch.append(owner, Buffer.from('2'), 1)
  assert.is(owner.written.length, 0)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(owner.written, [framed(Buffer.from('1'), Buffer.from('2'))])
  batch.append(owner, Buffer.from('3'), 1)
  batch.flushSoon()
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(owner.written.length, 2, 'and again')
})

const replies = fc.array(
  fc.record({
    owner: fc.nat(2),
    bytes: fc.oneof(fc.nat(600), fc.integer({ min: 20_000, max: 65_535 })),
  }),
  { maxLength: 30 },
)

test('whatever replies come for whom, each connection gets its own, in order and whole', () => {
  fc.assert(
    fc.property(replies, (all) => {
      const batch = new ReplyBatch()
      const owners = [new Owner(), new Owner(), new Owner()]
      const expected: Buffer[][] = [[], [], []]
      for (const [i, { owner, bytes }] of all.entries()) {
        const reply = Buffer.alloc(bytes, i)
        batch.append(owners[owner] as Owner, reply, bytes)
        expected[owner]?.push(reply)
      }
      batch.flush()
      for (const [i, owner] of owners.entries())
        assert.is(Buffer.compare(owner.bytes, framed(...(expected[i] ?? []))), 0)
      const writes = owners.flatMap(({ written }) => written)
      assert.ok(writes.every(({ length }) => length <= frameBytesMax))
    }),
    { numRuns: 50 },
  )
})

test.run()
