/**
 * Goal: everything of ours goes, nothing of anybody else, and nothing while another process serves. Method: scripted nftables, and iptables in
 * memory with the rules of a real kube-proxy beside ours.
 */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { IptablesRules } from '../../src/host/backends/iptables-backend.ts'
import { ruleComment } from '../../src/host/backends/nft-rules.ts'
import { savedTable } from '../../src/host/facts.ts'
import type { BaseChain, TableFact } from '../../src/host/nft/decode.ts'
import type { Nftables } from '../../src/host/nft/nftables.ts'
import type { RunProgram } from '../../src/host/run-program.ts'
import { type Step, stepText } from '../../src/host/steps.ts'
import { planRemoval, uninstall } from '../../src/host/uninstall.ts'
import { facts, planFor, settings } from './made-plan.ts'
import { reject, rule } from './made-rules.ts'
import { type ScriptedIptables, scriptedIptables } from './scripted-iptables.ts'
import { scriptedNftables } from './scripted-nftables.ts'
import { failed, scriptedRun } from './scripted-run.ts'

const test = suite('host/uninstall')

const readProc = async () => ''
const firstLines = (steps: readonly Step[]) => steps.map((step) => stepText(step).split('\n')[0])
const table = (name: string, isOwned = false): TableFact => ({ family: 'inet', name, isOwned })
const base = { hook: 1, priority: 0, type: 'filter', dropsByPolicy: true }

async function removal(nftables: Nftables | string, run: RunProgram = scriptedRun().run) {
  return await planRemoval({ run, nftables, readProc }, facts, settings())
}

test('on a node without anything of ours there is nothing to do', async () => {
  assert.equal(await removal(scriptedNftables()), { steps: [], running: [] })
  assert.equal(await removal('the kernel has no nf_tables'), { steps: [], running: [] })
})

test('standby tables go, and owned ones that lost their owner; those of running daemons are named', async () => {
  const tables = [
    table('neardns-standby-0a0b0c0d'),
    table('neardns-11111111', true),
    table('neardns-22222222'),
    table('kube-proxy'),
    table('neardns-lookalike'),
  ]
  const { steps, running } = await removal(scriptedNftables({ tables }))
  assert.equal(firstLines(steps), [
    'nft delete table inet neardns-standby-0a0b0c0d',
    'nft delete table inet neardns-22222222',
  ])
  assert.equal(running, ['neardns-11111111'])
})

test('accept rules of ours are taken out of every chain, even of a firewall that has become milder', async () => {
  const chain = (changes: Partial<BaseChain>): BaseChain => ({
    ...base,
    family: 'inet',
    table: 'fw',
    chain: 'in',
    ...changes,
  })
  const nftables = scriptedNftables({
    baseChains: [
      chain({}),
      chain({ dropsByPolicy: false, chain: 'mild' }),
      chain({ type: 'nat', chain: 'nat' }),
      chain({ table: 'neardns-22222222' }),
      // Its own program takes them out of there.
      chain({ family: 'ip', table: 'filter', chain: 'INPUT' }),
    ],
    rules: () => [{ handle: 7n, comment: ruleComment, expressions: [] }, rule(reject)],
  })
  const { steps } = await removal(nftables)
  assert.equal(firstLines(steps), [
    'nft delete rule inet fw in handle 7',
    'nft delete rule inet fw mild handle 7',
  ])
})

/** iptables in memory with our rules in it. */
async function installed(before: (scripted: ScriptedIptables) => void = () => {}) {
  const scripted = scriptedIptables()
  before(scripted)
  const rules = new IptablesRules(scripted.run, undefined)
  await rules.installLasting(planFor({ mode: 'iptables' }))
  return scripted
}

const stdinOf = (steps: readonly Step[], wanted: string) =>
  steps
    .flatMap((step) => ('program' in step ? [step.stdin ?? ''] : []))
    .find((text) => text.startsWith(`*${wanted}\n`))

test('tables of iptables-nft that came with our rules go whole', async () => {
  const { run } = await installed()
  const { steps } = await removal('none', run)
  assert.equal(firstLines(steps), [
    'iptables-nft-restore --noflush --wait 5',
    'nft delete table ip raw',
    'iptables-nft-restore --noflush --wait 5',
    'nft delete table ip filter',
    'iptables-nft-restore --noflush --wait 5',
    'nft delete table ip nat',
  ])
})

