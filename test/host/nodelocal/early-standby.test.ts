/**
 * Goal: before anything else a start leads pods to CoreDNS, and does nothing where another process serves or nothing is known. Method: nodes
 * that are written down; test/real/node-cache/takeover.test.ts has the real one.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addressBytes } from '../../../src/address/ip-address.ts'
import { readAttributes, text } from '../../../src/host/nft/attributes.ts'
import { Expression } from '../../../src/host/nft/constants.ts'
import type { ExpressionFact, RuleFact } from '../../../src/host/nft/decode.ts'
import { changesText } from '../../../src/host/nft/text.ts'
import { type EarlyWish, leadToCoredns } from '../../../src/host/nodelocal/early-standby.ts'
import { comparison, jumpTo, rule } from '../made-rules.ts'
import { scriptedNftables } from '../scripted-nftables.ts'
import { failed, said, scriptedRun } from '../scripted-run.ts'

const test = suite('host/nodelocal/early-standby')

const own = { address: '169.254.20.10', family: 4 } as const
const service = { address: '10.96.0.10', family: 4 } as const
const upstream = { address: '10.96.0.11', family: 4 } as const
const wish: EarlyWish = {
  addresses: [own, service],
  port: 53,
  standbyExpiryMs: 86_400_000,
  held: [],
  services: [upstream],
}
const nothing = async () => ''
const forgetFlows = async () => undefined

const saved = (...raw: readonly string[]) =>
  [
    '*raw',
    ...raw,
    'COMMIT',
    '*nat',
    '-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m udp --dport 53 -j KUBE-SVC-X',
    '-A KUBE-SVC-X -j KUBE-SEP-Y',
    '-A KUBE-SEP-Y -p udp -m udp -j DNAT --to-destination 10.78.0.2:53',
    'COMMIT',
    '',
  ].join('\n')

const legacy = async (path: string) => (path === '/proc/net/ip_tables_names' ? 'raw\nnat\n' : '')

function target(name: string): ExpressionFact {
  const data = readAttributes(text(Expression.xtables.name, name))
  return { name: 'target', data }
}

function notrackFor(address: string, handle: bigint): RuleFact {
  return { ...rule(comparison(addressBytes(address)), target('CT')), handle }
}

test('the standby rule leads our own address to the pods of the first Service that has any', async () => {
  const nftables = scriptedNftables()
  const { run } = scriptedRun({ 'iptables-legacy-save': said(saved()) })
  const forgotten: string[] = []
  const forget = async (to: EarlyWish['addresses']) => {
    forgotten.push(...to.map(({ address }) => address))
    return undefined
  }
  const tools = { run, readProc: legacy, nftables, forgetFlows: forget }
  const [line, ...more] = await leadToCoredns(tools, wish)
  assert.match(line ?? '', 'until this process serves, CoreDNS does: 10.78.0.2')
  assert.equal([more, forgotten], [[], [own.address]])
  const made = changesText(nftables.made)
  assert.match(made, /ip daddr 169\.254\.20\.10 ip daddr @standby4 dnat ip to 10\.78\.0\.2:53/)
  assert.not.match(made, /ip daddr 10\.96\.0\.10 dnat/)
  const before = { family: 'inet', name: 'neardns-standby-01234567', isOwned: false } as const
  await leadToCoredns({ ...tools, nftables: scriptedNftables({ tables: [before] }) }, wish)
  assert.is(forgotten.length, 1, 'flows that a standby translates already are left alone')
})

test('NOTRACK rules for our addresses go in the same transaction, those of others stay', async () => {
  const others = { ...rule(comparison(addressBytes('10.1.1.1')), target('CT')), handle: 8n }
  const nftables = scriptedNftables({
    rules: ({ table, chain }) =>
      table === 'raw' && chain === 'PREROUTING'
        ? [notrackFor(own.address, 7n), others, { ...jumpTo('X'), handle: 9n }]
        : [],
  })
  const { run, ran } = scriptedRun()
  const lines = await leadToCoredns({ run, readProc: nothing, nftables, forgetFlows }, wish)
  assert.equal(lines, ['1 rules of a node-cache removed, which led to a closed port'])
  const at = { family: 'ip', table: 'raw', chain: 'PREROUTING' }
  assert.equal(nftables.made, [{ kind: 'deleteRule', at, handle: 7n }])
  assert.equal(ran, [], 'no program without tables of iptables-legacy')
})

test('rules of iptables-legacy go by its own program', async () => {
  const left = '-A PREROUTING -d 169.254.20.10/32 -p udp -m udp --dport 53 -j CT --notrack'
  const { run, fed } = scriptedRun({ 'iptables-legacy-save': said(saved(left)) })
  const tools = { run, readProc: legacy, nftables: 'no nf_tables', forgetFlows }
  assert.equal(await leadToCoredns(tools, wish), [
    '1 rules of a node-cache removed, which led to a closed port',
  ])
  assert.is(fed[1], `*raw\n${left.replace('-A', '-D')}\nCOMMIT\n`)
  const broken = scriptedRun({
    'iptables-legacy-save': said(saved(left)),
    'iptables-legacy-restore': failed('xtables lock'),
  })
  assert.equal(await leadToCoredns({ ...tools, run: broken.run }, wish), [
    'iptables-legacy-restore: xtables lock',
  ])
})

test('while another process has a socket on an address, nothing is changed', async () => {
  const nftables = scriptedNftables({ rules: () => [notrackFor(own.address, 7n)] })
  const { run } = scriptedRun()
  const listening = '  10: 0A14FEA9:0035 00000000:0000 07 00000000:00000000 00:00000000\n'
  const readProc = async (path: string) => (path === '/proc/net/udp' ? listening : '')
  assert.equal(await leadToCoredns({ run, readProc, nftables, forgetFlows }, wish), [])
  assert.equal(nftables.made, [])
})

test('a kernel that refuses is told, and the start goes on', async () => {
  const change = async () => ({ ok: false, code: 'EPERM', why: 'EPERM: not permitted' }) as const
  const nftables = scriptedNftables({ rules: () => [notrackFor(own.address, 7n)], change })
  const { run } = scriptedRun()
  assert.equal(await leadToCoredns({ run, readProc: nothing, nftables, forgetFlows }, wish), [
    'the way to CoreDNS could not be made before the start: EPERM: not permitted',
  ])
})

test.run()
