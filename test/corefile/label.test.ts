// Goal: labels of server blocks and zones of plugins name the zones that CoreDNS makes of them.
// Method: tables; the reverse zones are those that CoreDNS v1.14.7 announces for the same text.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isPlainZone, isWithin, parseCorefileLabel } from '../../src/corefile/label.ts'

const test = suite('corefile/label')

const labels: [string, string, string[], number?][] = [
  ['.', 'dns', ['.']],
  ['.:53', 'dns', ['.'], 53],
  ['Cluster.LOCAL.:1053', 'dns', ['cluster.local'], 1053],
  ['dns://cluster.local', 'dns', ['cluster.local']],
  ['tls://.:853', 'tls', ['.'], 853],
  ['https3://a.example', 'https3', ['a.example']],
  ['ftp://a.example:21', 'dns', ['ftp://a.example'], 21],
  ['a.example:b', 'dns', ['a.example:b']],
  ['10.0.0.0/8', 'dns', ['10.in-addr.arpa']],
  ['10.1.2.3/24:53', 'dns', ['2.1.10.in-addr.arpa'], 53],
  ['10.0.0.0/15', 'dns', ['0.10.in-addr.arpa', '1.10.in-addr.arpa']],
  [
    '10.7.0.0/14',
    'dns',
    ['4.10.in-addr.arpa', '5.10.in-addr.arpa', '6.10.in-addr.arpa', '7.10.in-addr.arpa'],
  ],
  ['192.0.2.6/31', 'dns', ['6.2.0.192.in-addr.arpa', '7.2.0.192.in-addr.arpa']],
  ['192.0.2.6/32', 'dns', ['6.2.0.192.in-addr.arpa']],
  ['0.0.0.0/0', 'dns', ['in-addr.arpa']],
  ['2001:db8::/32', 'dns', ['8.b.d.0.1.0.0.2.ip6.arpa']],
  ['fd00::/7', 'dns', ['c.f.ip6.arpa', 'd.f.ip6.arpa']],
  ['10.0.0.0/33', 'dns', ['10.0.0.0/33']],
  ['10.0.0.0', 'dns', ['10.0.0.0']],
]
for (const [text, scheme, zones, port] of labels) {
  test(`${text} stands for ${zones.join(', ')}`, () => {
    const value = { text, line: 7, scheme, zones, ...(port === undefined ? {} : { port }) }
    assert.equal(parseCorefileLabel(text, 7), { ok: true, value })
  })
}

const refused: [string, string][] = [
  ['', 'ends where'],
  ['a.example:', 'ends where'],
  ['dns://', 'ends where'],
  [':53', 'names no zone'],
  ['a..example', 'two dots'],
  ['.:53{', 'a blank before "{"'],
  ['.:domain', 'not a number'],
  ['.example', 'two dots'],
  ['a.example:65536', 'port'],
  ['a.example:-1', 'port'],
  [`${'a'.repeat(64)}.example`, '64 characters'],
  [`${'abcdefg.'.repeat(32)}x`, 'too long'],
]
for (const [text, why] of refused) {
  test(`${JSON.stringify(text.slice(0, 20))} is refused: ${why}`, () => {
    const label = parseCorefileLabel(text, 1)
    assert.not(label.ok)
    assert.match(label.ok ? '' : label.why, why)
  })
}

test('a plain zone has neither escapes nor variables nor letters beyond ASCII', () => {
  for (const zone of ['.', 'a', 'a-b._c.example', '10.in-addr.arpa']) assert.ok(isPlainZone(zone))
  for (const zone of [
    '',
    'a\\.b',
    '\\099.example',
    '{$z}',
    '*.example',
    'k\u0131.example',
    'a,b',
    'a.',
  ]) {
    assert.not(isPlainZone(zone), zone)
  }
})

test('a name is within a zone by whole labels', () => {
  assert.ok(isWithin('a.cluster.local', 'cluster.local'))
  assert.ok(isWithin('cluster.local', 'cluster.local'))
  assert.ok(isWithin('a', '.'))
  assert.not(isWithin('xcluster.local', 'cluster.local'))
  assert.not(isWithin('local', 'cluster.local'))
})

test.run()
