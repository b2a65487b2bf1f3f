// Goal: what is shown could be fed to nft. Method: texts by letter; nftables.test.ts feeds them to it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NftMatch, NftRule } from '../../../src/host/nft/model.ts'
import { changesText, ruleText, tableText } from '../../../src/host/nft/text.ts'

const test = suite('host/nft/text')

const rule: NftRule = {
  matches: [
    { kind: 'port', protocol: 'udp', side: 'destination', ports: 53 },
    { kind: 'address', family: 6, side: 'destination', address: 'fd00::10' },
    { kind: 'oneIn', count: 3 },
  ],
  verdict: { kind: 'dnat', family: 6, address: 'fd00:244::2', port: 5353 },
  comment: 'neardns: a test',
}
const at = { family: 'ip', table: 'filter', chain: 'INPUT' } as const

test('rules are those that nft takes', () => {
  assert.is(
    ruleText(rule),
    'udp dport 53 ip6 daddr fd00::10 numgen random mod 3 0 dnat ip6 to [fd00:244::2]:5353 comment "neardns: a test"',
  )
  const matches: NftMatch[] = [
    { kind: 'port', protocol: 'tcp', side: 'source', ports: [512, 1023] },
    { kind: 'set', family: 4, side: 'source', set: 'live4' },
    { kind: 'translated' },
  ]
  const text = (verdict: NftRule['verdict']) => ruleText({ matches, verdict })
  assert.is(text({ kind: 'notrack' }), 'tcp sport 512-1023 ip saddr @live4 ct status dnat notrack')
  assert.match(
    text({ kind: 'dnat', family: 4, address: '10.244.0.2', port: 53 }),
    / dnat ip to 10\.244\.0\.2:53$/,
  )
})

test('a renewal empties the set and fills it, each address with its time', () => {
  const set = { name: 'live4', family: 4 } as const
  const fill = {
    kind: 'fillSet',
    table: 't',
    set,
    addresses: ['192.0.2.1', '192.0.2.2'],
    timeoutMs: 2500,
  } as const
  assert.is(
    changesText([fill, { ...fill, addresses: [] }]),
    'flush set inet t live4\nadd element inet t live4 { 192.0.2.1 timeout 2500ms, 192.0.2.2 timeout 2500ms }\nflush set inet t live4\n',
  )
})

test('a table is its flags, sets and chains', () => {
  const chain = { name: 'output', type: 'nat', hook: 'output', priority: -110 } as const
  const rules = [{ matches: [], verdict: { kind: 'masquerade' } }] as const
  const table = { name: 't', sets: [], chains: [{ ...chain, rules }] }
  assert.is(
    tableText({ ...table, isOwned: false }),
    'table inet t {\n  chain output {\n    type nat hook output priority -110; policy accept;\n    masquerade\n  }\n}',
  )
  assert.match(tableText({ ...table, isOwned: true }), '{\n  flags owner\n')
})

test('a table that is replaced is named before it is deleted: it may not be there', () => {
  const table = { name: 't', isOwned: false, sets: [], chains: [] }
  assert.is(
    changesText([{ kind: 'replaceTable', table }]),
    'table inet t\ndelete table inet t\ntable inet t {\n}\n',
  )
})

test('rules for chains of others are inserted and deleted by place and handle', () => {
  assert.is(
    changesText([
      { kind: 'insertRule', at, rule: { matches: [], verdict: { kind: 'accept' } } },
      { kind: 'deleteRule', at, handle: 17n },
      { kind: 'deleteTable', family: 'ip6', name: 'raw' },
    ]),
    'insert rule ip filter INPUT accept\ndelete rule ip filter INPUT handle 17\ndelete table ip6 raw\n',
  )
})

test.run()
