// Goal: a file of /proc that is not there or not for us is empty, and nftables that cannot be used are none. Method: files of this machine.
import { tmpdir } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readProc, usableNftables } from '../../src/host/node-tools.ts'
import { scriptedNftables } from './scripted-nftables.ts'
import { scriptedRun } from './scripted-run.ts'

const test = suite('host/node-tools')

test('a file of /proc is read as it is', async () => {
  assert.match(await readProc('/proc/self/status'), new RegExp(`^Pid:\\s+${process.pid}$`, 'm'))
})

test('a missing file and a directory read as empty', async () => {
  assert.is(await readProc('/proc/net/no_such_table_names'), '')
  assert.is(await readProc(tmpdir()), '')
})

test('a reason in the place of nftables is no nftables', () => {
  const { run } = scriptedRun()
  const nftables = scriptedNftables()
  assert.is(usableNftables({ run, readProc, nftables }), nftables)
  assert.is(usableNftables({ run, readProc, nftables: 'not opened yet' }), undefined)
})

test.run()
