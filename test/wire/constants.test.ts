/** Goal: numbers have their registry's values. Method: types beside those of the tests' own decoder; the rest beside the RFCs. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  Ede,
  EdnsOption,
  Flag1,
  Flag2,
  Opcode,
  optFixedBytes,
  Rcode,
  RrClass,
  RrType,
  recordBytesMin,
  recordFixedBytes,
} from '../../src/wire/constants.ts'
import { typeNumbers } from '../support/client/dns-message.ts'

const test = suite('wire/constants')

test('types are those of the registry', () => {
  const ours = new Map<string, number>(Object.entries(RrType))
  for (const [text, number] of Object.entries(typeNumbers))
    assert.is(ours.get(text.toLowerCase()), number, text)
  const numbers = Object.values(RrType)
  assert.is(new Set(numbers).size, numbers.length)
})

test('header bits do not overlap, and leave opcode and rcode alone', () => {
  const sum = (flags: Readonly<Record<string, number>>) =>
    Object.values(flags).reduce((all, flag) => all | flag, 0)
  assert.equal([sum(Flag1), sum(Flag2)], [0xff & ~0x78, 0xf0])
})

test('rcodes, opcodes, classes and EDNS numbers', () => {
  assert.equal(Object.values(Rcode), [0, 1, 2, 3, 4, 5, 6, 16])
  assert.equal(Object.values(Opcode), [0, 4, 5])
  assert.equal(RrClass, { in: 1, ch: 3, hs: 4, none: 254, any: 255 })
  assert.equal(EdnsOption, { keepalive: 11, ede: 15 })
  // RFC 8914 4: stale answer, cached error, not ready, prohibited, stale NXDOMAIN, not authoritative, no reachable authority, network error.
  assert.equal(Object.values(Ede), [0, 3, 13, 14, 18, 19, 20, 22, 23])
})

test('no record is shorter than an owner of one octet and the fixed part', () => {
  assert.equal([recordFixedBytes, recordBytesMin, optFixedBytes], [10, 11, 11])
})

test.run()
