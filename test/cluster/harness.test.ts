/**
 * Goal: the scenarios' own judgement can fail, and says what it saw. Method: states, bounds and pages made by hand; no cluster.
 */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lostMax } from './bounds.ts'
import { kubeDnsIp, linkLocal } from './layout.ts'
import { differences } from './node-state.ts'
import { scenarioPage } from './results.ts'
import { faultsOf, type Outcome } from './runner.ts'
import { allScenarios } from './scenarios.ts'
import { dropsBetween, receiveBufferErrors } from './socket-drops.ts'

const test = suite('cluster/harness')

const load = {
  address: linkLocal,
  queriesPerSecond: 500,
  sent: 5000,
  due: 5000,
  answered: 5000,
  lost: 0,
  wrong: {},
  wrongCount: 0,
  lostMax: 0,
}

test('every scenario but the comparison has a bound, and its name once', () => {
  const names = allScenarios.map(({ name }) => name)
  assert.is(new Set(names).size, names.length)
  for (const name of names) {
    assert.is(lostMax(name, 500) === undefined, name.startsWith('nodelocal-'), name)
  }
})

test('an upgrade may lose nothing, and a bound grows with the rate', () => {
  assert.is(lostMax('upgrade', 5000), 0)
  assert.is(lostMax('sigkill', 5000), 10 * (lostMax('sigkill', 500) ?? 0))
})

test('a load without a fault has none; a lost query, a wrong answer and a load held back are faults', () => {
  assert.equal(faultsOf(load), [])
  assert.match(faultsOf({ ...load, lost: 1, answered: 4999 }).join(), /1 of 5000 lost/)
  assert.match(
    faultsOf({ ...load, wrong: { 'a.b A SERVFAIL': 2 }, wrongCount: 2 }).join(),
    /2 times/,
  )
  assert.match(faultsOf({ ...load, sent: 3000 }).join(), /only 3000 of 5000/)
})

test('the states of a node differ by what was added and what is gone, counted', () => {
  const before = { links: ['lo', 'eth0'], rules: ['accept', 'accept'] }
  const after = { links: ['lo', 'eth0', 'nodelocaldns'], rules: ['accept'] }
  assert.equal(differences(before, before), [])
  assert.equal(differences(before, after), ['links: + nodelocaldns', 'rules: - accept'])
})

test('the page has a row for each outcome and tells its faults', () => {
  const outcome: Outcome = {
    variant: 'nftables',
    scenario: 'upgrade',
    what: 'DaemonSet rolled out anew',
    queriesPerSecond: 500,
    loads: [load, { ...load, address: kubeDnsIp, lost: 7 }],
    corednsDrops: 6,
    faults: ['seven are lost'],
  }
  const page = scenarioPage([outcome])
  assert.match(
    page,
    /\| DaemonSet rolled out anew \| 500 \| 0 of 5000 \| 7 of 5000 \| 0 \| 6 \| 0 \| FAULTS/,
  )
  assert.match(page, /- seven are lost/)
})

test('drops are counted of the pods that are there, from 0 for a new one', () => {
  const before = new Map([
    ['stays', 5],
    ['ends', 7],
  ])
  const after = new Map([
    ['stays', 8],
    ['new', 2],
  ])
  assert.is(dropsBetween(before, after), 5)
  assert.is(
    receiveBufferErrors('Udp: InDatagrams RcvbufErrors\nUdp: 9 4\nUdpLite: RcvbufErrors\n'),
    4,
  )
  assert.is(receiveBufferErrors('Udp6InDatagrams \t1\nUdp6RcvbufErrors                \t3\n'), 3)
  assert.is(receiveBufferErrors(readFileSync('/proc/net/snmp', 'utf8')) >= 0, true)
})

test.run()
