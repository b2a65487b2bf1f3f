/** Goal: records in presentation form become what CoreDNS's library makes of them. Method: a table; RFC 1035 5.1, RFC 3597 5. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readRecord } from '../../../src/local/records/read-record.ts'

const test = suite('local/records/read-record')

const read: readonly (readonly [text: string, record: string])[] = [
  ['a.example. 60 IN A 192.0.2.1', '1 1 60 c0000201'],
  ['x. AAAA 2001:db8::1', '28 1 3600 20010db8000000000000000000000001'],
  ['x. AAAA ::ffff:192.0.2.1', '28 1 3600 00000000000000000000ffffc0000201'],
  ['x IN 5 TXT "a # b" c', '16 1 5 0561202320620163'],
  ['x. CH TXT a\\032b\\"', '16 3 3600 0461206222'],
  ['x. 1h30m MX 10 m.', '15 1 5400 000a016d00'],
  [
    'z. 60 IN SOA n. h. (1 60 ; serial\n 1m 60 60)',
    '6 1 60 016e000168000000000100000' + '03c0000003c0000003c0000003c',
  ],
  ['x. TYPE65 \\# 2 ab cd', '65 1 3600 abcd'],
  ['x. CLASS1 A 192.0.2.1 ; comment', '1 1 3600 c0000201'],
  ['x. CAA 0 issue "a.b"', '257 1 3600 00056973737565612e62'],
  ['x. SRV 0 5 80 t.', '33 1 3600 000000050050017400'],
  ['x. NAPTR 1 2 "u" "s" "" .', '35 1 3600 00010002017501730000'],
  ['x. TLSA 3 1 1 ab\n', '52 1 3600 030101ab'],
  ['x. CNAME y\nz. A 192.0.2.1', '5 1 3600 017900'],
]
for (const [text, expected] of read) {
  test(JSON.stringify(text), () => {
    const record = readRecord(text)
    assert.ok(record.ok, record.ok ? '' : record.why)
    const { type, class: rrClass, ttlSeconds, data } = record.value
    assert.is([type, rrClass, ttlSeconds, Buffer.from(data).toString('hex')].join(' '), expected)
  })
}

test('a text longer than 255 bytes is cut into several', () => {
  const record = readRecord(`x. TXT "${'a'.repeat(300)}"`)
  assert.ok(record.ok)
  assert.equal(
    [record.value.data.length, record.value.data[0], record.value.data[256]],
    [302, 255, 45],
  )
})

const refused: readonly (readonly [text: string, why: RegExp])[] = [
  ['', /is empty; expected NAME TTL CLASS TYPE DATA/],
  ['x.', /has no type/],
  ['a..b A 192.0.2.1', /"a\.\.b" is no domain name/],
  ['x. 60 IN FOO 1', /"FOO" is no type/],
  ['<no value> 60 IN A 192.0.2.1', /"value>" is no type/],
  ['x. A', /expected an IPv4 address, found nothing/],
  ['x. A 192.0.2', /expected an IPv4 address, found "192\.0\.2"/],
  ['x. A ::ffff:192.0.2.1', /expected an IPv4 address/],
  ['x. AAAA 192.0.2.1', /expected an IPv6 address/],
  ['x. A 192.0.2.1 2', /too much from "2" on/],
  ['x. MX 65536 m.', /expected a number from 0 to 65535/],
  ['x. MX -1 m.', /expected a number/],
  ['x. HTTPS 1 .', /must be written as/],
  ['x. TYPE9 \\# 3 abcd', /must be followed by a length/],
  ['x. TXT "a', /stray/],
  ['x. TXT a\\', /stray/],
  ['x. TXT a\\999', /expected texts/],
  ['x. SOA a. b. (1 2 3 4', /"\(" without/],
  ['x. A 192.0.2.1 )', /"\)" without/],
]
for (const [text, why] of refused) {
  test(`${JSON.stringify(text)} is refused`, () => {
    const record = readRecord(text)
    assert.match(record.ok ? 'read' : record.why, why)
  })
}

test.run()
