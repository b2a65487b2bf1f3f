/*
 * Goal: two keys are equal when their words are, and text and octets of a key have the same hashes. Method: random names, types and bits.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  hashOf,
  hashOfKey,
  KeyBytes,
  keyBytesMax,
  suffixBytes,
  wordsFor,
  wordsOf,
  writeSuffix,
} from '../../../src/core/cache/key-bytes.ts'
import { nameBytesMax } from '../../../src/wire/constants.ts'
import { name, octets } from '../../fixtures/packets/octets.ts'

const test = suite('core/cache/key-bytes')

class Key extends KeyBytes {
  make(qname: Uint8Array, typeAndClass: number, bits: number): this {
    this.octets.set(qname)
    this.finish(qname.length, typeAndClass, bits)
    return this
  }

  get text(): string {
    return this.octets.toString('latin1', 0, this.bytes)
  }
}

test('that many words hold that many octets', () => {
  assert.equal([0, 1, 4, 5, 8, 9, keyBytesMax].map(wordsFor), [0, 1, 1, 2, 2, 3, 65])
  assert.is(keyBytesMax, nameBytesMax + suffixBytes)
})

test('a key is the name, then type, class and bits', () => {
  const key = new Key().make(name('a.b'), 0x0041_0003, 6)
  assert.equal(
    Buffer.from(key.octets.subarray(0, key.bytes)),
    octets(name('a.b'), [0, 0x41, 0, 3, 6]),
  )
  assert.equal([key.nameBytes, key.bytes, key.wordCount], [5, 10, 3])
})

test('types and classes with the top bit set are written as they are', () => {
  const into = Buffer.alloc(7, 0xee)
  assert.is(writeSuffix(into, 1, 0xfeff_8001 | 0, 3), 6)
  assert.equal([...into], [0xee, 0xfe, 0xff, 0x80, 0x01, 3, 0xee])
})

test('what a longer key left behind does not count', () => {
  const used = new Key().make(Buffer.alloc(nameBytesMax, 0xff), 0xffff_ffff | 0, 0xff)
  for (const text of ['', 'a', 'ab', 'abc', 'abcd', 'a.b.c.example']) {
    const fresh = new Key().make(name(text), 0x0001_0001, 1)
    used.make(name(text), 0x0001_0001, 1)
    assert.equal([used.hash, used.nameHash], [fresh.hash, fresh.nameHash], text)
    assert.equal(
      [...used.words.subarray(0, used.wordCount)],
      [...fresh.words.subarray(0, fresh.wordCount)],
      text,
    )
  }
})

test('the longest name there is fits', () => {
  const key = new Key().make(Buffer.alloc(nameBytesMax, 0x61), 0x0001_0001, 7)
  assert.equal([key.bytes, key.octets[keyBytesMax - 1]], [keyBytesMax, 7])
})

const qname = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 6 })
  .map((labels) => octets(...labels.map((each) => octets([each.length], each)), [0]))
const typeAndClass = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

test('text and octets of a key have the same hashes and the same words', () => {
  fc.assert(
    fc.property(qname, typeAndClass, fc.nat(7), (asked, type, bits) => {
      const key = new Key().make(asked, type, bits)
      const nameText = asked.toString('latin1')
      assert.is(hashOf(nameText), key.nameHash)
      assert.is(hashOfKey(key.text, key.nameHash), key.hash)
      assert.is(key.nameHash | 0, key.nameHash, '32 bits, signed')
      assert.is(key.hash | 0, key.hash)
      const words = wordsOf(key.text).subarray(0, key.wordCount)
      assert.equal([...words], [...key.words.subarray(0, key.wordCount)])
    }),
  )
})

test('keys that differ in one thing differ in their words and, but for chance, in their hash', () => {
  let sameHash = 0
  fc.assert(
    fc.property(qname, typeAndClass, fc.nat(7), fc.nat(2), (asked, type, bits, which) => {
      const one = new Key().make(asked, type, bits)
      const changed = Buffer.from(asked)
      if (which === 0) changed[0] = (changed[0] ?? 0) ^ 1
      const other = new Key().make(
        changed,
        which === 1 ? type ^ 0x1_0000 : type,
        which === 2 ? bits ^ 1 : bits,
      )
      const wordsText = ({ words, wordCount }: Key) => words.subarray(0, wordCount).join(' ')
      assert.is.not(wordsText(one), wordsText(other))
      if (one.hash === other.hash) sameHash += 1
      assert.is(one.nameHash === other.nameHash, which !== 0)
    }),
    { numRuns: 1000 },
  )
  assert.ok(sameHash <= 2, `${sameHash}`)
})

test('a key as text is taken as it is, and needs no suffix', () => {
  const key = new KeyBytes()
  key.write('\x01\xff\0\0\x01')
  assert.equal([...key.octets.subarray(0, key.bytes)], [1, 255, 0, 0, 1])
  assert.is(key.wordCount, 2)
})

test.run()
