/*
 * Goal: octets that were kept stay what they were, wherever they lie, and large messages do not waste chunks. Method: messages and words
 * of every size around the bounds, all read back at the end.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CacheMemory } from '../../../src/core/cache/memory.ts'

const test = suite('core/cache/memory')

const chunkBytes = 8192
const sharedBytesMax = 1024

function message(length: number, fill: number): Buffer {
  return Buffer.alloc(length, fill)
}

test('a message is copied from where it stands, and lies where it is said to', () => {
  const memory = new CacheMemory()
  const from = Buffer.from('..message..')
  const at = memory.keep(from, 2, 7)
  from.fill(0)
  assert.is(memory.octets.toString('latin1', at, at + 7), 'message')
})

test('messages share a chunk, one behind the other', () => {
  const memory = new CacheMemory()
  assert.is(memory.keep(message(100, 1), 0, 100), 0)
  const { octets } = memory
  assert.is(octets.length, chunkBytes)
  assert.is(memory.keep(message(50, 2), 0, 50), 100)
  assert.is(memory.octets, octets)
})

test('a message of an eighth of a chunk is shared, a longer one is an allocation of its own', () => {
  const memory = new CacheMemory()
  memory.keep(message(sharedBytesMax, 1), 0, sharedBytesMax)
  assert.is(memory.octets.length, chunkBytes)
  assert.is(memory.keep(message(sharedBytesMax + 1, 2), 0, sharedBytesMax + 1), 0)
  assert.is(memory.octets.length, sharedBytesMax + 1)
  assert.is(memory.octets.buffer.byteLength, sharedBytesMax + 1, 'not of a pool')
  const whole = Buffer.concat([message(9, 4), message(sharedBytesMax + 1, 5)])
  memory.keep(whole, 9, sharedBytesMax + 1)
  assert.equal(memory.octets, message(sharedBytesMax + 1, 5))
  assert.is(memory.keep(message(1, 3), 0, 1), sharedBytesMax, 'the chunk goes on behind it')
})

test('a chunk is filled to its last octet, and then there is a new one', () => {
  const memory = new CacheMemory()
  for (let i = 0; i < 8; i++) assert.is(memory.keep(message(1024, i), 0, 1024), i * 1024)
  const { octets } = memory
  assert.is(memory.keep(message(1, 9), 0, 1), 0)
  assert.is.not(memory.octets, octets)
  assert.is(octets[8191], 7)
})

test('words begin at a multiple of four, and leave what follows where it may begin', () => {
  const memory = new CacheMemory()
  memory.keep(message(5, 1), 0, 5)
  const at = memory.keepWords(Int32Array.of(9, 8, 7, 6), 1, 2)
  assert.is(at, 2, 'octet 8')
  assert.equal([...memory.words.subarray(at, at + 2)], [8, 7])
  assert.is(memory.keep(message(3, 2), 0, 3), 16)
})

test('words that do not fit go to the chunk that comes next', () => {
  const memory = new CacheMemory()
  for (let i = 0; i < 8; i++) memory.keep(message(1023, i), 0, 1023)
  // 8 octets are left, at a multiple of four.
  assert.is(memory.keepWords(Int32Array.of(1, 2), 0, 2), 2046)
  const { words } = memory
  assert.is(memory.keepWords(Int32Array.of(3), 0, 1), 0)
  assert.is.not(memory.words, words)
  assert.equal([...words.subarray(2046)], [1, 2])
})

/** Fills a chunk. @returns where its keys are */
function fill(memory: CacheMemory): Int32Array {
  memory.keepWords(Int32Array.of(1), 0, 1)
  for (let i = 0; i < 7; i++) memory.keep(message(1024, i), 0, 1024)
  memory.keep(message(1020, 7), 0, 1020)
  return memory.words
}

test('a chunk whose messages have all left is filled anew, once', () => {
  const memory = new CacheMemory()
  const [first, second, third] = [fill(memory), fill(memory), fill(memory)]
  memory.release(second)
  assert.is(fill(memory), first)
  assert.is(fill(memory) === first, false)
  memory.release(third)
  assert.is(fill(memory), second)
})

test('neither the chunk that is being filled nor one whose messages are there is given up', () => {
  const memory = new CacheMemory()
  const first = fill(memory)
  memory.release(undefined)
  assert.is(fill(memory) === first, false)
  memory.release(first)
  assert.is([fill(memory), fill(memory)].includes(first), false)
})

interface Kept {
  readonly octets: Buffer
  readonly at: number
  readonly length: number
  readonly fill: number
  readonly words: Int32Array
  readonly wordsAt: number
  readonly key: readonly number[]
}

const item = fc.record({
  length: fc.oneof(fc.integer({ min: 12, max: 300 }), fc.integer({ min: 1000, max: 1100 })),
  fill: fc.nat(255),
  key: fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 66 }),
})

test('whatever was kept before and after, nothing overwrites anything', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 80, size: 'max' }), (items) => {
      const memory = new CacheMemory()
      const all = items.map(({ length, fill, key }): Kept => {
        const wordsAt = memory.keepWords(Int32Array.from(key), 0, key.length)
        const { words } = memory
        const at = memory.keep(message(length, fill), 0, length)
        return { octets: memory.octets, at, length, fill, words, wordsAt, key }
      })
      for (const { octets, at, length, fill, words, wordsAt, key } of all) {
        assert.ok(octets.subarray(at, at + length).every((octet) => octet === fill))
        assert.equal([...words.subarray(wordsAt, wordsAt + key.length)], [...key])
      }
    }),
    { numRuns: 200 },
  )
})

test.run()
