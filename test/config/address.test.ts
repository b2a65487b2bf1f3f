// Goal: a text becomes exactly one socket address, or a reason that says what to write instead.
// Method: tables of texts with their value or their literal complaint; round trips; random texts.
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatEndpoint } from '../../src/address/endpoint.ts'
import { formatUpstream } from '../../src/address/upstream-url.ts'
import {
  parseEndpoint,
  parseListen,
  parseUpstream,
  reachesOurselves,
} from '../../src/config/address.ts'

const test = suite('config/address')

function endpoint(text: string) {
  const parsed = parseEndpoint(text, 53)
  if (!parsed.ok) throw new Error(parsed.why)
  return parsed.value
}

const endpoints: [string, string, number, 4 | 6][] = [
  ['127.0.0.1:5353', '127.0.0.1', 5353, 4],
  ['10.0.0.2', '10.0.0.2', 53, 4],
  ['0.0.0.0:0', '0.0.0.0', 0, 4],
  ['[::1]:5353', '::1', 5353, 6],
  ['[::1]', '::1', 53, 6],
  ['2001:db8::53', '2001:db8::53', 53, 6],
  ['[2001:0DB8:0:0:0:0:0:1]:65535', '2001:db8::1', 65535, 6],
  ['[::ffff:10.0.0.2]:53', '10.0.0.2', 53, 4],
  // Arguments are put together from variables whose family nobody knows: `[$(NODE_IP)]:9253`.
  ['[10.0.0.2]:53', '10.0.0.2', 53, 4],
  ['[10.0.0.2]', '10.0.0.2', 53, 4],
]
for (const [text, address, port, family] of endpoints) {
  test(`${text} is ${address} port ${port}`, () => {
    assert.equal(endpoint(text), { address, port, family })
  })
}

const notEndpoints: [string, string][] = [
  ['', 'the IP address is missing; 0.0.0.0 and [::] mean all addresses'],
  [':53', 'the IP address is missing; 0.0.0.0 and [::] mean all addresses'],
  [
    'localhost:53',
    '"localhost" is not an IP address; host names are not accepted, because we are the resolver',
  ],
  ['127.1:53', '"127.1" is not an IPv4 address'],
  ['256.0.0.1', '"256.0.0.1" is not an IPv4 address'],
  ['010.0.0.1:53', '"010.0.0.1" is not an IPv4 address'],
  [
    '0x7f.0.0.1',
    '"0x7f.0.0.1" is not an IP address; host names are not accepted, because we are the resolver',
  ],
  ['10.0.0.0/8', '"10.0.0.0/8" is not an IPv4 address'],
  ['10.0.0.1:', '"10.0.0.1:": port "" is not a number from 0 to 65535'],
  ['10.0.0.1:65536', '"10.0.0.1:65536": port "65536" is not a number from 0 to 65535'],
  ['10.0.0.1:5e3', '"10.0.0.1:5e3": port "5e3" is not a number from 0 to 65535'],
  ['10.0.0.1:-1', '"10.0.0.1:-1": port "-1" is not a number from 0 to 65535'],
  ['10.0.0.1@5300', '"10.0.0.1@5300" is not an IP address; a port is written 10.0.0.1:5300'],
  ['[::1', '"[::1" has an unmatched bracket'],
  ['::1]', '"::1]" has an unmatched bracket'],
  ['[::1]53', '"[::1]53" has an unmatched bracket'],
  ['[10.0.0.1:53', '"[10.0.0.1:53" has an unmatched bracket'],
  ['[10.0.0.1:53]', '"10.0.0.1:53" is not an IPv6 address'],
  [
    '[$(KUBE_DNS_UPSTREAM_SERVICE_HOST)]:53',
    '"$(KUBE_DNS_UPSTREAM_SERVICE_HOST)" is not an IP address; host names are not accepted, because we are the resolver',
  ],
  ['1::2::3', '"1::2::3" is not an IPv6 address'],
  [
    'fe80::1%eth0',
    '"fe80::1%eth0": zone ids (%interface) are not supported; use an address with global scope',
  ],
]
for (const [text, why] of notEndpoints) {
  test(`${JSON.stringify(text)} is refused with its reason`, () => {
    assert.equal(parseEndpoint(text, 53), { ok: false, why })
  })
}

test('a listening address needs its port', () => {
  assert.equal(parseListen('127.0.0.1'), {
    ok: false,
    why: '"127.0.0.1" has no port; write 127.0.0.1:53',
  })
  assert.equal(parseListen('fd00::1'), {
    ok: false,
    why: '"fd00::1" has no port; write [fd00::1]:53',
  })
  assert.equal(parseListen('fd00::a:9253'), {
    ok: false,
    why: '"fd00::a:9253" has no port; write [fd00::a]:9253 or [fd00::a:9253]:53',
  })
})

test('a multicast address cannot be listened on', () => {
  assert.equal(parseListen('224.0.0.251:5353'), {
    ok: false,
    why: '"224.0.0.251:5353" is a multicast address, which cannot receive DNS queries',
  })
})

