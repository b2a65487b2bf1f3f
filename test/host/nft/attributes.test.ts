// Goal: attributes are laid out as netlink has them, and damaged ones are read as far as they are whole. Method: bytes written by hand.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attribute,
  eachAttribute,
  nested,
  number32,
  number64,
  readAttributes,
  readNumber32,
  readNumber64,
  readText,
  text,
} from '../../../src/host/nft/attributes.ts'

const test = suite('host/nft/attributes')

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex')

test('an attribute is length, type and value, padded to four bytes that its length does not count', () => {
  assert.is(hex(attribute(1, Buffer.from([0xaa]))), '05000100aa000000')
  assert.is(hex(attribute(1, Buffer.alloc(0))), '04000100')
  assert.is(hex(text(3, 'abcd')), '090003006162636400000000')
})

test('a nested one carries the bit that says so, which is no part of its type', () => {
  const made = nested(2, number32(1, 53))
  assert.is(hex(made), '0c0002800800010000000035')
  assert.equal([...readAttributes(made).keys()], [2])
})

test('numbers are big-endian, and negative ones come back as they were', () => {
  assert.is(hex(number32(1, -3)), '08000100fffffffd')
  assert.is(readNumber32(readAttributes(number32(1, -300)).get(1)), -300)
  assert.is(hex(number64(1, 2500n)), '0c00010000000000000009c4')
  const large = 2n ** 64n - 1n
  assert.is(readNumber64(readAttributes(number64(1, large)).get(1)), large)
})

test('of several attributes of one type the last is found, and a list has them all', () => {
  const list = Buffer.concat([number32(1, 5), number32(1, 6)])
  assert.is(readNumber32(readAttributes(list).get(1)), 6)
  assert.equal(
    [...eachAttribute(list)].map(([type, value]) => [type, readNumber32(value)]),
    [
      [1, 5],
      [1, 6],
    ],
  )
})

test('a cut attribute, a length below the header and one beyond the end stop the reading', () => {
  const made = Buffer.concat([number32(1, 5), text(3, 'abcd')])
  for (let length = 8; length < 8 + 9; length++) {
    assert.equal([...readAttributes(made.subarray(0, length)).keys()], [1], `${length} bytes`)
  }
  assert.equal([...readAttributes(made.subarray(0, 17)).keys()], [1, 3], 'padding may be missing')
  assert.equal([...eachAttribute(Buffer.from([0, 0, 1, 0]))], [])
  assert.equal([...eachAttribute(Buffer.from([3, 0, 1, 0]))], [])
  assert.equal([...eachAttribute(Buffer.from([0xff, 0xff, 1, 0]))], [])
})

test('an attribute without a value is one, also as the last', () => {
  const flag = attribute(5, Buffer.alloc(0))
  const read = readAttributes(Buffer.concat([flag, number32(1, 7), flag]))
  assert.equal([read.get(5)?.length, readNumber32(read.get(1))], [0, 7])
})

test('a text ends at its NUL, or with its attribute', () => {
  assert.is(readText(readAttributes(text(1, 'kube-proxy')).get(1)), 'kube-proxy')
  assert.is(readText(Buffer.from('abc')), 'abc')
  assert.is(readText(Buffer.from('a\0b\0')), 'a')
  assert.is(readText(Buffer.from('\0rest')), '')
  assert.is(readText(undefined), '')
})

test('a number that is missing or short is none', () => {
  assert.is(readNumber32(undefined), undefined)
  assert.is(readNumber32(Buffer.alloc(3)), undefined)
  assert.is(readNumber64(Buffer.alloc(7)), undefined)
  assert.is(readNumber64(Buffer.alloc(8)), 0n)
})

test.run()
