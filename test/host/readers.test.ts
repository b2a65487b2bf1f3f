// Goal: what programs and /proc print about a node is read for what it is. Method: texts as those programs print them.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nodeLocalRules, removalText } from '../../src/host/backends/iptables-rules.ts'
import type { KubeProxyMode } from '../../src/host/facts.ts'
import { isKernelAtLeast, readLinks, readUdpListeners } from '../../src/host/facts.ts'
import { guardedChains, guardedInSave } from '../../src/host/firewall/guarded-chains.ts'
import { podsInSave } from '../../src/host/kube-proxy/service-pods.ts'
import { findStandby } from '../../src/host/kube-proxy/standby-targets.ts'
import { attribute, nested, number32, readAttributes, text } from '../../src/host/nft/attributes.ts'
import { Attribute, Expression, verdictCode } from '../../src/host/nft/constants.ts'
import { type RuleFact, readRule } from '../../src/host/nft/decode.ts'
import { expressionsOf } from '../../src/host/nft/expressions.ts'
import type { NftRule } from '../../src/host/nft/model.ts'
import type { Ran } from '../../src/host/run-program.ts'
import { troubleOf } from '../../src/host/trouble.ts'
import { scriptedNftables } from './scripted-nftables.ts'

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

const base = { hook: 1, priority: 0, type: 'filter', dropsByPolicy: false }
const reject = { name: 'reject', data: new Map() }
const rule = (...expressions: RuleFact['expressions']): RuleFact => ({
  handle: 1n,
  comment: undefined,
  expressions,
})

test('chains that refuse by policy or by their last rule are found, those of iptables told apart', async () => {
  const nftables = scriptedNftables({
    baseChains: [
      { ...base, family: 'ip', table: 'filter', chain: 'INPUT', dropsByPolicy: true },
      { ...base, family: 'inet', table: 'firewalld', chain: 'filter_INPUT' },
      { ...base, family: 'inet', table: 'fw', chain: 'fwd', hook: 2, dropsByPolicy: true },
      { ...base, family: 'inet', table: 'x', chain: 'some', hook: 3 },
      { ...base, family: 'ip', table: 'y', chain: 'nat', type: 'nat', dropsByPolicy: true },
      { ...base, family: 'inet', table: 'neardns-00000000', chain: 'in', dropsByPolicy: true },
    ],
    rules: ({ table }) => {
      if (table === 'firewalld') return [rule(), rule({ name: 'counter', data: new Map() }, reject)]
      // Refuses some packets only, and not as the last.
      return table === 'x' ? [rule({ name: 'cmp', data: new Map() }, reject), rule()] : []
    },
  })
  assert.equal(
    (await guardedChains(nftables)).map(({ table, hook, owner }) => `${table} ${hook} ${owner}`),
    ['filter input iptables', 'firewalld input nft'],
  )
})

function jumpTo(chain: string): RuleFact {
  const verdict = nested(
    Attribute.dataVerdict,
    number32(Attribute.verdictCode, verdictCode.jump),
    text(Attribute.verdictChain, chain),
  )
  const data = readAttributes(nested(Expression.immediate.data, verdict))
  return rule({ name: 'immediate', data })
}

/** As the kernel shows it. */
function listed(matches: NftRule['matches'], ...more: RuleFact['expressions']): RuleFact {
  const made = expressionsOf({ matches, verdict: { kind: 'accept' } }, 'inet')
  const body = Buffer.concat([Buffer.alloc(4), nested(Attribute.ruleExpressions, ...made)])
  const { expressions } = readRule({ type: 0, body })
  return rule(...more, ...expressions)
}

test('a table of another process is closed to us unless a rule in it lets pods or their DNS in', async () => {
  const at = { ...base, family: 'inet', table: 'firewalld', chain: 'in' } as const
  const closedWith = async (...rules: readonly RuleFact[]) => {
    const nftables = scriptedNftables({
      tables: [{ family: 'inet', name: 'firewalld', isOwned: true }],
      baseChains: [at],
      rules: ({ chain }) => (chain === 'in' ? [jumpTo('zone'), rule(reject)] : rules),
    })
    const [one] = await guardedChains(nftables)
    return one?.closed !== undefined
  }
  const port = (ports: number | readonly [number, number]) =>
    listed([{ kind: 'port', protocol: 'udp', side: 'destination', ports }])
  const loopback = nested(
    Expression.compare.data,
    attribute(Attribute.dataValue, Buffer.from('lo\0')),
  )
  const fromLoopback = { name: 'cmp', data: readAttributes(loopback) }
  const tracked = { name: 'ct', data: new Map() }
  assert.is(await closedWith(), true)
  assert.is(await closedWith(port(22), listed([], fromLoopback), listed([], tracked)), true)
  assert.is(await closedWith(port(53)), false)
  assert.is(await closedWith(port([1, 1023])), false, 'a range may have it')
  assert.is(await closedWith(listed([])), false, 'a zone that accepts everything')
  const source = { kind: 'address', family: 4, side: 'source', address: '10.77.0.0' } as const
  assert.is(await closedWith(listed([source])), false, 'a network that may do everything')
})

