/** Goal: daemon and commands find the same socket without being told. Method: folders in place of the user's run directory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  presentSocketPaths,
  privateSocketPaths,
  usualSocketPath,
} from '../../src/platform/run-directory.ts'

const test = suite('platform/run-directory')

const ofUser = (paths: readonly string[]) => paths.filter((path) => path !== usualSocketPath)

test('the socket is in the run directory of the user, where there is one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-run-'))
  try {
    const environment = { XDG_RUNTIME_DIR: folder }
    const path = join(folder, 'neardns-admin.sock')
    assert.equal(ofUser(privateSocketPaths(environment)), [path])
    assert.equal(ofUser(presentSocketPaths(environment)), [])
    writeFileSync(path, '')
    assert.equal(ofUser(presentSocketPaths(environment)), [path])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a directory that is missing, relative or not named gives none', () => {
  for (const environment of [
    {},
    { XDG_RUNTIME_DIR: '' },
    { XDG_RUNTIME_DIR: 'run' },
    { XDG_RUNTIME_DIR: '/nonexistent' },
  ])
    assert.equal(ofUser(privateSocketPaths(environment)), [])
})

test.run()
