// Goal: what programs and /proc print about a node is read for what it is. Method: texts as those programs print them.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  isKernelAtLeast,
  readDroppingChains,
  readDroppingPolicies,
  readLinks,
  readUdpListeners,
} from '../../src/host/facts.ts'
import { nodeLocalRules, removalText } from '../../src/host/iptables-rules.ts'
import { iptablesTargets } from '../../src/host/standby-targets.ts'
import { troubleOf } from '../../src/host/trouble.ts'

const test = suite('host/readers')

test('kernels are compared by number, and an unknown text counts as new', () => {
  assert.is(isKernelAtLeast('5.12.0-rc1', 5, 12), true)
  assert.is(isKernelAtLeast('5.4.0-200-generic', 5, 12), false)
  assert.is(isKernelAtLeast('6.1.0', 5, 12), true)
  assert.is(isKernelAtLeast('gvisor', 5, 12), true)
})

test('links are read with kind and addresses', () => {
  const json = JSON.stringify([
    { ifname: 'lo', addr_info: [{ local: '127.0.0.1' }, { local: '::1' }] },
    {
      ifname: 'nodelocaldns',
      linkinfo: { info_kind: 'dummy' },
      addr_info: [{ local: '169.254.20.10' }],
    },
  ])
  assert.equal(readLinks(json), [
    { name: 'lo', kind: '', addresses: ['127.0.0.1', '::1'] },
    { name: 'nodelocaldns', kind: 'dummy', addresses: ['169.254.20.10'] },
  ])
  assert.equal(readLinks(''), [])
})

test('chains that drop by policy are found, those of iptables told apart', () => {
  const base = { type: 'filter', prio: 0, policy: 'drop' }
  const nftables = [
    { metainfo: { version: '1.0.6' } },
    { chain: { ...base, family: 'ip', table: 'filter', name: 'INPUT', hook: 'input' } },
    { chain: { ...base, family: 'inet', table: 'fw', name: 'in', hook: 'input' } },
    { chain: { ...base, family: 'inet', table: 'fw', name: 'fwd', hook: 'forward' } },
    { chain: { ...base, policy: 'accept', family: 'inet', table: 'x', name: 'y', hook: 'output' } },
  ]
  const found = readDroppingChains(JSON.stringify({ nftables }))
  assert.equal(
    found.map(({ table, owner }) => `${table} ${owner}`),
    ['filter iptables', 'fw nft'],
  )
  assert.equal(readDroppingChains('not json'), [])
  assert.equal(
    readDroppingPolicies('*filter\n:INPUT DROP [1:2]\n:OUTPUT ACCEPT [0:0]\n', 'ip').map(
      ({ chain }) => chain,
    ),
    ['INPUT'],
  )
})

test('sockets are found by address in both families', () => {
  const line = (hex: string) => `  12: ${hex}:0035 00000000:0000 07 00000000:00000000\n`
  const table = `${line('0A14FEA9')}${line('000000FD000000000000000010000000')}  3: 0100007F:14E9 0\n`
  assert.equal(readUdpListeners(table, 53), ['169.254.20.10', 'fd00::10'])
})

test("NodeLocal's rules are known with and without its comment, others are not", () => {
  const match = '-d 169.254.20.10/32 -p udp -m udp --dport 53'
  const rules = [
    `-A PREROUTING ${match} -m comment --comment "NodeLocal DNS Cache: skip conntrack" -j CT --notrack`,
    `-A PREROUTING ${match} -j CT --notrack`,
    '-A OUTPUT -s 169.254.20.10/32 -p tcp -m tcp --sport 8080 -j NOTRACK',
    `-A INPUT ${match} -m comment --comment "somebody else" -j ACCEPT`,
    '-A INPUT -d 10.0.0.1/32 -p udp -m udp --dport 53 -j ACCEPT',
    `-A NEARDNS-INPUT ${match} -j ACCEPT`,
  ]
  const origin = { family: 4, variant: 'nft', table: 'raw' } as const
  const found = nodeLocalRules(rules.join('\n'), ['169.254.20.10'], origin)
  assert.equal(
    found.map(({ rule }) => rule.replace('-D', '-A')),
    rules.slice(0, 3),
  )
})

test('a removal takes jumps before chains, and says nothing where nothing is', () => {
  const saved = `*raw
:PREROUTING ACCEPT [0:0]
:NEARDNS-PREROUTING - [0:0]
-A PREROUTING -j NEARDNS-PREROUTING
-A NEARDNS-PREROUTING -d 169.254.20.10/32 -j CT --notrack
COMMIT
`
  assert.is(
    removalText('raw', saved),
    '*raw\n-D PREROUTING -j NEARDNS-PREROUTING\n-F NEARDNS-PREROUTING\n-X NEARDNS-PREROUTING\nCOMMIT\n',
  )
  assert.is(removalText('raw', '*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n'), undefined)
})

test('CoreDNS pods are read out of kube-proxy; an unknown address is one itself', () => {
  // What kube-proxy 1.37.2 wrote in the node world: kube-dns and kube-dns-upstream with two pods each.
  const path = new URL('../fixtures/kube-proxy/iptables-nat-1.37.2.txt', import.meta.url)
  const rules = readFileSync(path, 'utf8')
  const find = (address: string) => iptablesTargets(rules, { address, port: 53, family: 4 })
  assert.equal(
    find('10.96.0.10').map(({ address }) => address),
    ['10.78.0.2', '10.78.0.3'],
  )
  assert.equal(find('10.244.7.7'), [{ address: '10.244.7.7', port: 53, family: 4 }])
})

test('failures of programs get their names', () => {
  const kind = (stderr: string, isMissing = false) =>
    troubleOf('nft', { ok: false, stdout: '', stderr, isMissing }, 'rules_failed').kind
  assert.is(kind('', true), 'program_missing')
  assert.is(kind('Error: Could not process rule: Operation not permitted'), 'no_permission')
  assert.is(
    kind('Another app is currently holding the xtables lock; still 1s 0us time ahead'),
    'lock_held',
  )
  assert.is(kind('Error: Could not process rule: Operation not supported'), 'kernel_too_old')
  assert.is(kind('Error: syntax error'), 'rules_failed')
})

test.run()
