// Goal: what is decided for a node follows from the settings and from what was found there, and says why.
// Method: plans and rule texts from made-up facts; nothing of this machine is looked at.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import type { InterceptionSettings } from '../../src/config/schema.ts'
import { restoreText } from '../../src/host/backends/iptables-rules.ts'
import {
  acceptRules,
  ownedTable,
  renewal,
  standbyTable,
} from '../../src/host/backends/nft-rules.ts'
import type { HostFacts } from '../../src/host/facts.ts'
import { changesText, ruleText, tableText } from '../../src/host/nft/text.ts'
import { makePlan } from '../../src/host/plan.ts'
import { planText } from '../../src/host/plan-text.ts'

const test = suite('host/plan')

const facts: HostFacts = {
  kernel: '6.1.0',
  noNftables: undefined,
  iptables: 'nft',
  kubeProxy: 'iptables',
  links: [{ name: 'lo', kind: '', addresses: ['127.0.0.1'] }],
  guarded: [],
  standby: [
    { address: '10.244.0.2', port: 53, family: 4 },
    { address: '10.244.1.2', port: 5353, family: 4 },
    { address: 'fd00:244::2', port: 53, family: 6 },
  ],
  standbyGaps: [],
  unreadable: [],
  leftovers: [],
  servedByOthers: [],
}

function settings(changes: object = {}): InterceptionSettings {
  const interception = { addresses: ['169.254.20.10'], clusterIps: ['10.96.0.10'], ...changes }
  const listen = ['0.0.0.0:53', '[::]:53']
  const text = JSON.stringify({ listen, interception })
  const loaded = loadConfig({ file: { name: 'test.yaml', text } })
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '))
  return loaded.config.interception
}

test('no addresses means that nothing is touched', () => {
  const plan = makePlan(settings({ addresses: [], clusterIps: [] }), facts)
  assert.is(plan.backend, 'none')
  assert.equal(plan.addresses, [])
  assert.equal(plan.troubles, [])
})

test('mode none means that nothing is touched', () => {
  assert.is(makePlan(settings({ mode: 'none' }), facts).backend, 'none')
})

test('auto takes nftables where tables die with their owner, beside an iptables kube-proxy, too', () => {
  const plan = makePlan(settings(), facts)
  assert.is(plan.backend, 'nftables')
  assert.match(plan.why.join(), /kernel 6\.1\.0 has tables that die.*kube-proxy uses iptables/)
})

test('auto takes iptables on a kernel before 5.12, in the variant that kube-proxy uses', () => {
  const plan = makePlan(settings(), { ...facts, kernel: '5.4.0-200', iptables: 'legacy' })
  assert.is(plan.backend, 'iptables')
  assert.is(plan.variant, 'legacy')
  assert.match(plan.why.join(), /kernel 5\.4\.0-200 has no tables .* iptables variant legacy/)
})

test('a backend that was asked for and cannot work is a named trouble, and nothing is touched', () => {
  const old = makePlan(settings({ mode: 'nftables' }), { ...facts, kernel: '4.19.0' })
  assert.is(old.backend, 'none')
  assert.is(old.troubles[0]?.kind, 'kernel_too_old')
  const noNftables = 'the kernel has no nf_tables (module nf_tables)'
  const bare = makePlan(settings(), { ...facts, noNftables, iptables: undefined })
  assert.is(bare.backend, 'none')
  assert.is(bare.troubles[0]?.kind, 'program_missing')
  assert.match(bare.troubles[0]?.what ?? '', `iptables is not there, and ${noNftables}`)
})

test('with IPVS the ClusterIP is left alone and the reason is given', () => {
  const plan = makePlan(settings(), { ...facts, kubeProxy: 'ipvs' })
  assert.equal(
    plan.addresses.map(({ address }) => address),
    ['169.254.20.10'],
  )
  assert.match(plan.why.join(), '10.96.0.10 left alone: kube-proxy uses IPVS')
})

test('with nftables the queries of the node itself to the ClusterIP are left to kube-proxy', () => {
  const plan = makePlan(settings(), { ...facts, kubeProxy: 'nftables' })
  assert.equal(
    plan.addresses.map(({ forHost }) => forHost),
    [true, false],
  )
  const text = tableText(ownedTable('neardns-00000000', plan))
  assert.match(text, '    udp dport 53 ip daddr @live4 notrack\n')
  assert.match(text, 'udp dport 53 ip daddr 169.254.20.10 ip daddr @live4 notrack')
  assert.not.match(text, 'ip daddr 10.96.0.10 ip daddr @live4')
})

test('an address on a link of somebody else is used, reported and not made', () => {
  const links = [...facts.links, { name: 'br7', kind: 'bridge', addresses: ['169.254.20.10'] }]
  const plan = makePlan(settings(), { ...facts, links })
  assert.is(plan.addresses[0]?.foreignLink, 'br7')
  assert.is(plan.troubles[0]?.kind, 'address_taken')
})

test("NodeLocal's link is taken over as it is", () => {
  const mine = { name: 'nodelocaldns', kind: 'dummy', addresses: ['169.254.20.10'] }
  const plan = makePlan(settings(), { ...facts, links: [...facts.links, mine] })
  assert.equal(plan.link, { name: 'nodelocaldns', kinds: [] })
  assert.equal(plan.troubles, [])
})

test('only own addresses are sent to the standby, each family to its own pods', () => {
  const both = settings({ addresses: ['169.254.20.10', 'fd00::10'], clusterIps: ['10.96.0.10'] })
  const text = tableText(standbyTable(makePlan(both, facts)))
  for (const protocol of ['udp', 'tcp']) {
    const to = `${protocol} dport 53 ip daddr 169.254.20.10`
    assert.match(text, `    ${to} numgen random mod 2 0 dnat ip to 10.244.0.2:53\n`)
    assert.match(text, `    ${to} dnat ip to 10.244.1.2:5353\n`)
    const to6 = `${protocol} dport 53 ip6 daddr fd00::10`
    assert.match(text, `    ${to6} dnat ip6 to [fd00:244::2]:53\n`)
  }
  assert.not.match(text, 'daddr 10.96.0.10')
})

