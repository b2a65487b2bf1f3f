// Goal: what is decided for a node follows from the settings and from what was found there, and says why.
// Method: plans from made-up facts; nothing of this machine is looked at.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { isSamePlan, makePlan } from '../../src/host/plan.ts'
import { facts, planFor, settings } from './made-plan.ts'

const test = suite('host/plan')

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

test('a kernel before 5.12 with rules that cannot be read: addresses without rules, and the reason; a wish for rules gets none', () => {
  const unreadable = ['iptables-legacy-save: the node has such tables (nat), but permission denied']
  const blind = { kubeProxy: 'unreadable', iptables: undefined, unreadable } as const
  const plan = planFor({}, { ...blind, kernel: '5.4.0' })
  assert.is(plan.backend, 'link')
  assert.equal([plan.standby, plan.accept, plan.addresses.length], [[], [], 2])
  assert.match(plan.why.join(), /which iptables this node uses cannot be seen, and kernel 5\.4\.0/)
  const said = plan.troubles.map(({ kind, what }) => `${kind} ${what}`).join('\n')
  assert.match(said, 'addresses without rules')
  assert.match(said, 'permission denied')
  assert.is(planFor({ mode: 'iptables' }, { ...blind, kernel: '5.4.0' }).backend, 'none')
})

test('mode link means the addresses alone: no rule, no standby and no trouble about it', () => {
  const plan = makePlan(settings({ mode: 'link' }), { ...facts, standby: [], noNftables: 'gone' })
  assert.is(plan.backend, 'link')
  assert.equal([plan.addresses.length, plan.standby, plan.accept, plan.troubles], [2, [], [], []])
})

test('addresses that another program puts on the node are not made', () => {
  const plan = makePlan(settings({ link: { kind: 'none' } }), facts)
  assert.equal([plan.link.isOurs, plan.link.kinds], [false, []])
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
  assert.match(plan.why.join(), '10.96.0.10: queries from the node itself are left to kube-proxy')
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
  assert.equal(plan.link, { name: 'nodelocaldns', kinds: [], isOurs: true })
  assert.equal(plan.troubles, [])
})

test('standbyTo wins over what kube-proxy knows', () => {
  const plan = makePlan(settings({ standbyTo: ['10.9.9.9:53'] }), facts)
  assert.equal(
    plan.standby.map(({ address }) => address),
    ['10.9.9.9'],
  )
})

test('what may not be read is said, and no backend is guessed from the rest', () => {
  const unreadable = ['iptables-legacy-save: the node has such tables (nat), but permission denied']
  const blind = { ...facts, kubeProxy: 'unreadable', iptables: undefined, unreadable } as const
  const plan = makePlan(settings({ mode: 'iptables' }), blind)
  assert.is(plan.backend, 'none')
  assert.ok(plan.troubles.every(({ kind }) => kind === 'rules_unreadable'))
  assert.match(plan.troubles[0]?.cure ?? '', 'NET_RAW')
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

test('an nftables without permission is no old kernel', () => {
  const noNftables = 'nf_tables: operation not permitted'
  const asked = planFor({ mode: 'nftables' }, { noNftables })
  assert.is(asked.troubles[0]?.kind, 'no_permission')
  const auto = planFor({}, { noNftables, iptables: undefined })
  assert.equal([auto.backend, auto.troubles[0]?.kind], ['none', 'no_permission'])
  assert.is(planFor({}, { noNftables }).backend, 'iptables', 'iptables is tried before giving up')
})

test('iptables that was asked for is taken where nftables would do', () => {
  const plan = planFor({ mode: 'iptables' })
  assert.is(plan.backend, 'iptables')
  assert.match(
    plan.why.join(),
    /mode is iptables; iptables variant nft, kube-proxy uses iptables \(nft variant\), beside/,
  )
  const missing = planFor({ mode: 'iptables' }, { iptables: undefined })
  assert.is(missing.troubles[0]?.what, 'iptables is not there')
})

test('a missing kube-proxy is said and keeps nothing from being planned', () => {
  const plan = planFor({}, { kubeProxy: 'none' })
  assert.match(plan.why.join(), 'no rules of kube-proxy were found')
  assert.is(plan.addresses.length, 2)
})

test('the loopback is a place of ours: an address on it belongs to nobody else', () => {
  const links = [{ name: 'lo', kind: '', addresses: ['127.0.0.1', '169.254.20.10'] }]
  const plan = planFor({}, { links })
  assert.is(plan.addresses[0]?.foreignLink, undefined)
  assert.equal(plan.troubles, [])
})

test('the kinds of links to try are those that were asked for, else all of them', () => {
  assert.equal(planFor().link, {
    name: 'nodelocaldns',
    kinds: ['dummy', 'bridge', 'lo'],
    isOurs: true,
  })
  const named = planFor({ link: { name: 'dns0', kind: 'bridge' } })
  assert.equal(named.link, { name: 'dns0', kinds: ['bridge'], isOurs: true })
})

test('ClusterIPs alone need no standby: kube-proxy stands by', () => {
  const plan = planFor({ addresses: [] }, { standby: [], standbyGaps: ['nothing'] })
  assert.equal([plan.standby, plan.troubles], [[], []])
})

test('plans are the same when the same rules follow from them, whatever else was found', () => {
  const plan = planFor()
  assert.ok(isSamePlan(plan, planFor({}, { kernel: '6.12.0', unreadable: ['x'] })))
  const gone = facts.standby.slice(1)
  assert.not.ok(isSamePlan(plan, planFor({}, { standby: gone })), 'a pod has gone')
  assert.not.ok(isSamePlan(plan, planFor({}, { iptables: 'legacy' })), 'another variant')
  assert.not.ok(isSamePlan(plan, planFor({}, { kubeProxy: 'nftables' })), 'other queries')
  const chain = { family: 'inet', table: 'f', chain: 'i', hook: 'input', owner: 'nft' } as const
  assert.not.ok(isSamePlan(plan, planFor({}, { guarded: [chain] })), 'a firewall has come')
})

test.run()
