// Goal: a dry run changes nothing and writes down every step that a real one would make. Method: the real installers over scripted tools.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rulesFor } from '../../src/host/backends/backend.ts'
import { ensureAddresses } from '../../src/host/links.ts'
import { usableNftables } from '../../src/host/node-tools.ts'
import { recording } from '../../src/host/recording.ts'
import { type Step, stepText } from '../../src/host/steps.ts'
import { planFor } from './made-plan.ts'
import { scriptedNftables } from './scripted-nftables.ts'
import { failed, said, scriptedRun } from './scripted-run.ts'

const test = suite('host/recording')
const readProc = async (path: string) => path
const firstLines = (steps: readonly Step[]) => steps.map((step) => stepText(step).split('\n')[0])

test('commands that only look are run, commands that change are noted and succeed', async () => {
  const { run, ran } = scriptedRun({ 'ip -json': said('[]'), 'iptables-nft-save': said('*raw\n') })
  const { tools, steps } = recording({ run, readProc, nftables: 'none' })
  assert.is((await tools.run('ip', ['-json', '-details', 'address', 'show'])).stdout, '[]')
  assert.is((await tools.run('iptables-nft-save', ['-t', 'raw'])).stdout, '*raw\n')
  await tools.run('ip6tables-legacy-save', [])
  assert.is(ran.length, 3)
  const restored = await tools.run('iptables-nft-restore', ['--noflush'], '*raw\nCOMMIT\n')
  assert.equal([restored.ok, restored.isMissing, ran.length], [true, false, 3])
  assert.equal(steps, [
    { program: 'iptables-nft-restore', args: ['--noflush'], stdin: '*raw\nCOMMIT\n' },
  ])
  assert.is(await tools.readProc('/proc/net/udp'), '/proc/net/udp')
  assert.is(tools.nftables, 'none')
})

test('the noted steps depend on whether the link exists, which is looked up without changing it', async () => {
  const there = scriptedRun()
  const absent = scriptedRun({ 'ip link show': failed('Device "nodelocaldns" does not exist.') })
  const own = planFor({ clusterIps: [] })
  const notedWith = async ({ run }: typeof there) => {
    const { tools, steps } = recording({ run, readProc, nftables: 'none' })
    assert.equal(await ensureAddresses(tools.run, own), [])
    return firstLines(steps)
  }
  const address = 'ip address replace 169.254.20.10/32 dev nodelocaldns'
  assert.equal(await notedWith(there), ['ip link set dev nodelocaldns up', address])
  assert.equal(await notedWith(absent), [
    'ip link add dev nodelocaldns type dummy',
    'ip link set dev nodelocaldns up alias neardns',
    address,
  ])
  assert.equal([...there.ran, ...absent.ran], Array(2).fill('ip link show dev nodelocaldns'))
})

test('transactions of nftables are noted whole, and the kernel is only asked', async () => {
  const tables = [{ family: 'inet', name: 'firewalld', isOwned: false }] as const
  const nftables = scriptedNftables({ tables })
  const { tools, steps } = recording({ run: scriptedRun().run, readProc, nftables })
  const recorded = usableNftables(tools)
  assert.equal(await recorded?.tables(), tables)
  const rules = rulesFor(planFor(), tools.run, recorded)
  assert.equal(await rules.install(planFor()), [])
  assert.equal(nftables.made, [])
  const kinds = steps.map((step) => ('changes' in step ? step.changes.map(({ kind }) => kind) : []))
  assert.equal(kinds, [['replaceTable'], ['addTable', 'fillSet']])
})

test.run()