test("Calico's drop of what pods send to their node closes INPUT, in iptables-legacy as well", async () => {
  const nftables = scriptedNftables({
    baseChains: [{ ...base, family: 'ip', table: 'filter', chain: 'INPUT' }],
    rules: ({ chain }) => (chain === 'cali-wl-to-host' ? [rule(reject)] : [rule()]),
  })
  const [one] = await guardedChains(nftables)
  assert.match(one?.closed ?? '', 'defaultEndpointToHostAction')
  const saved = (action: string) =>
    `*filter\n:INPUT ACCEPT [0:0]\n-A cali-wl-to-host -m comment --comment "Configured DefaultEndpointToHostAction" -j ${action}\nCOMMIT\n`
  const [legacy] = guardedInSave(saved('DROP'), 'ip')
  assert.match(legacy?.closed ?? '', 'defaultEndpointToHostAction')
  assert.is(legacy?.variant, 'legacy')
  assert.equal(guardedInSave(saved('ACCEPT'), 'ip'), [])
})

test('in tables of iptables-legacy the same is seen in what its save program prints', () => {
  const saved = (rules: string) =>
    `*filter\n:INPUT DROP [1:2]\n:OUTPUT ACCEPT [0:0]\n${rules}COMMIT\n`
  const chains = (rules: string) => guardedInSave(saved(rules), 'ip').map(({ chain }) => chain)
  assert.equal(chains(''), ['INPUT'])
  const last = '-A OUTPUT -j REJECT --reject-with icmp-host-prohibited\n'
  assert.equal(chains(`-A OUTPUT -o lo -j ACCEPT\n${last}`), ['INPUT', 'OUTPUT'])
  assert.equal(chains(`${last}-A OUTPUT -j KUBE-FIREWALL\n`), ['INPUT'], 'it is not the last')
  const some = '-A OUTPUT -d 192.0.2.1/32 -j DROP\n'
  assert.equal(chains(some), ['INPUT'], 'it refuses some packets only')
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

/** What kube-proxy 1.37.2 wrote in the node world: kube-dns and kube-dns-upstream with two pods each. */
const saved = readFileSync(
  new URL('../fixtures/kube-proxy/iptables-nat-1.37.2.txt', import.meta.url),
  'utf8',
)
const service = { address: '10.96.0.10', port: 53, family: 4 } as const

test('the pods of a Service are read out of what iptables-save prints', () => {
  assert.equal(
    podsInSave(saved, service)?.map(({ address, port }) => `${address} ${port}`),
    ['10.78.0.2 53', '10.78.0.3 53'],
  )
  assert.is(podsInSave(saved, { ...service, address: '10.96.0.99' }), undefined)
})

const said = (stdout: string): Ran => ({ ok: true, stdout, stderr: '', isMissing: false })
const legacy = {
  run: async () => said(saved),
  nftables: undefined,
  kubeProxy: 'iptables',
  variant: 'legacy',
} as const

test('an address without rules is a target when somebody listens there, but never where it is a ClusterIP for certain', async () => {
  const unknown = { ...service, address: '10.244.7.7' }
  const find = (isClusterIp: boolean, isThere: boolean, kubeProxy: KubeProxyMode = 'iptables') =>
    findStandby(
      { ...legacy, kubeProxy },
      {
        services: [unknown],
        isClusterIp: () => isClusterIp,
        isListening: async () => isThere,
      },
    )
  assert.equal((await find(false, true)).targets, [unknown])
  assert.equal(await find(false, false), {
    targets: [],
    gaps: ['10.244.7.7:53: kube-proxy (iptables) has no rules for it, and nobody listens there'],
  })
  assert.equal((await find(true, true)).targets, [])
  assert.match((await find(true, true)).gaps.join(), 'the Service at 10.244.7.7:53')
  assert.equal((await find(false, true, 'unreadable')).targets, [], 'rules could lead anywhere')
  assert.equal((await find(true, false, 'ipvs')).targets, [unknown], 'IPVS translates behind us')
})

test('the first Service that has pods is the standby; what came before it is no gap then', async () => {
  const wanted = {
    services: [{ ...service, address: '10.96.0.98' }, service],
    isClusterIp: () => true,
    isListening: async () => false,
  }
  const { targets, gaps } = await findStandby(legacy, wanted)
  assert.equal([targets.length, gaps], [2, []])
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
