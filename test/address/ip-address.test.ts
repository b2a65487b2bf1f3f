// Goal: an address has one text and one row of bytes, whichever way it came in.
// Method: tables; random bytes there and back, with Node's own URL parser as the judge of the text.
import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  addressBytes,
  addressRange,
  addressText,
  addressTextAt,
  firstAddressOf,
  isInNetwork,
  parseIpAddress,
} from '../../src/address/ip-address.ts'

const test = suite('address/ip-address')

const bytesOf = (count: number) => fc.uint8Array({ minLength: count, maxLength: count })
/** Addresses with runs of zeros, which random bytes hardly ever have. */
const v6Bytes = fc
  .array(fc.constantFrom(0, 0, 0, 1, 0x0db8, 0xffff), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])))
const addresses: [string, string | undefined, (4 | 6)?][] = [
  ['10.0.0.2', '10.0.0.2', 4],
  ['0.0.0.0', '0.0.0.0', 4],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', 6],
  ['::', '::', 6],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3', 6],
  ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4', 6],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7', 6],
  ['64:ff9b::10.0.0.2', '64:ff9b::a00:2', 6],
  ['::ffff:10.0.0.2', '10.0.0.2', 4],
  ['', undefined],
  ['127.1', undefined],
  ['0x7f.0.0.1', undefined],
  ['010.0.0.1', undefined],
  ['10.0.0.256', undefined],
  ['10.0.0.1\n', undefined],
  ['2130706433', undefined],
  ['fd00', undefined],
  ['fe80::1%eth0', undefined],
  ['1::2::3', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['localhost', undefined],
]
for (const [text, address, family] of addresses) {
  test(`${JSON.stringify(text)} is ${address ?? 'no address'}`, () => {
    assert.equal(parseIpAddress(text), address === undefined ? undefined : { address, family })
  })
}

test('no random text is an address that Node would not take', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789abf:.x%'), maxLength: 20 })
  fc.assert(
    fc.property(text, (candidate) => {
      if (parseIpAddress(candidate) !== undefined)
        assert.ok(isIPv4(candidate) || isIPv6(candidate), candidate)
    }),
    { numRuns: 20_000 },
  )
})

test('bytes of IPv4 and their text are each other', () => {
  fc.assert(
    fc.property(bytesOf(4), (bytes) => {
      const text = addressText(bytes)
      assert.is(text, bytes.join('.'))
      assert.equal(addressBytes(text), bytes)
      assert.equal(parseIpAddress(text), { address: text, family: 4 })
    }),
  )
})

test('bytes of IPv6 become the text that the URL standard gives them, and come back', () => {
  fc.assert(
    fc.property(fc.oneof(bytesOf(16), v6Bytes), (bytes) => {
      const groups = Array.from({ length: 8 }, (_, i) => Buffer.from(bytes).readUInt16BE(2 * i))
      const long = groups.map((group) => group.toString(16)).join(':')
      const text = addressText(bytes)
      assert.is(`[${text}]`, new URL(`http://[${long}]/`).hostname)
      assert.equal(addressBytes(text), bytes)
      assert.equal(addressBytes(long), bytes)
    }),
    { numRuns: 2000 },
  )
})

test('an address inside of a structure is read where it lies', () => {
  const structure = Uint8Array.of(9, 9, 9, 10, 244, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9)
  assert.is(addressTextAt(structure, 3, 4), '10.244.1.7')
  assert.is(addressTextAt(structure, 3, 6), 'af4:107::1')
})

test('a zone id has no bytes', () => {
  for (const zone of ['', '%2', '%br-lan.1'])
    assert.equal(addressBytes(`fe80::1${zone}`), Uint8Array.of(0xfe, 0x80, ...Array(13).fill(0), 1))
})

test('what is no address has no bytes', () => {
  for (const text of ['', 'localhost', '1::2::3', '10.0.0.256'])
    assert.throws(() => addressBytes(text), /address/)
})

test('a range has its name', () => {
  const ranges = ['10.0.0.1', '127.0.0.1', '::', 'fe80::1', 'ff02::1', '255.255.255.255']
  assert.equal(ranges.map(addressRange), [
    'private',
    'loopback',
    'unspecified',
    'linkLocal',
    'multicast',
    'broadcast',
  ])
})

test('a network begins at its first address and holds those of its family with the same bits', () => {
  const v4 = { address: '10.244.7.9', family: 4, prefixBits: 16 } as const
  const v6 = { address: 'fd00::1:2', family: 6, prefixBits: 64 } as const
  assert.is(firstAddressOf(v4), '10.244.0.0')
  assert.is(firstAddressOf(v6), 'fd00::')
  const inside = ['10.244.255.255', '::ffff:10.244.0.1', '10.245.0.0', 'fd00::1', 'nonsense']
  assert.equal(
    inside.map((address) => isInNetwork(address, v4)),
    [true, true, false, false, false],
  )
  assert.ok(isInNetwork('fd00::ffff', v6))
  assert.not(isInNetwork('fd00:0:0:1::', v6))
})

test.run()
