/*
 * Goal: messages come out of a stream as they went in, whatever its pieces.
 * Method: the same stream cut at every pair of places, octet by octet, and at random.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FrameReader, frameBytesMax, lengthPrefixBytes, putFrame } from '../../src/wire/framing.ts'

const framing = suite('wire/framing')

function streamOf(messages: readonly Uint8Array[]): Buffer {
  const bytes = messages.reduce((sum, { length }) => sum + lengthPrefixBytes + length, 0)
  const stream = Buffer.alloc(bytes)
  let at = 0
  for (const message of messages) at = putFrame(stream, at, message, message.length)
  assert.is(at, bytes)
  return stream
}

/** Feeds pieces that are wiped after use, so that a view kept too long is seen. */
function readAll(reader: FrameReader, pieces: readonly Uint8Array[]): string[] {
  const messages: string[] = []
  for (const piece of pieces) {
    const chunk = Buffer.from(piece)
    reader.push(chunk)
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      messages.push(next.toString('latin1'))
    }
    chunk.fill(0xee)
  }
  return messages
}

const texts = ['first message', '', 'x', 'the last one']
const stream = streamOf(texts.map((text) => Buffer.from(text)))

framing('a stream cut at any two places gives the same messages', () => {
  for (let first = 0; first <= stream.length; first += 1) {
    for (let second = first; second <= stream.length; second += 1) {
      const pieces = [
        stream.subarray(0, first),
        stream.subarray(first, second),
        stream.subarray(second),
      ]
      assert.equal(readAll(new FrameReader(), pieces), texts, `cut at ${first} and ${second}`)
    }
  }
})

framing('a stream that comes octet by octet gives the same messages', () => {
  const octets = Array.from(stream, (octet) => Buffer.of(octet))
  assert.equal(readAll(new FrameReader(), octets), texts)
})

framing('random messages in random pieces come out unchanged', () => {
  const message = fc.uint8Array({ maxLength: 3000 })
  const pieceBytes = fc.integer({ min: 1, max: 2000 })
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.array(pieceBytes, { minLength: 1 }),
      (sent, sizes) => {
        const whole = streamOf(sent)
        const pieces: Buffer[] = []
        for (let at = 0, turn = 0; at < whole.length; turn += 1) {
          const bytes = sizes[turn % sizes.length] ?? 1
          pieces.push(whole.subarray(at, at + bytes))
          at += bytes
        }
        const got = readAll(new FrameReader(), pieces)
        assert.equal(
          got,
          sent.map((octets) => Buffer.from(octets).toString('latin1')),
        )
      },
    ),
    { numRuns: 300 },
  )
})

framing('the longest message comes through in small pieces', () => {
  const longest = Buffer.alloc(65535, 'abc')
  const whole = streamOf([longest])
  assert.is(whole.length, frameBytesMax)
  const pieces: Buffer[] = []
  for (let at = 0; at < whole.length; at += 1000) pieces.push(whole.subarray(at, at + 1000))
  assert.equal(readAll(new FrameReader(), pieces), [longest.toString('latin1')])
})

framing('it knows that a message has begun from the first octet of its length', () => {
  const reader = new FrameReader()
  assert.is(reader.midMessage, false)
  for (const octet of [0, 3, 1, 2]) {
    readAll(reader, [Buffer.of(octet)])
    assert.is(reader.midMessage, true)
  }
  assert.equal(readAll(reader, [Buffer.of(3)]), ['\x01\x02\x03'])
  assert.is(reader.midMessage, false)
})

framing('a length alone allocates nothing, and a few octets only a little', () => {
  const reader = new FrameReader()
  readAll(reader, [Buffer.of(0xff, 0xff)])
  assert.is(reader.heldCapacity, 0)
  readAll(reader, [Buffer.alloc(10)])
  assert.is(reader.heldCapacity, 512)
  readAll(reader, [Buffer.alloc(503)])
  assert.is(reader.heldCapacity, 1024)
})

framing('a message in pieces is given up with its memory', () => {
  const reader = new FrameReader()
  readAll(reader, [stream.subarray(0, 9)])
  assert.ok(reader.heldCapacity > 0)
  reader.reset()
  assert.is(reader.heldCapacity, 0)
  assert.equal(readAll(reader, [stream]), texts)
})

framing('the memory of a message in pieces is released with the message', () => {
  const reader = new FrameReader()
  assert.equal(readAll(reader, [stream.subarray(0, 9), stream.subarray(9)]), texts)
  assert.is(reader.heldCapacity, 0)
})

framing('a message that lies whole in its piece is a view of it', () => {
  const reader = new FrameReader()
  reader.push(stream)
  assert.is(reader.next()?.buffer, stream.buffer)
  assert.is(reader.heldCapacity, 0)
})

framing('what is left of a piece can be taken away between two messages and given back', () => {
  const reader = new FrameReader()
  reader.push(stream)
  assert.is(reader.next()?.toString(), texts[0])
  const rest = reader.takeRest()
  assert.is(rest.length, stream.length - lengthPrefixBytes - 13)
  assert.is(reader.next(), undefined)
  assert.equal(readAll(reader, [rest]), texts.slice(1))
  assert.is(reader.takeRest().length, 0)
})

framing('a frame can be made of the front of a longer buffer', () => {
  const target = Buffer.alloc(10, 0xff)
  const end = putFrame(target, 1, Buffer.from('abcdef'), 3)
  assert.is(end, 6)
  assert.equal([...target.subarray(0, 7)], [0xff, 0, 3, 0x61, 0x62, 0x63, 0xff])
})

framing.run()
