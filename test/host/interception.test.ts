// Goal: every trouble with the node is named, counted and survived. Method: the real state machine over a scripted node.
import { setTimeout as delay } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { setupErrors } from '../../src/daemon/intercept.ts'
import { Interception } from '../../src/host/interception.ts'
import type { Nftables } from '../../src/host/nft/nftables.ts'
import type { Ran, RunProgram } from '../../src/host/run-program.ts'
import type { Trouble } from '../../src/host/trouble.ts'
import { scriptedNftables } from './scripted-nftables.ts'

const test = suite('host/interception')

const said = (stdout: string): Ran => ({ ok: true, stdout, stderr: '', isMissing: false })
const failed = (stderr: string): Ran => ({ ok: false, stdout: '', stderr, isMissing: false })
const missing: Ran = { ok: false, stdout: '', stderr: '', isMissing: true }

/** 192.0.2.1 is on no machine; its link is the scripted one. */
function scripted(script: Readonly<Record<string, Ran>>) {
  const ran: string[] = []
  const run: RunProgram = async (program, args) => {
    const line = [program, ...args].join(' ')
    ran.push(line)
    const key = Object.keys(script).find((prefix) => line.startsWith(prefix))
    return (key === undefined ? undefined : script[key]) ?? said('')
  }
  return { run, ran }
}

function interception(
  run: RunProgram,
  changes: object = {},
  nftables: Nftables | string = 'the kernel has no nf_tables (module nf_tables)',
) {
  const wanted = { addresses: ['192.0.2.1'], standbyTo: ['192.0.2.53:53'], ...changes }
  const text = JSON.stringify({ listen: ['192.0.2.1:53'], interception: wanted })
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
    ask: async () => undefined,
    onTrouble: (trouble) => troubles.push(trouble),
    onChange: (addresses) => active.push([...addresses]),
  })
  return { subject, troubles, active }
}

const noSaves = {
  'iptables-nft-save': missing,
  'iptables-legacy-save': missing,
  'ip6tables-nft-save': missing,
  'ip6tables-legacy-save': missing,
}

test('without nft and iptables nothing is touched, and the operator is told what to install', async () => {
  const { run, ran } = scripted({ ...noSaves })
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
  const { run, ran } = scripted(script)
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
  const { run } = scripted({
    'iptables-nft-restore': failed("iptables-nft-restore: Couldn't load match `recent'"),
  })
  const { subject, troubles } = interception(run, { mode: 'iptables' })
  await subject.prepare()
  assert.is(troubles[0]?.kind, 'kernel_too_old')
  assert.match(troubles[0]?.what ?? '', 'xt_recent')
  await subject.close('abandoned')
})

test('no permission to make a link is one trouble, not one for each kind of link', async () => {
  const { run, ran } = scripted({
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
  const { run, ran } = scripted({
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
  const { run } = scripted({})
  const { subject, troubles } = interception(run, { mode: 'iptables', standbyTo: [] })
  await subject.prepare()
  assert.ok(troubles.some(({ kind }) => kind === 'standby_unknown'))
  await subject.close('abandoned')
})

test('an owned table that is gone is made again at once, with what is intercepted in it', async () => {
  const { run } = scripted({})
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
  const { run, ran } = scripted({})
  const { subject } = interception(run, { addresses: [] })
  await subject.prepare()
  await subject.start()
  assert.equal(ran, [])
  await subject.close('abandoned')
})

test.run()
