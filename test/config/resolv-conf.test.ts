// Goal: name servers, search list and options as glibc would take them, from files as they are found.
// Method: whole file texts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatUpstream } from '../../src/address/upstream-url.ts'
import { nameserversAfter, parseResolvConf } from '../../src/config/resolv-conf.ts'

const test = suite('config/resolv-conf')

function servers(text: string): string[] {
  return parseResolvConf(text).nameservers.map(formatUpstream)
}

test('the resolv.conf of a pod gives server, search list and options', () => {
  const text = `search default.svc.cluster.local svc.cluster.local cluster.local example.com
nameserver 169.254.20.10
options ndots:5
`
  assert.equal(parseResolvConf(text), {
    nameservers: [{ address: '169.254.20.10', family: 4, port: 53, transport: 'udp' }],
    search: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com'],
    options: ['ndots:5'],
    ignored: [],
  })
})

test('the stub file of systemd-resolved gives its stub', () => {
  const text = `# This is /run/systemd/resolve/stub-resolv.conf managed by man:systemd-resolved(8).
# nameserver 9.9.9.9

nameserver 127.0.0.53
options edns0 trust-ad
search .
`
  const parsed = parseResolvConf(text)
  assert.equal(servers(text), ['udp://127.0.0.53:53'])
  assert.equal(parsed.options, ['edns0', 'trust-ad'])
  assert.equal(parsed.search, ['.'])
})

test('an empty file gives nothing and no complaint', () => {
  assert.equal(parseResolvConf(''), { nameservers: [], search: [], options: [], ignored: [] })
})

test('a link-local server keeps its interface, by name or by number', () => {
  assert.equal(servers('nameserver fe80::1%eth0\nnameserver FE80:0::2%3\n'), [
    'udp://[fe80::1%eth0]:53',
    'udp://[fe80::2%3]:53',
  ])
})

test('the same link-local address on two interfaces is two servers', () => {
  assert.is(servers('nameserver fe80::1%eth0\nnameserver fe80::1%eth1\n').length, 2)
})

test('an interface at an address that needs none is dropped', () => {
  assert.equal(servers('nameserver 2001:db8::1%eth0\nnameserver 10.0.0.1%eth0\n'), [
    'udp://[2001:db8::1]:53',
    'udp://10.0.0.1:53',
  ])
})

test('a link-local server without its interface is ignored by name', () => {
  assert.equal(parseResolvConf('nameserver fe80::1\nnameserver fe80::1%\n'), {
    nameservers: [],
    search: [],
    options: [],
    ignored: [
      { line: 1, why: '"fe80::1" is link-local, so it needs its interface: fe80::1%eth0' },
      { line: 2, why: '"fe80::1%": behind % goes the name of an interface' },
    ],
  })
})

test('an address that could be read with a port is an address: resolv.conf knows no ports', () => {
  assert.equal(servers('nameserver fd00::a:53\n'), ['udp://[fd00::a:53]:53'])
})

test('a file that names no server leaves those in force, whatever else it says', () => {
  const before = parseResolvConf('nameserver 10.0.0.1\n').nameservers
  for (const text of ['', '# only a comment\n', 'search example\n', 'nameserver dns.example\n']) {
    assert.is(nameserversAfter(parseResolvConf(text), before), before, text)
  }
  const after = parseResolvConf('nameserver 10.0.0.2\n')
  assert.is(nameserversAfter(after, before), after.nameservers)
  assert.equal(nameserversAfter(parseResolvConf(''), []), [])
})

test('keywords count in the first column only', () => {
  assert.equal(servers(' nameserver 10.0.0.1\n;nameserver 10.0.0.2\nnameserver\t10.0.0.3\r\n'), [
    'udp://10.0.0.3:53',
  ])
})

test('text behind an address is ignored', () => {
  assert.equal(servers('nameserver 10.0.0.1 # the first\n'), ['udp://10.0.0.1:53'])
})

test('the same server in two spellings counts once', () => {
  assert.equal(servers('nameserver fd00::1\nnameserver FD00:0::1\n'), ['udp://[fd00::1]:53'])
})

test('the last of search and domain wins', () => {
  assert.equal(parseResolvConf('domain a.example\nsearch b.example c.example\n').search, [
    'b.example',
    'c.example',
  ])
  assert.equal(parseResolvConf('search b.example\ndomain a.example\n').search, ['a.example'])
})

test('use-vc asks the servers over TCP, wherever it stands', () => {
  assert.equal(servers('nameserver 10.0.0.1\noptions timeout:1 use-vc\n'), ['tcp://10.0.0.1:53'])
})

test('lines that name no usable server are told with their number', () => {
  const parsed = parseResolvConf(
    'nameserver dns.example\nnameserver\nnameserver 0.0.0.0\nnameserver 10.0.0.1\n',
  )
  assert.equal(parsed.nameservers.length, 1)
  assert.equal(parsed.ignored, [
    {
      line: 1,
      why: '"dns.example" is not an IP address; host names are not accepted, because we are the resolver',
    },
    { line: 2, why: 'the IP address is missing; 0.0.0.0 and [::] mean all addresses' },
    { line: 3, why: '"0.0.0.0" means "any address"' },
  ])
})

test('lines that glibc does not take for name servers, and ports, are told with what would be right', () => {
  const parsed = parseResolvConf(
    '\uFEFFnameserver 10.0.0.1\n  nameserver 10.0.0.2\nnameserver 10.0.0.3:53\nnameserver [fd00::1]:53\n  search a.example\n',
  )
  assert.equal(parsed.nameservers, [])
  assert.equal(
    parsed.ignored.map(({ line, why }) => `${line}: ${why}`),
    [
      '1: nameserver must begin in the first column',
      '2: nameserver must begin in the first column',
      '3: "10.0.0.3:53" has a port, for which a resolv.conf has no place: write 10.0.0.3',
      '4: "[fd00::1]:53" has a port, for which a resolv.conf has no place: write fd00::1',
    ],
  )
})

test('a file with thousands of servers gives sixteen', () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `nameserver 10.0.${i >> 8}.${i & 255}`)
  const parsed = parseResolvConf(lines.join('\n'))
  assert.is(parsed.nameservers.length, 16)
  assert.is(parsed.ignored.at(-1)?.why, 'more than 16 name servers')
})

test.run()
