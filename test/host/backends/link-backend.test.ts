// Goal: in mode link nothing stands in for the daemon. Method: a node on which an earlier configuration left its standby, with and without
// a daemon that still uses it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NoRules } from '../../../src/host/backends/link-backend.ts'
import { planFor } from '../made-plan.ts'
import { scriptedNftables } from '../scripted-nftables.ts'
import { said, scriptedRun } from '../scripted-run.ts'

const test = suite('host/backends/link-backend')

const table = (name: string, isOwned: boolean) => ({ family: 'inet' as const, name, isOwned })
const standby = table('neardns-standby-0123abcd', false)
const owned = table('neardns-89ab4567', true)

test('the standby table of an earlier configuration is removed', async () => {
  const nftables = scriptedNftables({ tables: [standby, table('kube-proxy', false)] })
  const rules = new NoRules(scriptedRun().run, nftables)
  assert.equal(await rules.install(planFor({ mode: 'link' })), [])
  assert.equal(nftables.made, [{ kind: 'deleteTable', family: 'inet', name: standby.name }])
})

test('a daemon that intercepts keeps its standby until it ends', async () => {
  const tables = [standby, owned]
  const nftables = scriptedNftables({ tables })
  const rules = new NoRules(scriptedRun().run, nftables)
  await rules.install(planFor({ mode: 'link' }))
  assert.equal(nftables.made, [])
  tables.pop()
  await rules.check()
  assert.is(nftables.made.length, 1)
})

test('standby rules of the iptables backend are removed as well', async () => {
  const saved = [
    '*nat',
    ':NEARDNS-PREROUTING - [0:0]',
    '-A PREROUTING -j NEARDNS-PREROUTING',
    'COMMIT',
  ].join('\n')
  const { run, fed } = scriptedRun({ 'iptables-legacy-save': said(saved) })
  const plan = { ...planFor({ mode: 'link', clusterIps: [] }), variant: 'legacy' as const }
  assert.equal(await new NoRules(run, undefined).install(plan), [])
  assert.match(fed.join('\n'), /-X NEARDNS-PREROUTING/)
})

test('the addresses count as served when they answer, though no rule is there', async () => {
  const rules = new NoRules(scriptedRun().run, undefined)
  assert.ok(rules.isInstalled)
  assert.equal(await rules.renew([]), [])
  assert.equal(await rules.updateStandby(), [])
  await rules.close()
})

test.run()
