// Goal: steps are made in their order whatever becomes of one, and can be read before. Method: scripted programs and nftables.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NftStep, ProgramStep } from '../../src/host/steps.ts'
import { runSteps, stepProgram, stepText } from '../../src/host/steps.ts'
import { scriptedNftables } from './scripted-nftables.ts'
import { failed, scriptedRun } from './scripted-run.ts'

const test = suite('host/steps')

const readProc = async () => ''
const restore: ProgramStep = {
  program: 'iptables-nft-restore',
  args: ['--noflush', '--wait', '5'],
  stdin: '*raw\n-D PREROUTING -j NEARDNS-PREROUTING\nCOMMIT\n',
}
const deletion: NftStep = {
  changes: [{ kind: 'deleteTable', family: 'inet', name: 'neardns-0a0b0c0d' }],
}
const link: ProgramStep = { program: 'ip', args: ['link', 'delete', 'dev', 'nodelocaldns'] }

test('a step that fails does not keep the next ones from being made', async () => {
  const { run, ran, fed } = scriptedRun({ 'iptables-nft-restore': failed('lock') })
  const nftables = scriptedNftables()
  const failures = await runSteps({ run, nftables, readProc }, [restore, deletion, link])
  assert.equal(ran, ['iptables-nft-restore --noflush --wait 5', 'ip link delete dev nodelocaldns'])
  assert.equal(fed, [restore.stdin, ''])
  assert.equal(nftables.made, [...deletion.changes])
  assert.equal(failures, [{ step: restore, ran: failed('lock') }])
})

test("a refused transaction has the kernel's reason as its error output", async () => {
  const nftables = scriptedNftables({
    change: async () => ({ ok: false, code: 'EPERM', why: 'EPERM: not yours' }),
  })
  const [failure] = await runSteps({ run: scriptedRun().run, nftables, readProc }, [deletion])
  assert.equal(failure?.ran, failed('EPERM: not yours'))
})

test('without nftables the reason is why there are none', async () => {
  const why = 'the kernel has no nf_tables (module nf_tables)'
  const tools = { run: scriptedRun().run, nftables: why, readProc }
  const [failure] = await runSteps(tools, [deletion])
  assert.equal(failure?.ran, failed(why))
})

test('a step is shown as its command line, with its input indented below', () => {
  assert.is(stepText(link), 'ip link delete dev nodelocaldns')
  assert.is(
    stepText(restore),
    'iptables-nft-restore --noflush --wait 5\n    *raw\n    -D PREROUTING -j NEARDNS-PREROUTING\n    COMMIT',
  )
  assert.is(stepText(deletion), 'nft delete table inet neardns-0a0b0c0d')
  const two: NftStep = { changes: [...deletion.changes, ...deletion.changes] }
  const line = '    delete table inet neardns-0a0b0c0d'
  assert.is(stepText(two), `nft -f -\n${line}\n${line}`)
})

test('stepProgram names the program, or nf_tables', () => {
  assert.is(stepProgram(restore), 'iptables-nft-restore')
  assert.is(stepProgram(deletion), 'nf_tables')
})

test.run()
