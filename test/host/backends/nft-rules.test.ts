// Goal: the nftables form of a plan brings to us what is alive, and CoreDNS the rest. Method: the tables as text, from made facts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  acceptRules,
  ownedTable,
  ownedTablePattern,
  renewal,
  standbyName,
  standbyPattern,
  standbyRenewal,
  standbyTable,
} from '../../../src/host/backends/nft-rules.ts'
import { changesText, ruleText, tableText } from '../../../src/host/nft/text.ts'
import { makePlan } from '../../../src/host/plan.ts'
import { facts, planFor, settings } from '../made-plan.ts'

const test = suite('host/backends/nft-rules')

test('incoming packets are matched by set, outgoing ones by address and set', () => {
  const text = tableText(ownedTable('neardns-00000000', planFor({}, { kubeProxy: 'nftables' })))
  assert.match(text, '    udp dport 53 ip daddr @live4 notrack\n')
  assert.match(text, '    tcp dport 53 ip daddr @live4 notrack\n')
  assert.match(text, 'udp dport 53 ip daddr 169.254.20.10 ip daddr @live4 notrack')
  assert.not.match(text, 'ip daddr 10.96.0.10 ip daddr @live4', "kube-proxy's for the node itself")
  assert.match(text, 'udp sport 53 ip saddr 10.96.0.10 notrack', 'replies to pods all the same')
})

test('the table has a set for each family that has an address, and hooks before connection tracking', () => {
  const text = (changes: object) => tableText(ownedTable('neardns-00000000', planFor(changes)))
  assert.not.match(text({}), 'live6')
  const both = text({ addresses: ['169.254.20.10', 'fd00::10'] })
  assert.match(both, '  set live4 { type ipv4_addr; flags timeout; }\n')
  assert.match(both, '  set live6 { type ipv6_addr; flags timeout; }\n')
  assert.match(both, 'type filter hook prerouting priority -300; policy accept;')
  assert.match(both, '  flags owner\n')
})

test('our test question is untracked before anything is intercepted, by its own source ports', () => {
  const text = tableText(ownedTable('neardns-00000000', planFor()))
  const rule =
    'udp sport 512-1023 udp dport 53 ip saddr 169.254.20.10 ip daddr 169.254.20.10 notrack'
  assert.match(text, `    ${rule}\n`)
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

test('an address without a known pod of its family is not translated', () => {
  const plan = planFor({ addresses: ['fd00::10'] }, { standby: facts.standby.slice(0, 2) })
  assert.not.match(tableText(standbyTable(plan)), 'dnat ip')
})

test('three pods get a third each: the first of three, the next of two, the rest', () => {
  const standby = ['10.244.0.2', '10.244.0.3', '10.244.0.4'].map((address) => ({
    address,
    port: 53,
    family: 4 as const,
  }))
  const text = tableText(standbyTable(planFor({}, { standby })))
  const chances = [
    ...text.matchAll(/udp dport 53 ip daddr \S+ (?:numgen random mod (\d) 0 )?dnat/g),
  ]
  assert.equal(
    chances.slice(0, 3).map(([, of]) => of),
    ['3', '2', undefined],
  )
})

test('translated packets are masqueraded, so that they can be answered', () => {
  const text = tableText(standbyTable(planFor()))
  assert.match(text, 'type nat hook prerouting priority -110')
  assert.match(text, 'type nat hook postrouting priority 90')
  for (const address of ['169.254.20.10', '10.96.0.10'])
    assert.match(text, `ip saddr ${address} ct status dnat masquerade\n`)
})

test('a standby that expires leads on what is in its set, of our own addresses alone', () => {
  const plan = planFor({ standbyExpirySeconds: 60 })
  const text = tableText(standbyTable(plan))
  assert.match(text, 'set standby4')
  assert.match(text, 'ip daddr 169.254.20.10 ip daddr @standby4 numgen random mod 2 0 dnat ip to')
  const [fill] = standbyRenewal(plan)
  assert.equal(fill, {
    kind: 'fillSet',
    table: standbyName(plan),
    set: { name: 'standby4', family: 4 },
    addresses: ['169.254.20.10'],
    timeoutMs: 60_000,
  })
  assert.equal(standbyRenewal(planFor()), [], 'for ever, unless it is configured')
  assert.not.match(tableText(standbyTable(planFor())), 'set standby')
})

test('a standby table is named by its addresses in any order and its port, and is no owned one', () => {
  const name = (changes: object) => standbyName(planFor({ clusterIps: [], ...changes }))
  const addresses = ['169.254.20.10', '169.254.20.11']
  assert.is(name({ addresses }), name({ addresses: addresses.toReversed() }))
  assert.is.not(name({ addresses }), name({ addresses: addresses.slice(1) }))
  assert.is.not(standbyName({ ...planFor(), port: 5353 }), standbyName(planFor()))
  assert.is(
    name({ addresses }),
    name({ addresses, standbyTo: ['10.9.9.9:53'] }),
    'pods come and go',
  )
  assert.match(name({}), standbyPattern)
  assert.not.match(name({}), ownedTablePattern)
  assert.not.match('neardns-0a0b0c0d', standbyPattern)
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

test('at output it is the reply that is accepted', () => {
  const chain = { family: 'ip', table: 'fw', chain: 'out', hook: 'output', owner: 'nft' } as const
  const [first] = acceptRules(chain, planFor()).map(ruleText)
  assert.is(first, 'udp sport 53 ip saddr 169.254.20.10 accept comment "neardns: DNS of this node"')
})

test.run()
