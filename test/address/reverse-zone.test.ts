// Goal: an address and the networks around it have the names of RFC 1035 3.5 and RFC 3596 2.5.
// Method: the examples of both RFCs, and prefixes of them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  digitBitsOf,
  reverseDigits,
  reverseZone,
  reverseZonesOf,
} from '../../src/address/reverse-zone.ts'

const test = suite('address/reverse-zone')

test('the name of an IPv4 address has a label for each byte', () => {
  const digits = reverseDigits('10.2.0.52')
  assert.equal(digits, [10, 2, 0, 52])
  assert.is(reverseZone(digits, 4), '52.0.2.10.in-addr.arpa')
  assert.is(digits.length * digitBitsOf(4), 32)
})

test('the name of an IPv6 address has a label for each nibble', () => {
  const digits = reverseDigits('4321:0:1:2:3:4:567:89ab')
  const name = 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa'
  assert.is(reverseZone(digits, 6), name)
  assert.is(digits.length * digitBitsOf(6), 128)
})

test('leading digits name the zone of a network, no digits all of the family', () => {
  assert.is(reverseZone([10, 244], 4), '244.10.in-addr.arpa')
  assert.is(reverseZone(reverseDigits('2001:db8::').slice(0, 8), 6), '8.b.d.0.1.0.0.2.ip6.arpa')
  assert.is(reverseZone([], 4), 'in-addr.arpa')
  assert.is(reverseZone([], 6), 'ip6.arpa')
})

test('a network that ends inside a label has several zones', () => {
  assert.equal(reverseZonesOf({ address: '10.96.0.0', family: 4, prefixBits: 14 }), [
    '96.10.in-addr.arpa',
    '97.10.in-addr.arpa',
    '98.10.in-addr.arpa',
    '99.10.in-addr.arpa',
  ])
  assert.equal(reverseZonesOf({ address: '10.0.0.0', family: 4, prefixBits: 8 }), [
    '10.in-addr.arpa',
  ])
  assert.equal(reverseZonesOf({ address: 'fd00::', family: 6, prefixBits: 7 }), [
    'c.f.ip6.arpa',
    'd.f.ip6.arpa',
  ])
  assert.equal(reverseZonesOf({ address: '::', family: 6, prefixBits: 0 }), ['ip6.arpa'])
})

test.run()
