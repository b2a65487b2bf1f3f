// Goal: a person reads in the printed plan what was found, what follows, and the rules. Method: plans from made facts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HostFacts } from '../../src/host/facts.ts'
import { planText } from '../../src/host/plan-text.ts'
import { facts, planFor } from './made-plan.ts'

const test = suite('host/plan-text')

/** The whole print of a plan. */
function textOf(changes: object = {}, factChanges: Partial<HostFacts> = {}): string {
  return planText(planFor(changes, factChanges), { ...facts, ...factChanges })
}

test('the printed plan has the facts, the reasons and the rules', () => {
  const text = textOf()
  assert.match(text, 'nftables    usable\n')
  const noNftables = 'nf_tables: operation not permitted'
  assert.match(textOf({}, { noNftables }), `nftables    ${noNftables}\n`)
  for (const part of ['kube-proxy  iptables', 'backend     nftables', 'flags owner', 'dnat ip to'])
    assert.match(text, part)
})

test('each address is shown with its link, its clients and its standby', () => {
  const text = textOf({}, { kubeProxy: 'nftables' })
  const own = '169.254.20.10 on nodelocaldns: queries of pods and node; standby to CoreDNS'
  assert.match(text, `address     ${own}\n`)
  assert.match(
    text,
    'address     10.96.0.10 on nodelocaldns: queries of pods; kube-proxy stands by\n',
  )
  const links = [{ name: 'br7', kind: 'bridge', addresses: ['169.254.20.10'] }]
  assert.match(textOf({}, { links }), '169.254.20.10 on br7:')
})

test('an unknown standby is shown with the places that were looked at', () => {
  const standbyGaps = ['the Service at 10.96.0.10:53: kube-proxy (iptables) has no rules for it']
  const text = textOf({}, { standby: [], standbyGaps })
  assert.match(text, 'standby     no CoreDNS pod is known\n')
  assert.match(text, `standby     not from ${standbyGaps[0]}\n`)
  assert.match(
    textOf(),
    'standby     10.244.0.2 port 53, 10.244.1.2 port 5353, fd00:244::2 port 53\n',
  )
})

test('unreadable rules make a missing iptables an unknown one', () => {
  const unreadable = ['iptables-legacy-save: the node has such tables (nat), but permission denied']
  const text = textOf({}, { kubeProxy: 'unreadable', iptables: undefined, unreadable })
  assert.match(text, /kube-proxy +unreadable\n/)
  assert.match(text, /iptables +unknown\n/)
  assert.match(text, `unreadable  ${unreadable[0]}\n`)
  assert.match(textOf({}, { iptables: undefined }), /iptables +not there\n/)
})

test('a plan of iptables shows each family that has an address, and how long a renewal holds', () => {
  const text = textOf({ mode: 'iptables', addresses: ['fd00::10'], clusterIps: [] })
  assert.match(
    text,
    '# ip6tables-nft-restore --noflush; in force for 1 s after each renewal\n*raw\n',
  )
  assert.not.match(text, '# iptables-nft-restore')
})

test('a plan that touches nothing has no rules, and says why', () => {
  const text = textOf({ mode: 'none' })
  assert.match(text, 'why         mode is none: links and rules are left alone\n')
  assert.not.match(text, /notrack|# lasting/)
})

test('a firewall that only its owner can open is shown, and no rule is printed for it', () => {
  const chain = {
    family: 'inet',
    table: 'firewalld',
    chain: 'in',
    hook: 'input',
    owner: 'nft',
  } as const
  const closed = 'its table belongs to another process'
  const text = textOf({}, { guarded: [{ ...chain, closed }] })
  assert.match(text, `firewall    inet firewalld in: ${closed}\n`)
  assert.not.match(text, 'insert rule inet firewalld')
  assert.match(textOf({}, { guarded: [chain] }), 'insert rule inet firewalld in udp dport 53')
})

test('leftovers of NodeLocal are shown as the rules that they are', () => {
  const leftover = {
    family: 4,
    variant: 'legacy',
    table: 'raw',
    rule: '-D OUTPUT -j NOTRACK',
  } as const
  const text = textOf({}, { leftovers: [leftover] })
  assert.match(text, 'leftover    legacy raw: -A OUTPUT -j NOTRACK\n')
})

test.run()
