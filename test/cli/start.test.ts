/** Goal: a wrong command line or configuration ends before anything is opened, with the exit code for it. Method: the verb itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ExitCode, usageError } from '../../src/cli/io.ts'
import { start } from '../../src/cli/start.ts'
import { captured } from '../support/cli-io.ts'

const test = suite('cli/start')

test('a flag that is none: exit code 2 and one line', async () => {
  const io = captured()
  assert.is(await start(['--lisen', '127.0.0.1:53'], io), ExitCode.usage)
  assert.equal([io.out(), io.err().trimEnd().split('\n').length], ['', 1])
  assert.match(io.err(), /^neardns: .*--lisen/)
})

test('a configuration with mistakes: exit code 2, and all of them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-start-'))
  const file = join(folder, 'neardns.yaml')
  writeFileSync(file, 'listen: [nonsense]\ncache: { entriesMax: -1 }\n')
  const io = captured()
  assert.is(await start(['--config', file], io), ExitCode.usage)
  assert.match(
    io.err(),
    /neardns\.yaml:1:\d+: listen\[0\]: .*\n.*neardns\.yaml:2:\d+: cache\.entriesMax: /,
  )
  rmSync(folder, { recursive: true })
})

test('the flags are checked before the file is read', async () => {
  const io = captured()
  assert.is(await start(['--config', '/nowhere/neardns.yaml', '--nonsense'], io), ExitCode.usage)
  assert.not.match(io.err(), /nowhere/)
})

test('a misuse is told on standard error under the name of the program', () => {
  const io = captured()
  assert.is(usageError(io, 'no such verb'), 2)
  assert.equal([io.out(), io.err()], ['', 'neardns: no such verb\n'])
})

test.run()
