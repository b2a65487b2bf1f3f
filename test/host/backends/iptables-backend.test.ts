/**
 * Goal: the iptables form of a plan is put there once, put back whole when somebody takes it, and intercepts nothing without its lease.
 * Method: iptables in memory. The kernel's lists below /proc/net/xt_recent are not on this machine, which is the case of a kernel that has
 * dropped them; leases that run are test/real/interception.test.ts's.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { IptablesRules } from '../../../src/host/backends/iptables-backend.ts'
import type { BaseChain } from '../../../src/host/nft/decode.ts'
import type { Ran } from '../../../src/host/run-program.ts'
import { planFor } from '../made-plan.ts'
import { scriptedIptables } from '../scripted-iptables.ts'
import { scriptedNftables } from '../scripted-nftables.ts'
import { failed } from '../scripted-run.ts'

const test = suite('host/backends/iptables-backend')

const iptables = { mode: 'iptables', addresses: ['169.254.20.10'], clusterIps: [] }
const plan = planFor(iptables)
const restores = (ran: readonly string[]) => ran.filter((line) => line.includes('-restore'))

test('all three tables get our chains, in one call for each family that has an address', async () => {
  const { run, ran, tables } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  assert.equal(await rules.installLasting(plan), [])
  assert.equal(restores(ran), ['iptables-nft-restore --noflush --wait 5'])
  assert.equal([...tables.keys()], ['iptables-nft raw', 'iptables-nft filter', 'iptables-nft nat'])
  const both = { ...iptables, addresses: ['169.254.20.10', 'fd00::10'] }
  await new IptablesRules(run, undefined).installLasting(planFor(both, { iptables: 'legacy' }))
  assert.equal(restores(ran).slice(1), [
    'iptables-legacy-restore --noflush --wait 5',
    'ip6tables-legacy-restore --noflush --wait 5',
  ])
})

test('installed again, jumps are not put there a second time and rules are the same', async () => {
  const { run, tables } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  await rules.install(plan)
  const made = JSON.stringify([...tables])
  await rules.install(plan)
  assert.is(JSON.stringify([...tables]), made)
  await rules.close(false)
})

test('a check that finds no difference changes nothing and reports nothing', async () => {
  const { run, ran } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  await rules.installLasting(plan)
  ran.length = 0
  assert.equal(await rules.check(), [])
  assert.equal(ran, ['iptables-nft-save -t raw'], 'the other tables cost a process each')
})

test('moving counters and rules of others are no difference', async () => {
  const { run, ran, tables } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  await rules.installLasting(plan)
  const raw = tables.get('iptables-nft raw') ?? []
  const at = raw.indexOf(':NEARDNS-PREROUTING - [0:0]')
  raw[at] = ':NEARDNS-PREROUTING - [17:1234]'
  raw.push('-A PREROUTING -j cali-PREROUTING')
  ran.length = 0
  assert.equal(await rules.check(), [])
  assert.equal(restores(ran), [])
})

test('after a flush of one table every table that differs is restored in the same check', async () => {
  const { run, tables } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  await rules.installLasting(plan)
  const made = new Map([...tables].map(([name, lines]) => [name, [...lines]]))
  tables.delete('iptables-nft raw')
  tables.delete('iptables-nft nat')
  const [trouble, ...more] = await rules.check()
  assert.equal([trouble?.kind, more], ['rules_flushed', []])
  assert.is(trouble?.what, 'iptables-nft: rules in raw, nat were not as they were made')
  assert.equal(tables.get('iptables-nft raw'), made.get('iptables-nft raw'))
  assert.equal(tables.get('iptables-nft nat'), made.get('iptables-nft nat'))
  assert.equal(await rules.check(), [])
})

test('a removed jump is put back', async () => {
  const { run, tables } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  await rules.installLasting(plan)
  const raw = tables.get('iptables-nft raw') ?? []
  raw.splice(raw.indexOf('-A PREROUTING -j NEARDNS-PREROUTING'), 1)
  assert.is((await rules.check()).length, 1)
  assert.ok(tables.get('iptables-nft raw')?.includes('-A PREROUTING -j NEARDNS-PREROUTING'))
})

test('rules lost from filter or nat alone are noticed within ten checks', async () => {
  const { run, tables } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  await rules.installLasting(plan)
  tables.delete('iptables-nft filter')
  for (let check = 1; check < 10; check++) assert.equal(await rules.check(), [], `check ${check}`)
  assert.is((await rules.check())[0]?.kind, 'rules_flushed')
  assert.ok(tables.has('iptables-nft filter'))
})

test('a failed restore is reported with its reason and retried by the next check', async () => {
  const scripted = scriptedIptables()
  let failure: Ran | undefined = failed("iptables-restore v1.8.9: Couldn't load match `recent'")
  const rules = new IptablesRules(async (program, args, stdin) => {
    if (failure !== undefined && program.endsWith('-restore')) return failure
    return await scripted.run(program, args, stdin)
  }, undefined)
  const [old] = await rules.installLasting(plan)
  assert.is(old?.kind, 'kernel_too_old')
  assert.match(old?.what ?? '', 'xt_recent')
  failure = failed('Another app is currently holding the xtables lock.')
  const troubles = await rules.check()
  assert.ok(troubles.some(({ kind }) => kind === 'lock_held'))
  failure = undefined
  await rules.check()
  assert.ok(scripted.tables.has('iptables-nft raw'))
  assert.equal(await rules.check(), [])
})

test('new pods change nat and no other table', async () => {
  const { run, tables } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  await rules.installLasting(plan)
  const raw = [...(tables.get('iptables-nft raw') ?? [])]
  const standby = [{ address: '10.244.9.9', port: 53, family: 4 as const }]
  assert.equal(await rules.updateStandby(planFor(iptables, { standby })), [])
  assert.match(tables.get('iptables-nft nat')?.join('\n') ?? '', '--to-destination 10.244.9.9:53')
  assert.not.match(tables.get('iptables-nft nat')?.join('\n') ?? '', '10.244.0.2')
  assert.equal(tables.get('iptables-nft raw'), raw)
  assert.equal(await rules.check(), [])
})

test('built-in chains that exist only in the output of iptables-save are marked as made by us', async () => {
  const base = { priority: 0, hook: 3, type: 'nat', dropsByPolicy: false }
  const chains: BaseChain[] = [{ ...base, family: 'ip', table: 'nat', chain: 'PREROUTING' }]
  const { run, tables } = scriptedIptables()
  tables.set('iptables-nft nat', [':PREROUTING ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]'])
  const rules = new IptablesRules(run, scriptedNftables({ baseChains: chains }))
  await rules.installLasting(plan)
  const nat = tables.get('iptables-nft nat')?.join('\n') ?? ''
  assert.match(nat, '"neardns: made OUTPUT"')
  assert.match(nat, '"neardns: made POSTROUTING"')
  assert.not.match(nat, '"neardns: made PREROUTING"')
})

test("iptables-legacy's chains are always there", async () => {
  const { run, tables } = scriptedIptables()
  tables.set('iptables-legacy nat', [':PREROUTING ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]'])
  const rules = new IptablesRules(run, scriptedNftables())
  await rules.installLasting(planFor(iptables, { iptables: 'legacy' }))
  assert.not.match(tables.get('iptables-legacy nat')?.join('\n') ?? '', 'neardns: made')
})

test('a list that the kernel has dropped with its last rule is reported as flushed rules', async () => {
  const { run } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  assert.equal(await rules.renew(plan.addresses), [], 'nothing is installed')
  await rules.install(plan)
  const [trouble] = await rules.renew(plan.addresses)
  assert.is(trouble?.kind, 'rules_flushed')
  assert.match(trouble?.what ?? '', '/proc/net/xt_recent/neardns4')
  await rules.close(false)
})

test('after close() nothing is installed and checks do nothing', async () => {
  const { run, ran } = scriptedIptables()
  const rules = new IptablesRules(run, undefined)
  await rules.install(plan)
  assert.ok(rules.isInstalled)
  await rules.close(true)
  ran.length = 0
  assert.not.ok(rules.isInstalled)
  assert.equal([await rules.check(), await rules.renew(plan.addresses)], [[], []])
  assert.equal(ran, [])
})

test.run()
