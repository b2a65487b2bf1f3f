/**
 * Goal: chains that refuse are opened once and again when their owner has written them anew; what cannot be opened keeps queries away.
 * Method: scripted nftables and programs; the generation stands for what others change.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ruleComment } from '../../../src/host/backends/nft-rules.ts'
import type { GuardedChain } from '../../../src/host/facts.ts'
import { Accepts, nftTroubles } from '../../../src/host/firewall/accepts.ts'
import type { BaseChain, RuleFact } from '../../../src/host/nft/decode.ts'
import { planFor } from '../made-plan.ts'
import { reject, rule } from '../made-rules.ts'
import { scriptedNftables } from '../scripted-nftables.ts'
import { failed, said, scriptedRun } from '../scripted-run.ts'

const test = suite('host/firewall/accepts')

const native: GuardedChain = {
  family: 'inet',
  table: 'fw',
  chain: 'in',
  hook: 'input',
  owner: 'nft',
}
const legacy: GuardedChain = {
  family: 'ip',
  table: 'filter',
  chain: 'INPUT',
  hook: 'input',
  owner: 'iptables',
  variant: 'legacy',
}
const ofIptables: GuardedChain = { ...legacy, variant: 'nft' }
const base: BaseChain = { ...native, hook: 1, priority: 0, type: 'filter', dropsByPolicy: true }
const onlyOwn = { addresses: ['169.254.20.10'], clusterIps: [] }
const ours: RuleFact = { handle: 7n, comment: ruleComment, expressions: [] }

/** A chain `in` whose rules and generation a test may change. */
function changing(rules: RuleFact[] = []) {
  const state = { rules, generation: 1 }
  const nftables = scriptedNftables({
    baseChains: [base],
    rules: ({ table }) => (table === 'fw' ? state.rules : []),
    generation: async () => state.generation,
  })
  return { state, nftables }
}

test('a chain is opened with a rule for each protocol, at its head', async () => {
  const { nftables } = changing([rule(reject)])
  const accepts = new Accepts(scriptedRun().run, nftables)
  assert.equal(await accepts.install(planFor(onlyOwn, { guarded: [native] })), [])
  assert.equal(
    nftables.made.map(({ kind }) => kind),
    ['insertRule', 'insertRule'],
  )
})

test('a complete set of our rules is left alone, an incomplete one is replaced', async () => {
  const plan = planFor(onlyOwn, { guarded: [native] })
  const whole = changing([ours, { ...ours, handle: 8n }, rule(reject)])
  await new Accepts(scriptedRun().run, whole.nftables).install(plan)
  assert.equal(whole.nftables.made, [])
  const half = changing([ours, rule(reject)])
  await new Accepts(scriptedRun().run, half.nftables).install(plan)
  assert.equal(
    half.nftables.made.map(({ kind }) => kind),
    ['deleteRule', 'insertRule', 'insertRule'],
  )
})

test('nothing is read while no rules change; a rewritten firewall is opened again', async () => {
  const { state, nftables } = changing([])
  const accepts = new Accepts(scriptedRun().run, nftables)
  const plan = planFor(onlyOwn, { guarded: [native] })
  await accepts.install(plan)
  await accepts.check(plan)
  state.rules = [ours, { ...ours, handle: 8n }]
  nftables.made.length = 0
  await accepts.check(plan)
  assert.equal(nftables.made, [], 'nothing has changed')
  state.rules = [rule(reject)]
  await accepts.check(plan)
  assert.equal(nftables.made, [], 'and nobody has told so')
  state.generation += 1
  assert.equal(await accepts.check(plan), [])
  assert.is(nftables.made.length, 2)
})

test('a firewall that is switched on later is found', async () => {
  const { state, nftables } = changing()
  const accepts = new Accepts(scriptedRun().run, nftables)
  const plan = planFor(onlyOwn)
  assert.equal(await accepts.install(plan), [])
  assert.equal(nftables.made, [])
  state.generation += 1
  await accepts.check(plan)
  assert.is(nftables.made.length, 2)
})

test('a chain that could not be opened is a trouble and is retried without any change of rules', async () => {
  let isPermitted = false
  const nftables = scriptedNftables({
    change: async () => (isPermitted ? { ok: true } : { ok: false, code: 'EBUSY', why: 'EBUSY' }),
    baseChains: [base],
  })
  const accepts = new Accepts(scriptedRun().run, nftables)
  const plan = planFor(onlyOwn, { guarded: [native] })
  const [trouble] = await accepts.install(plan)
  assert.equal([trouble?.kind, trouble?.what], ['rules_failed', 'nf_tables: inet fw in: EBUSY'])
  await accepts.check(plan)
  assert.is((await accepts.check(plan)).length, 1)
  isPermitted = true
  assert.equal(await accepts.check(plan), [])
  const before = nftables.made.length
  assert.equal(await accepts.check(plan), [])
  assert.is(nftables.made.length, before)
})