test("beside kube-proxy's rules only our chains and jumps go", async () => {
  const nat = readFileSync(
    new URL('../fixtures/kube-proxy/iptables-nat-1.37.2.txt', import.meta.url),
    'utf8',
  )
  const lines = savedTable(nat, 'nat').trimEnd().split('\n').slice(1, -1)
  const { run } = await installed(({ tables }) => tables.set('iptables-nft nat', lines))
  const { steps } = await removal('none', run)
  assert.not.ok(firstLines(steps).includes('nft delete table ip nat'))
  const text = stdinOf(steps, 'nat') ?? ''
  assert.match(text, '-D PREROUTING -j NEARDNS-PREROUTING\n')
  assert.match(text, '-X NEARDNS-POSTROUTING\n')
  assert.not.match(text, 'KUBE-')
})

test('a table that came with our rules stays when somebody has used it since', async () => {
  for (const line of [
    '-A PREROUTING -p udp -j ACCEPT',
    ':cali-PREROUTING - [0:0]',
    ':OUTPUT DROP [0:0]',
  ]) {
    const scripted = await installed()
    scripted.tables.get('iptables-nft raw')?.push(line)
    const { steps } = await removal('none', scripted.run)
    assert.not.ok(firstLines(steps).includes('nft delete table ip raw'), line)
    assert.ok(firstLines(steps).includes('nft delete table ip nat'), line)
  }
})

test('built-in chains that we made in a table that was there go after our own', async () => {
  const mark = '-A NEARDNS-OUTPUT -m comment --comment "neardns: made OUTPUT"'
  const lines = [':PREROUTING ACCEPT [0:0]', '-A PREROUTING -j KUBE-SERVICES', mark]
  const { run } = await installed(({ tables }) => tables.set('iptables-nft nat', lines))
  const { steps } = await removal('none', run)
  assert.ok(firstLines(steps).includes('iptables-nft -t nat -X OUTPUT'))
})

test('tables of iptables-legacy are never deleted: its kernel modules keep them', async () => {
  const scripted = scriptedIptables()
  const plan = planFor({ mode: 'iptables' }, { iptables: 'legacy' })
  await new IptablesRules(scripted.run, undefined).installLasting(plan)
  const { steps } = await removal('none', scripted.run)
  assert.equal(firstLines(steps), Array(3).fill('iptables-legacy-restore --noflush --wait 5'))
})

test('every step is tried, and failures are reported with their program', async () => {
  const nftables = scriptedNftables({
    tables: [table('neardns-standby-0a0b0c0d')],
    change: async () => ({ ok: false, code: 'EPERM', why: 'Operation not permitted' }),
  })
  const links = JSON.stringify([{ ifname: 'nodelocaldns' }])
  const { run, ran } = scriptedRun({
    'ip -json': { ok: true, stdout: links, stderr: '', isMissing: false },
    'ip link delete': failed('Cannot find device'),
  })
  const tools = { run, nftables, readProc }
  const troubles = await uninstall({ tools, settings: settings(), clusterUpstreams: [] })
  assert.equal(
    troubles.map(({ kind, what }) => `${kind} ${what}`),
    ['no_permission nf_tables: Operation not permitted', 'rules_failed ip: Cannot find device'],
  )
  assert.is(ran.at(-1), 'ip link delete dev nodelocaldns')
})

/** A socket on 169.254.20.10 port 53, in /proc/net/udp. */
const socket = '  373: 0A14FEA9:0035 00000000:0000 07\n'

test('uninstall waits for a process that is just ending', async () => {
  let reads = 0
  const tools = {
    run: scriptedRun().run,
    nftables: scriptedNftables({ tables: [table('neardns-standby-0a0b0c0d')] }),
    readProc: async (path: string) => {
      if (path !== '/proc/net/udp') return ''
      reads += 1
      return reads < 3 ? socket : ''
    },
  }
  assert.equal(await uninstall({ tools, settings: settings(), clusterUpstreams: [] }), [])
  assert.is(tools.nftables.made.length, 1)
})

test('nothing is removed while another process serves our addresses', async () => {
  const tools = {
    run: scriptedRun().run,
    nftables: scriptedNftables({ tables: [table('neardns-standby-0a0b0c0d')] }),
    readProc: async (path: string) => (path === '/proc/net/udp' ? socket : ''),
  }
  const startMs = performance.now()
  assert.equal(await uninstall({ tools, settings: settings(), clusterUpstreams: [] }), [])
  assert.equal(tools.nftables.made, [])
  assert.ok(performance.now() - startMs >= 6000, 'that it goes was waited for')
})

test.run()
