/** Goal: a zone number becomes the interface's name, and nothing else changes. Method: made-up interfaces, and those of this machine. */
import { networkInterfaces } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withZoneName } from '../../src/platform/zone-name.ts'

const test = suite('platform/zone-name')

const rest = {
  netmask: 'ffff:ffff:ffff:ffff::',
  mac: '02:00:00:00:00:01',
  internal: false,
  cidr: null,
}
const interfaces = (): ReturnType<typeof networkInterfaces> => ({
  lo: [{ ...rest, address: '127.0.0.1', family: 'IPv4' }],
  'br-lan': [
    { ...rest, address: '10.0.0.1', family: 'IPv4' },
    { ...rest, address: 'fd00::1', family: 'IPv6', scopeid: 0 },
    { ...rest, address: 'fe80::1', family: 'IPv6', scopeid: 12 },
  ],
})

test('a number becomes the name of its interface', () => {
  assert.is(withZoneName('fe80::1%12', interfaces), 'fe80::1%br-lan')
})

test('names, addresses without a zone and unknown numbers stay as they are', () => {
  for (const address of [
    'fe80::1%eth0',
    'fe80::1',
    'fd00::1',
    '10.0.0.1',
    'fe80::1%1',
    'fe80::1%2x',
  ]) {
    assert.is(withZoneName(address, interfaces), address)
  }
})

test('an address without a zone asks for no list of interfaces', () => {
  const listed: string[] = []
  const noted = () => {
    listed.push('asked')
    return {}
  }
  assert.is(withZoneName('10.0.0.1', noted), '10.0.0.1')
  assert.equal(listed, [])
})

test('the interfaces of this machine are found by their numbers', () => {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const scoped = addresses?.find((one) => one.family === 'IPv6' && one.scopeid > 0)
    if (scoped?.family !== 'IPv6') continue
    assert.is(withZoneName(`${scoped.address}%${scoped.scopeid}`), `${scoped.address}%${name}`)
  }
})

test.run()
