/**
 * Goal: a node is seen for what it is, and what may not be looked at is named and not guessed.
 * Method: programs, /proc and nftables as the test writes them down, with the real rules of kube-proxy.
 */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Detection, detect, kubeProxyIn, standbyNow } from '../../src/host/detect.ts'
import type { Nftables } from '../../src/host/nft/nftables.ts'
import type { Ran } from '../../src/host/run-program.ts'
import { settings } from './made-plan.ts'
import { jumpTo } from './made-rules.ts'
import { replayedNftables } from './replayed-nftables.ts'
import { scriptedNftables } from './scripted-nftables.ts'
import { failed, missing, said, scriptedRun } from './scripted-run.ts'

const test = suite('host/detect')

const nat = readFileSync(
  new URL('../fixtures/kube-proxy/iptables-nat-1.37.2.txt', import.meta.url),
  'utf8',
)
const noSaves: Readonly<Record<string, Ran>> = {
  'iptables-nft-save': missing,
  'iptables-legacy-save': missing,
  'ip6tables-nft-save': missing,
  'ip6tables-legacy-save': missing,
}

interface Node {
  readonly programs?: Readonly<Record<string, Ran>>
  readonly proc?: Readonly<Record<string, string>>
  readonly nftables?: Nftables | string
  readonly changes?: object
  readonly ownSockets?: number
}

async function look({ programs = {}, proc = {}, nftables = 'none', changes, ownSockets }: Node) {
  const { run, ran } = scriptedRun({ ...noSaves, ...programs })
  const detection: Detection = {
    tools: { run, nftables, readProc: async (path) => proc[path] ?? '' },
    settings: settings({ standbyTo: [], ...changes }),
    clusterUpstreams: [],
    ...(ownSockets === undefined ? {} : { ownSockets }),
  }
  return { facts: await detect(detection), ran }
}

test('a bare node has nothing, and nothing is changed by the look', async () => {
  const { facts, ran } = await look({ nftables: 'the kernel has no nf_tables' })
  assert.equal(
    [facts.kubeProxy, facts.iptables, facts.noNftables, facts.links, facts.guarded],
    ['none', undefined, 'the kernel has no nf_tables', [], []],
  )
  assert.ok(
    ran.every((line) => /^ip -json|-save( |$)/.test(line)),
    ran.join('\n'),
  )
})

test("kube-proxy's chains decide for the variant, however many rules the other has", async () => {
  const busy = `*filter\n${'-A INPUT -j ACCEPT\n'.repeat(500)}COMMIT\n`
  const programs = { 'iptables-nft-save': said(busy), 'iptables-legacy-save': said(`#\n${nat}`) }
  const { facts } = await look({ programs })
  assert.equal([facts.iptables, facts.kubeProxy], ['legacy', 'iptables'])
})

test("the kubelet's hint decides where kube-proxy has not written yet", async () => {
  const hint = '*mangle\n:KUBE-IPTABLES-HINT - [0:0]\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n'
  const busy = said(`*filter\n${'-A INPUT -j ACCEPT\n'.repeat(500)}COMMIT\n`)
  const programs = { 'iptables-legacy-save': said(hint), 'iptables-nft-save': busy }
  const { facts } = await look({ programs })
  assert.equal([facts.iptables, facts.kubeProxy], ['legacy', 'none'])
})

test('without Kubernetes it is the variant that has rules, and nft where none has', async () => {
  const one = '*filter\n-A INPUT -j ACCEPT\nCOMMIT\n'
  const both = { 'iptables-nft-save': said(''), 'iptables-legacy-save': said('') }
  assert.is((await look({ programs: both })).facts.iptables, 'nft')
  const legacy = { ...both, 'iptables-legacy-save': said(one) }
  assert.is((await look({ programs: legacy })).facts.iptables, 'legacy')
})

test('legacy tables that cannot be read leave kube-proxy unknown, and no variant is guessed', async () => {
  const programs = {
    'iptables-legacy-save': failed('iptables-save v1.8.9 (legacy): Permission denied\nmore'),
    'iptables-nft-save': said('*filter\n-A INPUT -j ACCEPT\nCOMMIT\n'),
  }
  const proc = { '/proc/net/ip_tables_names': 'nat\nfilter\n' }
  const { facts } = await look({ programs, proc })
  assert.equal([facts.kubeProxy, facts.iptables], ['unreadable', undefined])
  assert.equal(facts.unreadable, [
    'iptables-legacy-save: the node has such tables (nat, filter), but iptables-save v1.8.9 (legacy): Permission denied',
  ])
  const absent = await look({ proc: { '/proc/net/ip6_tables_names': 'raw\n' } })
  assert.match(
    absent.facts.unreadable.join(),
    'ip6tables-legacy-save: the node has such tables (raw), but the program is not there',
  )
  const untouched = await look({ programs })
  assert.equal(untouched.facts.unreadable, [], 'nobody has used such tables')
})

