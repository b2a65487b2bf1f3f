// Goal: every trouble with the node is named, counted and survived. Method: the real state machine over a scripted node.
import { setTimeout as delay } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { setupErrors } from '../../src/daemon/intercept.ts'
import {
  Interception,
  type InterceptionEnd,
  type InterceptionParts,
} from '../../src/host/interception.ts'
import type { TableFact } from '../../src/host/nft/decode.ts'
import type { NftChange } from '../../src/host/nft/model.ts'
import type { Nftables } from '../../src/host/nft/nftables.ts'
import { tableText } from '../../src/host/nft/text.ts'
import type { Ran, RunProgram } from '../../src/host/run-program.ts'
import type { Trouble } from '../../src/host/trouble.ts'
import { replayedNftables } from './replayed-nftables.ts'
import { scriptedNftables } from './scripted-nftables.ts'
import { failed, missing, said, scriptedRun } from './scripted-run.ts'

const test = suite('host/interception')

/** 192.0.2.1 is on no machine; its link is the scripted one. */
function interception(
  run: RunProgram,
  changes: object = {},
  nftables: Nftables | string = 'the kernel has no nf_tables (module nf_tables)',
  ask: InterceptionParts['ask'] = async () => undefined,
) {
  const wanted = { addresses: ['192.0.2.1'], standbyTo: ['192.0.2.53:53'], ...changes }
  const text = JSON.stringify({
    listen: ['192.0.2.1:53', '192.0.2.2:53', '10.96.0.10:53'],
    interception: wanted,
  })
  const loaded = loadConfig({ file: { name: 'test.yaml', text } })
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '))
  const troubles: Trouble[] = []
  const active: string[][] = []
  const subject = new Interception({
    settings: loaded.config.interception,
    clusterUpstreams: [],
    run,
    readProc: async () => '',
    openNftables: async () =>
      typeof nftables === 'string' ? { ok: false, why: nftables } : { ok: true, nftables },
    ask,
    onTrouble: (trouble) => troubles.push(trouble),
    onChange: (addresses) => active.push([...addresses]),
  })
  return { subject, troubles, active }
}

/** The node has our link, which `ip` shows. */
const linkJson = JSON.stringify([{ ifname: 'nodelocaldns', addr_info: [] }])

const noSaves = {
  'iptables-nft-save': missing,
  'iptables-legacy-save': missing,
  'ip6tables-nft-save': missing,
  'ip6tables-legacy-save': missing,
}

test('without nft and iptables nothing is touched, and the operator is told what to install', async () => {
  const { run, ran } = scriptedRun({ ...noSaves })
  const { subject, troubles } = interception(run)
  await subject.prepare()
  await subject.start()
  assert.equal(
    troubles.map(({ kind }) => kind),
    ['program_missing'],
  )
  assert.match(troubles[0]?.cure ?? '', 'iptables, iproute2')
  assert.not.ok(
    ran.some((line) => / (add|replace|set|-f|--noflush)( |$)/.test(line)),
    ran.join('\n'),
  )
  assert.is(setupErrors(subject.view.troubles).get('iptables'), 1)
  await subject.close('abandoned')
})

test("iptables' lock held by others is counted under NodeLocal's name and tried again", async () => {
  const lock = 'Another app is currently holding the xtables lock; waiting (5s) for it to exit...'
  const script: Record<string, Ran> = { 'iptables-nft-restore': failed(lock) }
  const { run, ran } = scriptedRun(script)
  const { subject, troubles } = interception(run, { mode: 'iptables' })
  await subject.prepare()
  assert.is(troubles[0]?.kind, 'lock_held')
  assert.is(setupErrors(subject.view.troubles).get('iptables_lock'), 1)
  const attempts = () => ran.filter((line) => line.startsWith('iptables-nft-restore')).length
  const before = attempts()
  await subject.start()
  assert.ok(attempts() > before, 'the next round tries again')
  assert.equal(
    subject.view.addresses.map(({ isActive }) => isActive),
    [false],
  )
  await subject.close('abandoned')
})

test('a kernel without the match "recent" is named, and rules that would outlive us are not made', async () => {
  const { run } = scriptedRun({
    'iptables-nft-restore': failed("iptables-nft-restore: Couldn't load match `recent'"),
  })
  const { subject, troubles } = interception(run, { mode: 'iptables' })
  await subject.prepare()
  assert.is(troubles[0]?.kind, 'kernel_too_old')
  assert.match(troubles[0]?.what ?? '', 'xt_recent')
  await subject.close('abandoned')
})

