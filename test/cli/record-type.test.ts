// Goal: every type that can be typed is asked for by its number, and shown by its name.
// Method: what goes onto the wire is read back from the encoded query.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRecordType } from '../../src/cli/record-type.ts'
import { reverseName } from '../../src/cli/reverse-name.ts'
import { encodeQuery } from '../../src/wire/message.ts'
import { presentRecordType } from '../../src/wire/record-text.ts'

const test = suite('cli/record-type')

function wireType(text: string): number {
  const type = parseRecordType(text)
  if (!type.ok) throw new Error(type.why)
  const query = encodeQuery({ name: 'a', type: type.codecName, id: 1, udpBytes: 0 })
  return query.readUInt16BE(query.length - 4)
}

const numbers: [string, number][] = [
  ['A', 1],
  ['aaaa', 28],
  ['mx', 15],
  ['TXT', 16],
  ['SRV', 33],
  ['CAA', 257],
  ['ANY', 255],
  ['SPF', 99],
  ['HTTPS', 65],
  ['svcb', 64],
  ['URI', 256],
  ['TYPE65', 65],
  ['type4711', 4711],
  ['TYPE0', 0],
]
for (const [text, number] of numbers) {
  test(`${text} is type ${number}`, () => {
    assert.is(wireType(text), number)
  })
}

test('every type that has a name has a number of its own', () => {
  const names =
    'A AAAA AFSDB ANY APL CAA CDNSKEY CDS CERT CNAME DHCID DLV DNAME DNSKEY DS HINFO HIP IPSECKEY KEY KX LOC MX NAPTR NS NSEC NSEC3 NSEC3PARAM NULL PTR RP RRSIG SIG SOA SPF SRV SSHFP TLSA TXT SMIMEA OPENPGPKEY ZONEMD SVCB HTTPS EUI48 EUI64 URI'
  const seen = names.split(' ').map(wireType)
  assert.not(seen.includes(0))
  assert.is(new Set(seen).size, seen.length)
})

test('what is no type is refused with a hint', () => {
  assert.equal(parseRecordType('AAAB'), {
    ok: false,
    why: '"AAAB" is not a record type; did you mean AAAA?',
  })
  assert.equal(parseRecordType('TYPE65536'), {
    ok: false,
    why: '"TYPE65536" is not a record type; write a name such as AAAA, or TYPE65',
  })
})

test('types are shown by name, or by number where they have none', () => {
  assert.is(presentRecordType('UNKNOWN_65'), 'HTTPS')
  assert.is(presentRecordType('UNKNOWN_4711'), 'TYPE4711')
  assert.is(presentRecordType('MX'), 'MX')
})

test('an address is looked up under its reversed name', () => {
  assert.is(reverseName({ address: '10.96.0.1', family: 4 }), '1.0.96.10.in-addr.arpa')
  const zeros = '0.'.repeat(23)
  assert.is(
    reverseName({ address: '2001:db8::1', family: 6 }),
    `1.${zeros}8.b.d.0.1.0.0.2.ip6.arpa`,
  )
  assert.is(reverseName({ address: '::', family: 6 }), `${'0.'.repeat(32)}ip6.arpa`)
  assert.is(
    reverseName({ address: '1:2:3:4:5:6:7:8', family: 6 }),
    '8.0.0.0.7.0.0.0.6.0.0.0.5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.ip6.arpa',
  )
})

test.run()