test("kube-proxy's own chains in the readable variant are no guess", async () => {
  const { facts } = await look({
    programs: { 'iptables-nft-save': said(`#\n${nat}`), 'iptables-legacy-save': failed('x') },
    proc: { '/proc/net/ip_tables_names': 'filter\n' },
  })
  assert.equal([facts.kubeProxy, facts.iptables], ['iptables', 'nft'])
})

test('IPVS is known by its link, before all rules', async () => {
  const links = JSON.stringify([{ ifname: 'kube-ipvs0', linkinfo: { info_kind: 'dummy' } }])
  const { facts } = await look({
    programs: { 'ip -json': said(links), 'iptables-nft-save': said(`#\n${nat}`) },
  })
  assert.is(facts.kubeProxy, 'ipvs')
})

test("kube-proxy's nftables mode is known by its table, and its pods are the standby", async () => {
  const nftables = replayedNftables('kube-proxy-nftables-1.37.2', { baseChains: async () => [] })
  const { facts } = await look({ nftables })
  assert.is(facts.kubeProxy, 'nftables')
  assert.equal(
    facts.standby.map(({ address }) => address),
    ['10.78.0.2', '10.78.0.3'],
  )
  assert.equal([facts.standbyGaps, facts.noNftables], [[], undefined])
})

test('firewalls are found in nftables and in iptables-legacy; those of iptables-nft only once', async () => {
  const saved = said('*filter\n:INPUT DROP [0:0]\nCOMMIT\n')
  const { facts } = await look({
    nftables: replayedNftables('ufw-0.36.2', { rules: async () => [] }),
    programs: { 'iptables-nft-save': saved, 'ip6tables-legacy-save': saved },
    changes: { addresses: [] },
  })
  assert.equal(
    facts.guarded.map(({ family, chain, variant }) => `${family} ${chain} ${variant}`),
    ['ip INPUT nft', 'ip6 INPUT nft', 'ip6 INPUT legacy'],
  )
})

test("NodeLocal's rules for our addresses are leftovers, with where they are", async () => {
  const rule = '-A PREROUTING -d 169.254.20.10/32 -p udp -m udp --dport 53 -j CT --notrack'
  const other = '-A PREROUTING -d 169.254.25.10/32 -p udp -m udp --dport 53 -j CT --notrack'
  const programs = { 'iptables-legacy-save': said(`*raw\n${rule}\n${other}\nCOMMIT\n`) }
  const { facts } = await look({ programs })
  assert.equal(facts.leftovers, [
    { family: 4, variant: 'legacy', table: 'raw', rule: rule.replace('-A', '-D') },
  ])
})

/** Sockets on 169.254.20.10 port 53, as in /proc/net/udp. */
const sockets = (count: number) => ({
  '/proc/net/udp': '  373: 0A14FEA9:0035 00000000:0000 07\n'.repeat(count),
})

test('an address is served by others when there are more sockets on it than our own', async () => {
  const served = async (count: number, ownSockets?: number) =>
    (await look({ proc: sockets(count), ...(ownSockets === undefined ? {} : { ownSockets }) }))
      .facts.servedByOthers
  assert.equal(await served(0), [])
  assert.equal(await served(1), ['169.254.20.10'])
  assert.equal(await served(4, 4), [], 'one for each worker')
  assert.equal(await served(5, 4), ['169.254.20.10'])
})

test('without addresses of our own nobody has to stand by', async () => {
  const source = {
    ...scriptedRun(),
    nftables: undefined,
    kubeProxy: 'none',
    variant: undefined,
  } as const
  const wanted = { settings: settings({ addresses: [] }), clusterUpstreams: [] }
  assert.equal(await standbyNow(source, wanted), { targets: [], gaps: [] })
})

test('ClusterIPs that the kubelet put into the environment are Services for certain', async () => {
  const source = {
    ...scriptedRun(),
    nftables: undefined,
    kubeProxy: 'none',
    variant: undefined,
  } as const
  const upstream = { address: '127.0.0.253', port: 1, family: 4 } as const
  const wanted = { settings: settings({ clusterIps: [] }), clusterUpstreams: [upstream] }
  const asked = standbyNow(source, wanted)
  assert.match((await asked).gaps.join(), 'nobody listens there')
  process.env['NEARDNS_TEST_SERVICE_HOST'] = upstream.address
  // The environment is read before anything is waited for.
  const known = standbyNow(source, wanted)
  delete process.env['NEARDNS_TEST_SERVICE_HOST']
  assert.equal((await known).gaps, ['the Service at 127.0.0.253:1: there is no kube-proxy'])
})

test('the mode that is in the kernel now is seen in either family', async () => {
  assert.is(await kubeProxyIn(replayedNftables('kube-proxy-nftables-1.37.2')), 'nftables')
  assert.is(await kubeProxyIn(replayedNftables('kube-proxy-iptables-1.37.2-bullseye')), 'iptables')
  const only6 = scriptedNftables({
    rules: ({ family, chain }) =>
      family === 'ip6' && chain === 'KUBE-SERVICES' ? [jumpTo('KUBE-SVC-X')] : [],
  })
  assert.is(await kubeProxyIn(only6), 'iptables')
  assert.is(await kubeProxyIn(scriptedNftables()), undefined)
})

test.run()
