// Goal: an address and port become the bytes of the kernel's `struct sockaddr`, and come back as the same text.
// Method: bytes written out by hand from ip(7) and ipv6(7); names at an offset inside of a larger memory.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addressOf, encodeName, nameBytesOf, portOf } from '../../src/system/socket-name.ts'

const test = suite('system/socket-name')

const v4 = Buffer.from('0200' + '14e9' + '0af40107' + '0000000000000000', 'hex')
const v6 = Buffer.from(
  '0a00' + '0035' + '00000000' + '20010db8000000000000000000000053' + '00000000',
  'hex',
)
const linkLocal = Buffer.from(
  '0a00' + '0035' + '00000000' + 'fe8000000000000001fffe23000000a1' + '03000000',
  'hex',
)

test('a name of IPv4 has 16 bytes: family in host order, port and address in network order', () => {
  assert.is(nameBytesOf(4), 16)
  assert.equal(encodeName({ address: '10.244.1.7', port: 5353, family: 4 }, 2), v4)
})

test('a name of IPv6 has 28 bytes, with no flow and no scope', () => {
  assert.is(nameBytesOf(6), 28)
  assert.equal(encodeName({ address: '2001:db8::53', port: 53, family: 6 }, 10), v6)
  assert.equal(encodeName({ address: '2001:db8::0.0.0.83', port: 53, family: 6 }, 10), v6)
})

test('address and port are read back, wherever the name lies', () => {
  const memory = Buffer.concat([Buffer.alloc(5, 0xee), v4, v6])
  assert.is(addressOf(memory, 5, 4), '10.244.1.7')
  assert.is(portOf(memory, 5), 5353)
  assert.is(addressOf(memory, 21, 6), '2001:db8::53')
  assert.is(portOf(memory, 21), 53)
})

test('a link-local sender has its zone as a number, because a reply needs it', () => {
  const memory = Buffer.concat([Buffer.alloc(3), linkLocal])
  assert.is(addressOf(memory, 3, 6), 'fe80::1ff:fe23:0:a1%3')
})

test.run()
