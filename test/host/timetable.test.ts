/** Goal: checks, repairs and looks come when they should and not more often. Method: a timetable with a time of the test's own. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Timetable } from '../../src/host/timetable.ts'
import { trouble } from '../../src/host/trouble.ts'

const test = suite('host/timetable')

const complete = { kubeProxy: 'nftables', standbyGaps: [] } as const
const flushed = trouble('rules_flushed', 'somebody has flushed them')
const refused = trouble('rules_failed', 'permission denied')

test('at the start a check and a look are due at once', () => {
  const timetable = new Timetable({ standbySeconds: 60 })
  assert.ok(timetable.isCheckDue(0))
  assert.ok(timetable.isLookDue(0))
})

test('a check without trouble, and one that repaired flushed rules, leave the next one due at once', () => {
  const timetable = new Timetable({ standbySeconds: 60 })
  timetable.checked(1000, [])
  assert.ok(timetable.isCheckDue(1000))
  timetable.checked(1000, [flushed, flushed])
  assert.ok(timetable.isCheckDue(1000))
})

test('a repair that failed is tried again after five seconds, not before', () => {
  const timetable = new Timetable({ standbySeconds: 60 })
  timetable.checked(1000, [flushed, refused])
  assert.not.ok(timetable.isCheckDue(5999))
  assert.ok(timetable.isCheckDue(6000))
})

test('lost rules are repaired at once, and for a tenth of a second not again', () => {
  const timetable = new Timetable({ standbySeconds: 60 })
  assert.ok(timetable.takeRepair(1000))
  assert.not.ok(timetable.takeRepair(1099), 'a flood of notices costs one repair')
  assert.not.ok(timetable.isCheckDue(1099), 'the check would be the same work')
  assert.ok(timetable.takeRepair(1100))
})

test('rules that are lost while a repair is hopeless wait for the next attempt', () => {
  const timetable = new Timetable({ standbySeconds: 60 })
  timetable.checked(1000, [refused])
  assert.not.ok(timetable.takeRepair(3000))
  assert.ok(timetable.takeRepair(6000))
})

test('a complete node is looked at again after standbySeconds', () => {
  const timetable = new Timetable({ standbySeconds: 60 })
  timetable.looked(1000, complete)
  assert.not.ok(timetable.isLookDue(60_999))
  assert.ok(timetable.isLookDue(61_000))
})

test('a node without kube-proxy, or with gaps in the standby, is looked at again after ten seconds', () => {
  for (const facts of [
    { kubeProxy: 'none', standbyGaps: [] },
    { kubeProxy: 'iptables', standbyGaps: ['no endpoints'] },
  ] as const) {
    const timetable = new Timetable({ standbySeconds: 60 })
    timetable.looked(1000, facts)
    assert.not.ok(timetable.isLookDue(10_999), JSON.stringify(facts))
    assert.ok(timetable.isLookDue(11_000), JSON.stringify(facts))
  }
})

test('where standbySeconds is shorter than that, it holds for an incomplete node as well', () => {
  const timetable = new Timetable({ standbySeconds: 5 })
  timetable.looked(1000, { kubeProxy: 'none', standbyGaps: [] })
  assert.not.ok(timetable.isLookDue(5999))
  assert.ok(timetable.isLookDue(6000))
})

test('a changed node is looked at at once, and then in its turn', () => {
  const timetable = new Timetable({ standbySeconds: 60 })
  timetable.looked(1000, complete)
  timetable.lookAtOnce()
  assert.ok(timetable.isLookDue(1001))
  timetable.looked(1001, complete)
  assert.not.ok(timetable.isLookDue(1002))
})

test.run()
