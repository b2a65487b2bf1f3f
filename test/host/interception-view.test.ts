// Goal: metrics and pages show what is intercepted now, and zeros before anything is known. Method: plans from made facts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { viewOf } from '../../src/host/interception-view.ts'
import type { TroubleKind } from '../../src/host/trouble.ts'
import { facts, planFor } from './made-plan.ts'

const test = suite('host/interception-view')
const troubles = new Map<TroubleKind, number>([['unanswered', 2]])

test('before the node was looked at there is no backend and no address', () => {
  const view = viewOf({ plan: undefined, facts: undefined, active: [], troubles, renewals: 0 })
  assert.equal(view, {
    backend: 'none',
    kubeProxy: 'none',
    addresses: [],
    troubles,
    renewals: 0,
    standbyTargets: 0,
  })
})

test('every planned address is shown, the intercepted ones as active', () => {
  const plan = planFor()
  const active = plan.addresses.filter(({ role }) => role === 'service')
  const view = viewOf({ plan, facts, active, troubles, renewals: 7 })
  assert.equal(view.addresses, [
    { address: '169.254.20.10', role: 'own', isActive: false },
    { address: '10.96.0.10', role: 'service', isActive: true },
  ])
  assert.equal([view.backend, view.kubeProxy, view.renewals], ['nftables', 'iptables', 7])
  assert.is(view.standbyTargets, facts.standby.length)
})

test('an address of an earlier plan is not taken for one of this plan', () => {
  const [before, now] = [planFor(), planFor()]
  const view = viewOf({ plan: now, facts, active: before.addresses, troubles, renewals: 1 })
  assert.ok(view.addresses.every(({ isActive }) => !isActive))
})

test.run()