test('no permission to make a link is one trouble, not one for each kind of link', async () => {
  const { run, ran } = scriptedRun({
    'ip link': failed('RTNETLINK answers: Operation not permitted'),
  })
  const { subject, troubles } = interception(run, { mode: 'iptables' })
  await subject.prepare()
  assert.is(troubles[0]?.kind, 'no_permission')
  assert.is(ran.filter((line) => line.startsWith('ip link add')).length, 1)
  assert.is(setupErrors(subject.view.troubles).get('iptables'), 1)
  await subject.close('abandoned')
})

test('a link of another kind is tried where the kernel has no dummy', async () => {
  const { run, ran } = scriptedRun({
    'ip link set dev nodelocaldns up alias': said(''),
    'ip link set dev nodelocaldns up': failed('Cannot find device "nodelocaldns"'),
    'ip link add dev nodelocaldns type dummy': failed('Error: Unknown device type.'),
  })
  const { subject } = interception(run, { mode: 'iptables' })
  await subject.prepare()
  assert.ok(ran.includes('ip address replace 192.0.2.1/32 dev nodelocaldns'), ran.join('\n'))
  await subject.close('abandoned')
})

test('a CoreDNS that nobody knows is said', async () => {
  const { run } = scriptedRun({})
  const { subject, troubles } = interception(run, { mode: 'iptables', standbyTo: [] })
  await subject.prepare()
  assert.ok(troubles.some(({ kind }) => kind === 'standby_unknown'))
  await subject.close('abandoned')
})

test('an owned table that is gone is made again at once, with what is intercepted in it', async () => {
  const { run } = scriptedRun({})
  let isGone = false
  const nftables = scriptedNftables({
    change: async ([first]) => {
      if (first?.kind === 'addTable') isGone = false
      const isLost = isGone && first?.kind === 'fillSet'
      return isLost ? { ok: false, code: 'ENOENT', why: 'ENOENT' } : { ok: true }
    },
  })
  const often = { renewMs: 250, lifetimeMs: 500, watchMs: 5000 }
  const { subject, troubles, active } = interception(run, often, nftables)
  await subject.prepare()
  await subject.start()
  const before = nftables.made.length
  isGone = true
  while (isGone) await delay(20)
  const made = nftables.made.slice(before)
  const added = made.findIndex(({ kind }) => kind === 'addTable')
  const filled = made[added + 1]
  assert.equal(filled?.kind === 'fillSet' && filled.addresses, ['192.0.2.1'])
  assert.ok(troubles.some(({ kind }) => kind === 'rules_flushed'))
  assert.equal(active, [['192.0.2.1']], 'pods have noticed nothing')
  await subject.close('abandoned')
})

test('without addresses the node is not even looked at', async () => {
  const { run, ran } = scriptedRun({})
  const { subject } = interception(run, { addresses: [] })
  await subject.prepare()
  await subject.start()
  assert.equal(ran, [])
  await subject.close('abandoned')
})

/** Rounds that do not come by themselves, and an address that is not looked for: what a test does is all there is. */
const calm = { renewMs: 5000, lifetimeMs: 10_000, watchMs: 5000 }

test('only answering addresses are intercepted, and the others are reported with the reason', async () => {
  const two = { ...calm, addresses: ['192.0.2.1'], clusterIps: ['192.0.2.2'] }
  const nftables = scriptedNftables()
  const ask = async ({ address }: { readonly address: string }) =>
    address === '192.0.2.2' ? 'no answer in 500 ms' : undefined
  const { subject, troubles, active } = interception(scriptedRun().run, two, nftables, ask)
  await subject.prepare()
  assert.equal(active, [], 'nothing is intercepted before the listeners are open')
  await subject.start()
  assert.equal(active, [['192.0.2.1']])
  assert.is(subject.view.renewals, 1)
  const [unanswered] = troubles.filter(({ kind }) => kind === 'unanswered')
  assert.is(unanswered?.what, '192.0.2.2: no answer in 500 ms')
  assert.equal(
    subject.view.addresses.map(({ address, isActive }) => `${address} ${isActive}`),
    ['192.0.2.1 true', '192.0.2.2 false'],
  )
  await subject.close('abandoned')
})

test('disarm() sends queries to CoreDNS and tells whether any came here before', async () => {
  const nftables = scriptedNftables()
  const { subject, active } = interception(scriptedRun().run, calm, nftables)
  await subject.prepare()
  await subject.start()
  assert.is(await subject.disarm(), true)
  const fill = nftables.made.at(-1)
  assert.equal(fill?.kind === 'fillSet' && fill.addresses, [])
  assert.equal(active, [['192.0.2.1'], []])
  assert.is(await subject.disarm(), false)
  await subject.close('orderly')
})

