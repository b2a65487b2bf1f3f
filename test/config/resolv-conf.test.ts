// Goal: name servers, search list and options as glibc would take them, from files as they are found.
// Method: whole file texts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatUpstream } from '../../src/address/upstream-url.ts'
import { parseResolvConf } from '../../src/config/resolv-conf.ts'

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

test('zone ids are stripped', () => {
  assert.equal(servers('nameserver fe80::1%eth0\n'), ['udp://[fe80::1]:53'])
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

test('a file with thousands of servers gives sixteen', () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `nameserver 10.0.${i >> 8}.${i & 255}`)
  const parsed = parseResolvConf(lines.join('\n'))
  assert.is(parsed.nameservers.length, 16)
  assert.is(parsed.ignored.at(-1)?.why, 'more than 16 name servers')
})

test.run()
