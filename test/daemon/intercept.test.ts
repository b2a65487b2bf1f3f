/*
 * Goal: the interception gets its share of the configuration, tells readiness what it has, and does not fill the log. Method: the real
 * interception without addresses, and its reports.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildInterception, interceptedBy, setupErrors } from '../../src/daemon/intercept.ts'
import type { TroubleKind } from '../../src/host/trouble.ts'
import { setupErrorType, troubleKinds } from '../../src/host/trouble.ts'
import { Readiness } from '../../src/observe/readiness.ts'
import { configOf, KeptLog } from './support.ts'

const test = suite('daemon/intercept')

function settingsOf(interception: object) {
  return configOf({ listen: ['169.254.20.10:53', '10.96.0.10:53'], interception }).interception
}

test('packets are brought to every address of the rules, ClusterIPs too, on the port of the rules', () => {
  const settings = settingsOf({ addresses: ['169.254.20.10'], clusterIps: ['10.96.0.10'] })
  assert.equal(interceptedBy(settings), [
    { address: '169.254.20.10', port: 53, family: 4 },
    { address: '10.96.0.10', port: 53, family: 4 },
  ])
})

test('in mode none nothing is brought anywhere, whatever is listed', () => {
  assert.equal(interceptedBy(settingsOf({ mode: 'none', addresses: ['169.254.20.10'] })), [])
  assert.equal(interceptedBy(configOf().interception), [])
})

test('where interception is wanted, ready waits for it; elsewhere it is not even named', () => {
  const readiness = new Readiness()
  readiness.set('listeners', { kind: 'ready' })
  for (const interception of [{}, { mode: 'none', addresses: ['169.254.20.10'] }]) {
    const config = configOf({ listen: ['169.254.20.10:53'], interception })
    buildInterception(config, new KeptLog(), readiness)
    assert.equal(readiness.reasons(), [])
  }
  const wanted = configOf({
    listen: ['169.254.20.10:53'],
    interception: { addresses: ['169.254.20.10'] },
  })
  buildInterception(wanted, new KeptLog(), readiness)
  assert.equal(readiness.reasons(), ['interception: waiting for its first renewal'])
  const ofClusterIp = configOf({
    listen: ['10.96.0.10:53'],
    interception: { clusterIps: ['10.96.0.10'] },
  })
  const another = new Readiness()
  buildInterception(ofClusterIp, new KeptLog(), another)
  assert.equal(another.reasons(), ['interception: waiting for its first renewal'])
})

test('an interception without addresses plans nothing, says nothing and can be closed', async () => {
  const log = new KeptLog()
  const interception = buildInterception(configOf(), log, new Readiness())
  await interception.prepare()
  await interception.start()
  await interception.close('orderly')
  assert.equal([log.lines, interception.why], [[], []])
})

test('troubles are counted under the names of NodeLocal DNSCache, several kinds under one', () => {
  const troubles = new Map<TroubleKind, number>([
    ['program_missing', 1],
    ['rules_failed', 2],
    ['lock_held', 4],
    ['address_gone', 0],
  ])
  assert.equal(
    setupErrors(troubles),
    new Map([
      ['iptables', 3],
      ['iptables_lock', 4],
      ['interface_check', 0],
    ]),
  )
})

test('a kind without a counterpart there is left out, and every kind that is has one at 0', () => {
  const none = new Map(troubleKinds.map((kind) => [kind, 0]))
  const counts = setupErrors(none)
  assert.equal(
    [...counts.keys()].toSorted(),
    [...new Set(Object.values(setupErrorType))].toSorted(),
  )
  assert.equal(
    [...counts.values()].filter((count) => count !== 0),
    [],
  )
  assert.equal(setupErrors(new Map([['conntrack_full', 3]])), new Map())
})

test('where nothing is to be intercepted, the end says nothing and leaves ready as it is', async () => {
  for (const interception of [{}, { mode: 'none', addresses: ['169.254.20.10'] }]) {
    const log = new KeptLog()
    const readiness = new Readiness()
    readiness.set('listeners', { kind: 'ready' })
    const config = configOf({ listen: ['169.254.20.10:53'], interception })
    const one = buildInterception(config, log, readiness)
    await one.prepare()
    await one.start()
    assert.is(await one.disarm(), false)
    assert.equal([log.lines, readiness.reasons()], [[], []])
    await one.close('orderly')
  }
})

test.run()
