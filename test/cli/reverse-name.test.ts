/** Goal: an address is looked up under the one name that RFC 1035 3.5 and RFC 3596 2.5 give it. Method: their examples, and a slower way to the same. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reverseName } from '../../src/cli/reverse-name.ts'
import { parseAddress } from '../../src/config/address.ts'

const test = suite('cli/reverse-name')

test('IPv4: the octets from the last to the first', () => {
  assert.is(reverseName({ address: '10.2.0.52', family: 4 }), '52.0.2.10.in-addr.arpa')
  assert.is(reverseName({ address: '0.0.0.0', family: 4 }), '0.0.0.0.in-addr.arpa')
})

test('IPv6: all 32 nibbles, as in RFC 3596', () => {
  assert.is(
    reverseName({ address: '4321:0:1:2:3:4:567:89ab', family: 6 }),
    'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa',
  )
})

const zeros = (count: number) => new Array<string>(count).fill('0').join('.')
for (const [address, name] of [
  ['::', `${zeros(32)}.ip6.arpa`],
  ['::1', `1.${zeros(31)}.ip6.arpa`],
  ['fd00::', `${zeros(28)}.0.0.d.f.ip6.arpa`],
  ['2001:db8::10', `0.1.${zeros(22)}.8.b.d.0.1.0.0.2.ip6.arpa`],
] as const) {
  test(`the zeros that :: stands for are all there: ${address}`, () => {
    assert.is(reverseName({ address, family: 6 }), name)
  })
}

test('every IPv6 address gives its nibbles back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }),
      (groups) => {
        const parsed = parseAddress(groups.map((group) => group.toString(16)).join(':'))
        // A mapped IPv4 address is one of IPv4 to the parser.
        if (!parsed.ok || parsed.value.family === 4) return
        const nibbles = reverseName(parsed.value)
          .replace(/\.ip6\.arpa$/, '')
          .split('.')
        assert.is(
          nibbles.toReversed().join(''),
          groups.map((group) => group.toString(16).padStart(4, '0')).join(''),
        )
      },
    ),
  )
})

test.run()