test('close() removes the owned table; everything else only with onStop remove and without a successor', async () => {
  const deletedBy = async (end: InterceptionEnd, changes: object) => {
    const standby = { family: 'inet', name: 'neardns-standby-0a0b0c0d', isOwned: false } as const
    let tables: readonly TableFact[] = []
    const nftables = { ...scriptedNftables(), tables: async () => tables }
    const wanted = { ...calm, ...changes }
    const { run, ran } = scriptedRun({ 'ip -json': said(linkJson) })
    const { subject } = interception(run, wanted, nftables)
    await subject.prepare()
    await subject.start()
    tables = [standby]
    nftables.made.length = 0
    await subject.close(end)
    const names = nftables.made.flatMap((one) => (one.kind === 'deleteTable' ? [one.name] : []))
    return [
      names.some((name) => /^neardns-[0-9a-f]{8}$/.test(name)),
      names.includes(standby.name),
      ran.includes('ip link delete dev nodelocaldns'),
    ]
  }
  const remove = { onStop: 'remove' }
  assert.equal(await deletedBy('orderly', {}), [true, false, false])
  assert.equal(await deletedBy('orderly', remove), [true, true, true])
  assert.equal(await deletedBy('followed', remove), [true, false, false])
  assert.equal(await deletedBy('abandoned', remove), [true, false, false])
})

test('a repair that fails is not tried again at once: each attempt costs processes', async () => {
  const lock = failed('Another app is currently holding the xtables lock.')
  const { run, ran } = scriptedRun({ 'iptables-nft-restore': lock })
  const often = { ...calm, mode: 'iptables', renewMs: 250, lifetimeMs: 500 }
  const { subject } = interception(run, often)
  await subject.prepare()
  await subject.start()
  const attempts = () => ran.filter((line) => line.startsWith('iptables-nft-restore')).length
  const before = attempts()
  await delay(1000)
  assert.is(attempts(), before)
  await subject.close('abandoned')
})

test('pods that were known stay the standby when a later look finds none', async () => {
  let isThere = true
  let looks = 0
  const replayed = replayedNftables('kube-proxy-nftables-1.37.2', { baseChains: async () => [] })
  const made: NftChange[] = []
  const nftables: Nftables = {
    ...replayed,
    change: async (changes) => {
      made.push(...changes)
      return { ok: true }
    },
    fingerprint: async () => '',
    rules: async (at) => await replayed.rules(at).catch(() => []),
    element: async (...asked) => {
      looks += 1
      return isThere ? await replayed.element(...asked) : undefined
    },
  }
  const kubeDns = { clusterIps: ['10.96.0.10'], standbyTo: [], standbySeconds: 1 }
  const often = { ...calm, ...kubeDns, renewMs: 250, lifetimeMs: 500 }
  const { subject } = interception(scriptedRun().run, often, nftables)
  await subject.prepare()
  await subject.start()
  assert.is(subject.view.standbyTargets, 2)
  isThere = false
  const before = looks
  while (looks < before + 4) await delay(50)
  assert.is(subject.view.standbyTargets, 2)
  const tables = made.flatMap((one) => (one.kind === 'replaceTable' ? [tableText(one.table)] : []))
  assert.ok(tables.length > 0 && tables.every((text) => text.includes('dnat ip to 10.78.0.2:53')))
  await subject.close('abandoned')
})

test('an address that was removed from the node is not intercepted, and is put back', async () => {
  const often = { ...calm, watchMs: 50 }
  const { run, ran } = scriptedRun()
  const { subject, troubles, active } = interception(run, often, scriptedNftables())
  await subject.prepare()
  await subject.start()
  ran.length = 0
  while (!troubles.some(({ kind }) => kind === 'address_gone')) await delay(10)
  assert.equal(active, [['192.0.2.1'], []], 'its packets would lead nowhere')
  while (!ran.includes('ip address replace 192.0.2.1/32 dev nodelocaldns')) await delay(10)
  await subject.close('abandoned')
})

test('a defect in a later round is a trouble, and the rounds go on', async () => {
  let asked = 0
  const ask = async () => {
    asked += 1
    if (asked === 2) throw new Error('a defect')
    return undefined
  }
  const often = { ...calm, renewMs: 250, lifetimeMs: 500 }
  const { subject, troubles } = interception(scriptedRun().run, often, scriptedNftables(), ask)
  await subject.prepare()
  await subject.start()
  while (asked < 3) await delay(20)
  assert.ok(troubles.some(({ kind, what }) => kind === 'rules_failed' && what === 'a defect'))
  await subject.close('abandoned')
})

test('onChange is called once per change, however many rounds find the same', async () => {
  const often = { ...calm, renewMs: 250, lifetimeMs: 500 }
  const { subject, active } = interception(scriptedRun().run, often, scriptedNftables())
  await subject.prepare()
  await subject.start()
  while (subject.view.renewals < 3) await delay(20)
  assert.equal(active, [['192.0.2.1']])
  await subject.close('abandoned')
})

test.run()
