// Goal: a socket address is printed in one way. Method: a table, with and without the family.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatEndpoint } from '../../src/address/endpoint.ts'

const test = suite('address/endpoint')

test('IPv4 stands bare before its port, IPv6 in brackets', () => {
  assert.is(formatEndpoint({ address: '127.0.0.1', port: 53, family: 4 }), '127.0.0.1:53')
  assert.is(formatEndpoint({ address: '::1', port: 0, family: 6 }), '[::1]:0')
})

test('the family may be left out, as Node does for a socket', () => {
  assert.is(formatEndpoint({ address: '10.0.0.2', port: 65535 }), '10.0.0.2:65535')
  assert.is(formatEndpoint({ address: 'fd00::a', port: 53 }), '[fd00::a]:53')
})

test.run()