test('standbyTo wins over what kube-proxy knows', () => {
  const plan = makePlan(settings({ standbyTo: ['10.9.9.9:53'] }), facts)
  assert.equal(
    plan.standby.map(({ address }) => address),
    ['10.9.9.9'],
  )
})

test('a renewal names what is alive with its time, and empties the rest', () => {
  const both = settings({ addresses: ['169.254.20.10', 'fd00::10'], lifetimeMs: 2500 })
  const plan = makePlan(both, facts)
  const alive = plan.addresses.filter(({ address }) => address === '169.254.20.10')
  assert.is(
    changesText(renewal('t', plan, alive)),
    'flush set inet t live4\nadd element inet t live4 { 169.254.20.10 timeout 2500ms }\nflush set inet t live6\n',
  )
})

test('a chain that drops gets accept rules of its family', () => {
  const plan = makePlan(settings({ addresses: ['169.254.20.10', 'fd00::10'] }), facts)
  const chain = { family: 'inet', table: 'fw', chain: 'in', hook: 'input', owner: 'nft' } as const
  const rules = acceptRules(chain, plan).map(ruleText)
  assert.is(rules.length, 6)
  assert.ok(
    rules.includes('tcp dport 53 ip6 daddr fd00::10 accept comment "neardns: DNS of this node"'),
    rules.join('\n'),
  )
  assert.is(acceptRules({ ...chain, family: 'ip' }, plan).length, 4)
})

test("iptables gets NodeLocal's rules with a lease on what intercepts, and each jump once", () => {
  const plan = makePlan(settings({ mode: 'iptables' }), facts)
  const text = restoreText(plan, 4, { table: 'raw', saved: '*raw\n:PREROUTING ACCEPT [0:0]\n' })
  const lease = '-m recent --name neardns4 --rcheck --rdest --seconds 1 --hitcount 4'
  const to = '-d 169.254.20.10/32 -p udp -m udp --dport 53'
  assert.match(text, `-A NEARDNS-PREROUTING ${to} ${lease} -j NOTRACK\n`)
  assert.match(text, `-A NEARDNS-OUTPUT ${to} ${lease} -j NOTRACK\n`)
  assert.match(text, '-A NEARDNS-OUTPUT -s 169.254.20.10/32 -p udp -m udp --sport 53 -j NOTRACK\n')
  assert.match(text, '-I PREROUTING 1 -j NEARDNS-PREROUTING\n')
  const again = restoreText(plan, 4, {
    table: 'raw',
    saved: '*raw\n-A PREROUTING -j NEARDNS-PREROUTING\n',
  })
  assert.not.match(again, '-I PREROUTING')
  assert.match(again, '-I OUTPUT 1 -j NEARDNS-OUTPUT')
})

test('what may not be read is said, and no backend is guessed from the rest', () => {
  const unreadable = ['iptables-legacy-save: the node has such tables (nat), but permission denied']
  const blind = { ...facts, kubeProxy: 'unreadable', iptables: undefined, unreadable } as const
  const plan = makePlan(settings({ mode: 'iptables' }), blind)
  assert.is(plan.backend, 'none')
  assert.ok(plan.troubles.every(({ kind }) => kind === 'rules_unreadable'))
  assert.match(plan.troubles[0]?.cure ?? '', 'NET_RAW')
  assert.match(planText(plan, blind), /kube-proxy +unreadable\n/)
})

test('a family of ours for which no CoreDNS pod is known is a trouble, with what was looked at', () => {
  const both = settings({ addresses: ['169.254.20.10', 'fd00::10'], clusterIps: [] })
  const gaps = ['the Service at [fd96::b]:53: kube-proxy (nftables) has no rules for it']
  const standby = facts.standby.filter(({ family }) => family === 4)
  const { troubles } = makePlan(both, { ...facts, standby, standbyGaps: gaps })
  assert.equal(
    troubles.map(({ kind }) => kind),
    ['standby_unknown'],
  )
  assert.match(troubles[0]?.what ?? '', `our IPv6 addresses: ${gaps[0]}`)
})

test('the printed plan has the facts, the reasons and the rules', () => {
  const text = planText(makePlan(settings(), facts), facts)
  for (const part of ['kube-proxy  iptables', 'backend     nftables', 'flags owner', 'dnat ip to'])
    assert.match(text, part)
})

test('an address that nobody listens on, a loopback address and a twin are mistakes', () => {
  const refused = (listen: string[], interception: object) => {
    const text = JSON.stringify({ listen, interception })
    const loaded = loadConfig({ file: { name: 'test.yaml', text } })
    return loaded.ok ? '' : loaded.problems.map(({ message }) => message).join('; ')
  }
  const addresses = ['169.254.20.10']
  assert.match(refused(['127.0.0.1:53'], { addresses }), 'add 169.254.20.10:53 to listen')
  assert.match(refused(['0.0.0.0:53'], { addresses: ['127.0.0.1'] }), 'loopback address')
  const twice = { addresses, clusterIps: addresses }
  assert.match(refused(['0.0.0.0:53'], twice), 'already listed at interception.addresses[0]')
  const short = { addresses, renewMs: 1000, lifetimeMs: 1500 }
  assert.match(refused(['0.0.0.0:53'], short), 'raise it to 2000')
  assert.is(refused(['0.0.0.0:53'], { addresses }), '')
})

test.run()