const upstreams: [string, 'udp' | 'tcp', string][] = [
  ['10.0.0.2', 'udp', 'udp://10.0.0.2:53'],
  ['10.0.0.2', 'tcp', 'tcp://10.0.0.2:53'],
  ['[10.96.0.11]:53', 'tcp', 'tcp://10.96.0.11:53'],
  ['tls://[1.1.1.1]#one.one.one.one', 'tcp', 'tls://1.1.1.1:853#one.one.one.one'],
  ['10.0.0.2:5300', 'tcp', 'tcp://10.0.0.2:5300'],
  ['udp://10.0.0.2', 'tcp', 'udp://10.0.0.2:53'],
  ['TCP://[fd00::2]:54', 'udp', 'tcp://[fd00::2]:54'],
  ['tls://1.1.1.1', 'udp', 'tls://1.1.1.1:853'],
  ['tls://1.1.1.1#one.one.one.one', 'udp', 'tls://1.1.1.1:853#one.one.one.one'],
  ['tls://[2606:4700::1111]:8853#dns.example', 'udp', 'tls://[2606:4700::1111]:8853#dns.example'],
]
for (const [text, plain, full] of upstreams) {
  test(`the upstream ${text} where ${plain} is usual is ${full}`, () => {
    const parsed = parseUpstream(text, plain)
    assert.ok(parsed.ok)
    assert.is(formatUpstream(parsed.value), full)
  })
}

test('an upstream without a certificate name has no such property', () => {
  assert.equal(parseUpstream('tls://1.1.1.1', 'udp'), {
    ok: true,
    value: { address: '1.1.1.1', port: 853, family: 4, transport: 'tls' },
  })
})

const notUpstreams: [string, string][] = [
  [
    'https://1.1.1.1/dns-query',
    '"https://1.1.1.1/dns-query": https:// is not supported; use udp://, tcp:// or tls://',
  ],
  [
    'dns.google',
    '"dns.google" is not an IP address; host names are not accepted, because we are the resolver',
  ],
  ['10.0.0.2:0', '"10.0.0.2:0" has port 0; an upstream port is 1 to 65535'],
  ['0.0.0.0:53', '"0.0.0.0:53" means "any address"; write the address of one resolver'],
  ['[::]:53', '"[::]:53" means "any address"; write the address of one resolver'],
  ['224.0.0.251', '"224.0.0.251" is a multicast address, not a resolver'],
  ['255.255.255.255', '"255.255.255.255" is a broadcast address, not a resolver'],
  ['10.0.0.2#5300', '"10.0.0.2#5300": #name belongs to tls:// only; a port is written 10.0.0.2:53'],
  [
    'tls://1.1.1.1#',
    '"tls://1.1.1.1#": expected the host name of the server\'s certificate after #',
  ],
  [
    'tls://1.1.1.1#a#b',
    '"tls://1.1.1.1#a#b": expected the host name of the server\'s certificate after #',
  ],
]
for (const [text, why] of notUpstreams) {
  test(`${text} is refused as an upstream with its reason`, () => {
    assert.equal(parseUpstream(text, 'udp'), { ok: false, why })
  })
}

test('a formatted address parses to the same address', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  fc.assert(
    fc.property(address, fc.nat(65535), (text, port) => {
      const first = endpoint(text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`)
      assert.equal(endpoint(formatEndpoint(first)), first)
    }),
  )
})

test('no text makes the parser throw or answer without a reason', () => {
  const pieces = fc.constantFrom(
    '[',
    ']',
    ':',
    '.',
    '1',
    '255',
    '::',
    'tls://',
    '#',
    '%',
    'a',
    '/',
    ' ',
    '\u0000',
    'é',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const parsed = parseUpstream(parts.join(''), 'udp')
      assert.ok(parsed.ok || parsed.why.length > 10)
    }),
    { numRuns: 2000 },
  )
})

test('an upstream on our own listening address reaches ourselves', () => {
  const listen = [endpoint('127.0.0.1:5353'), endpoint('[::1]:5353')]
  assert.ok(reachesOurselves(endpoint('127.0.0.1:5353'), listen))
  assert.ok(reachesOurselves(endpoint('[0:0::1]:5353'), listen))
  assert.not(reachesOurselves(endpoint('127.0.0.1:53'), listen))
  assert.not(reachesOurselves(endpoint('127.0.0.2:5353'), listen))
})

test('a wildcard listener is reached by loopback and by every address of the host', () => {
  const listen = [endpoint('0.0.0.0:53')]
  assert.ok(reachesOurselves(endpoint('127.0.0.53:53'), listen))
  assert.ok(reachesOurselves(endpoint('10.1.2.3:53'), listen, ['10.1.2.3']))
  assert.not(reachesOurselves(endpoint('10.1.2.4:53'), listen, ['10.1.2.3']))
  assert.not(reachesOurselves(endpoint('127.0.0.53:54'), listen))
})

test('a wildcard listener is reached by its own address family only', () => {
  assert.not(reachesOurselves(endpoint('[::1]:53'), [endpoint('0.0.0.0:53')]))
  assert.not(reachesOurselves(endpoint('127.0.0.1:53'), [endpoint('[::]:53')]))
  assert.ok(reachesOurselves(endpoint('[::1]:53'), [endpoint('[::]:53')]))
})

test.run()
