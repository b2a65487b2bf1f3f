// Goal: a plan is applied by the shell of its backend. Method: each combination of plan and kernel.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rulesFor } from '../../../src/host/backends/backend.ts'
import { IptablesRules } from '../../../src/host/backends/iptables-backend.ts'
import { NftRules } from '../../../src/host/backends/nft-backend.ts'
import { planFor } from '../made-plan.ts'
import { scriptedNftables } from '../scripted-nftables.ts'
import { scriptedRun } from '../scripted-run.ts'

const test = suite('host/backends/backend')
const { run } = scriptedRun()

test('a plan of nftables goes into the kernel without a program', () => {
  assert.instance(rulesFor(planFor(), run, scriptedNftables()), NftRules)
})

test('a plan of iptables goes through its programs, whether nftables could be used or not', () => {
  const plan = planFor({ mode: 'iptables' })
  assert.instance(rulesFor(plan, run, scriptedNftables()), IptablesRules)
  assert.instance(rulesFor(plan, run, undefined), IptablesRules)
})

test('nothing is installed by that alone', () => {
  assert.not.ok(rulesFor(planFor(), run, scriptedNftables()).isInstalled)
  assert.not.ok(rulesFor(planFor({ mode: 'iptables' }), run, undefined).isInstalled)
})

test.run()
