/**
 * Goal: an address goes into the kernel's form and comes out as RFC 5952 has it. Method: names written by hand from ip(7) and ipv6(7), and
 * any address there is, against ipaddr.js.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addressText } from '../../src/address/ip-address.ts'
import { Linux } from '../../src/system/linux.ts'
import { addressOf, encodeName, nameBytesOf, portOf } from '../../src/system/socket-name.ts'

const test = suite('system/socket-name')

const nameOf = (address: string, port = 53) =>
  address.includes(':')
    ? encodeName({ address, port, family: 6 }, Linux.afInet6)
    : encodeName({ address, port, family: 4 }, Linux.afInet)
const hex = (name: Buffer) => name.toString('hex')

test('sockaddr_in is family, port, address and eight zeros', () => {
  assert.is(hex(nameOf('169.254.20.10')), `02000035a9fe140a${'00'.repeat(8)}`)
})

test('sockaddr_in6 is family, port, flow, address and scope', () => {
  const address = `fd${'00'.repeat(14)}10`
  assert.is(hex(nameOf('fd00::10', 0x1234)), `0a00123400000000${address}00000000`)
  assert.is(hex(nameOf('::')).slice(16), '00'.repeat(20))
})

test('a name is as long as its family has it', () => {
  assert.equal([nameBytesOf(4), nameBytesOf(6)], [16, 28])
})

test('every form of IPv6 text is taken: the last 32 bits may be dotted', () => {
  assert.is(hex(nameOf('::ffff:10.0.0.1')), hex(nameOf('::ffff:a00:1')))
  assert.is(hex(nameOf('2001:DB8:0:0:0:0:0:1')), hex(nameOf('2001:db8::1')))
})

test('names are read where they lie in a larger memory', () => {
  const memory = Buffer.concat([Buffer.alloc(32, 0xff), nameOf('10.0.0.1', 65_535)])
  assert.equal([portOf(memory, 32), addressOf(memory, 32, 4)], [65_535, '10.0.0.1'])
})

test('the longest run of zeros is compressed, the first of equals, and one zero alone is not', () => {
  const read = (address: string) => addressOf(nameOf(address), 0, 6)
  for (const [written, canonical] of [
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
  ] as const) {
    assert.is(read(written), canonical)
  }
})

test('a link-local address has its zone as a number, no other has', () => {
  const withScope = (address: string) => {
    const name = nameOf(address)
    name.writeUInt32LE(7, 24)
    return addressOf(name, 0, 6)
  }
  assert.is(withScope('fe80::1'), 'fe80::1%7')
  assert.is(withScope('febf::1'), 'febf::1%7', 'fe80::/10 ends here')
  assert.is(withScope('fec0::1'), 'fec0::1')
  assert.is(withScope('fd00::1'), 'fd00::1')
})

test('any address comes back as it went in, in the text that everybody else writes', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  // Zeros are what compression is about.
  const sparse = bytes(16).map((all) => all.map((one, i) => (one < 160 || i % 3 === 0 ? 0 : one)))
  fc.assert(
    fc.property(fc.oneof(bytes(4), bytes(16), sparse), fc.nat(65_535), (raw, port) => {
      const address = addressText(raw)
      const family = raw.length === 4 ? 4 : 6
      const name = encodeName({ address, port, family }, Linux.afInet6)
      const zone = raw[0] === 0xfe && ((raw[1] ?? 0) & 0xc0) === 0x80 && family === 6 ? '%0' : ''
      assert.is(addressOf(name, 0, family), `${address}${zone}`)
      assert.is(portOf(name, 0), port)
    }),
    { numRuns: 500 },
  )
})

test.run()