test('queries of a family that is refused are not brought to us, and the reason is a trouble', async () => {
  const accepts = new Accepts(scriptedRun().run, scriptedNftables())
  const both = planFor({ addresses: ['169.254.20.10', 'fd00::10'], clusterIps: [] })
  const passable = async (...guarded: readonly GuardedChain[]) => {
    await accepts.install({ ...both, accept: guarded })
    return accepts.passable(both.addresses).map(({ family }) => family)
  }
  assert.equal(await passable(), [4, 6])
  assert.equal(await passable({ ...legacy, closed: 'Calico drops' }), [6])
  assert.equal(await passable({ ...legacy, family: 'ip6', closed: 'x' }), [4])
  assert.equal(await passable({ ...native, closed: 'its owner' }), [])
  assert.equal(
    accepts.refusals().map(({ kind, what }) => `${kind} ${what}`),
    ['firewall_refuses inet fw in: its owner'],
  )
})

test('chains of iptables are opened with its program of their variant, where they are not yet', async () => {
  const { run, ran, fed } = scriptedRun({
    'iptables-legacy-save': said('*filter\n:INPUT DROP [0:0]\nCOMMIT\n'),
  })
  const accepts = new Accepts(run, undefined)
  assert.equal(await accepts.install(planFor(onlyOwn, { guarded: [legacy] })), [])
  assert.equal(ran, [
    'iptables-legacy-save -t filter',
    'iptables-legacy-restore --noflush --wait 5',
  ])
  assert.match(fed[1] ?? '', '-I INPUT 1 -d 169.254.20.10/32')
  const open = scriptedRun({
    'iptables-legacy-save': said(`-A INPUT -m comment --comment "${ruleComment}" -j ACCEPT\n`),
  })
  await new Accepts(open.run, undefined).install(planFor(onlyOwn, { guarded: [legacy] }))
  assert.is(open.ran.length, 1, 'it is open')
})

test('no rule is doubled in chains where the iptables backend has its own', async () => {
  const { run, ran } = scriptedRun()
  const plan = planFor({ ...onlyOwn, mode: 'iptables' }, { guarded: [ofIptables, legacy] })
  await new Accepts(run, undefined).install(plan)
  assert.ok(ran.length > 0 && ran.every((line) => line.startsWith('iptables-legacy')))
})

test('a chain of a family without addresses of ours is left alone', async () => {
  const { run, ran } = scriptedRun()
  const guarded = [{ ...legacy, family: 'ip6' } as const]
  await new Accepts(run, undefined).install(planFor(onlyOwn, { guarded }))
  assert.equal(ran, [])
})

test('a failure of iptables has its name', async () => {
  const { run } = scriptedRun({ 'iptables-legacy-restore': failed('Permission denied') })
  const [trouble] = await new Accepts(run, undefined).install(
    planFor(onlyOwn, { guarded: [legacy] }),
  )
  assert.is(trouble?.kind, 'no_permission')
})

test('iptables-legacy, which tells of no change, is read again in each fifth check', async () => {
  const { run, ran } = scriptedRun({
    'iptables-legacy-save': said('*filter\n:INPUT DROP [0:0]\nCOMMIT\n'),
  })
  const accepts = new Accepts(run, undefined)
  const plan = planFor(onlyOwn, { iptables: 'legacy' })
  await accepts.install(plan)
  for (let i = 0; i < 4; i++) await accepts.check(plan)
  assert.equal(ran, [])
  await accepts.check(plan)
  assert.equal(ran, [
    'iptables-legacy-save -t filter',
    'ip6tables-legacy-save -t filter',
    'iptables-legacy-save -t filter',
    'iptables-legacy-restore --noflush --wait 5',
  ])
})

test('EPERM becomes the trouble no_permission', () => {
  assert.equal(nftTroubles({ ok: true }), [])
  const [trouble] = nftTroubles({ ok: false, code: 'EPERM', why: 'EPERM' })
  assert.is(trouble?.kind, 'no_permission')
  assert.is(trouble?.what, 'nf_tables: operation not permitted')
})

test.run()
