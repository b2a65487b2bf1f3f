// Goal: addresses get on the node whatever kinds of links its kernel has, and only ours are taken off it. Method: scripted programs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addressRemoval, ensureAddresses, isLocal } from '../../src/host/links.ts'
import type { Plan } from '../../src/host/plan.ts'
import { stepText } from '../../src/host/steps.ts'
import { facts, planFor, settings } from './made-plan.ts'
import { failed, missing, said, scriptedRun } from './scripted-run.ts'

const test = suite('host/links')

const onlyOwn = { addresses: ['169.254.20.10'], clusterIps: [] }
const noLink = failed('Cannot find device "nodelocaldns"')
/** The link is not there, and can be set up once it was made. */
const absent = { 'ip link set dev nodelocaldns up alias': said(''), 'ip link set': noLink }

test('an existing link is only set up and given its addresses', async () => {
  const { run, ran } = scriptedRun()
  const both = planFor({ addresses: ['169.254.20.10', 'fd00::10'] })
  assert.equal(await ensureAddresses(run, both), [])
  assert.equal(ran, [
    'ip link set dev nodelocaldns up',
    'ip address replace 169.254.20.10/32 dev nodelocaldns',
    // Duplicate address detection would keep the address from being bound for a second.
    'ip address replace fd00::10/128 dev nodelocaldns nodad',
    'ip address replace 10.96.0.10/32 dev nodelocaldns',
  ])
})

test('kinds of links are tried in turn, and the loopback is the last', async () => {
  const { run, ran } = scriptedRun({
    'ip link set': noLink,
    'ip link add': failed('Error: Unknown device type.'),
  })
  assert.equal(await ensureAddresses(run, planFor(onlyOwn)), [])
  const made = ran.filter((line) => line.startsWith('ip link add'))
  assert.equal(made, [
    'ip link add dev nodelocaldns type dummy',
    'ip link add dev nodelocaldns type bridge',
  ])
  assert.is(ran.at(-1), 'ip address replace 169.254.20.10/32 dev lo')
})

test('a link that another daemon has just made is as good as our own', async () => {
  const { run, ran } = scriptedRun({
    ...absent,
    'ip link add': failed('RTNETLINK answers: File exists'),
  })
  assert.equal(await ensureAddresses(run, planFor(onlyOwn)), [])
  assert.is(ran.at(-1), 'ip address replace 169.254.20.10/32 dev nodelocaldns')
})

test('a link that was there at start and was removed since is made of any kind', async () => {
  const { run, ran } = scriptedRun(absent)
  const plan: Plan = {
    ...planFor(onlyOwn),
    link: { name: 'nodelocaldns', kinds: [], isOurs: true },
  }
  assert.equal(await ensureAddresses(run, plan), [])
  assert.ok(ran.includes('ip link add dev nodelocaldns type dummy'))
})

test('a kind that was asked for is the only one that is tried', async () => {
  const { run, ran } = scriptedRun({ 'ip link': failed('Error: Unknown device type.') })
  const plan = planFor({ ...onlyOwn, link: { kind: 'bridge' } })
  const [trouble] = await ensureAddresses(run, plan)
  assert.is(trouble?.kind, 'link_failed')
  assert.equal(
    ran.filter((line) => line.includes(' add ')),
    ['ip link add dev nodelocaldns type bridge'],
  )
})

test('without permission or without the program ip no other kind is tried', async () => {
  for (const [ran, kind] of [
    [failed('RTNETLINK answers: Operation not permitted'), 'no_permission'],
    [missing, 'program_missing'],
  ] as const) {
    const scripted = scriptedRun({ ip: ran })
    const troubles = await ensureAddresses(scripted.run, planFor(onlyOwn))
    assert.equal(
      troubles.map((one) => one.kind),
      [kind],
    )
    assert.is(scripted.ran.filter((line) => line.includes(' add ')).length, 1)
  }
})

test('an address that cannot be put up does not keep the others off', async () => {
  const { run, ran } = scriptedRun({ 'ip address replace 169': failed('RTNETLINK answers: x') })
  const troubles = await ensureAddresses(run, planFor())
  assert.equal(
    troubles.map(({ kind }) => kind),
    ['link_failed'],
  )
  assert.is(ran.at(-1), 'ip address replace 10.96.0.10/32 dev nodelocaldns')
})

test('addresses on links of others are left where they are, and no link is made for them', async () => {
  const { run, ran } = scriptedRun()
  const links = [{ name: 'br7', kind: 'bridge', addresses: ['169.254.20.10', '10.96.0.10'] }]
  assert.equal(await ensureAddresses(run, planFor({}, { links })), [])
  assert.equal(ran, [])
})

test('a removal takes our link, and from the loopback our addresses only', () => {
  const links = [
    { name: 'lo', kind: '', addresses: ['127.0.0.1', '::1', '10.96.0.10', 'fd00::10'] },
    { name: 'nodelocaldns', kind: 'dummy', addresses: ['169.254.20.10'] },
    { name: 'br7', kind: 'bridge', addresses: ['10.0.0.1'] },
  ]
  const wanted = settings({ addresses: ['169.254.20.10', 'fd00::10'] })
  assert.equal(addressRemoval({ links }, wanted).map(stepText), [
    'ip link delete dev nodelocaldns',
    'ip address delete fd00::10/128 dev lo',
    'ip address delete 10.96.0.10/32 dev lo',
  ])
  assert.equal(addressRemoval(facts, wanted), [])
})

test('the loopback is never removed, even where it was named as the link', () => {
  const links = [{ name: 'lo', kind: '', addresses: ['127.0.0.1', '169.254.20.10'] }]
  const wanted = settings({ link: { name: 'lo', kind: 'lo' } })
  assert.equal(addressRemoval({ links }, wanted).map(stepText), [
    'ip address delete 169.254.20.10/32 dev lo',
  ])
})

test('whether an address is on this machine is asked of the kernel', async () => {
  assert.equal(
    [await isLocal('127.0.0.1'), await isLocal('192.0.2.1'), await isLocal('2001:db8::1')],
    [true, false, false],
  )
})

test.run()
