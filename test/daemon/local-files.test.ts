/** Goal: stages get the text of a file, and are told when it changes or appears. Method: a folder of its own; changes are awaited. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LocalFiles } from '../../src/daemon/local-files.ts'
import { createLog } from '../../src/observe/log.ts'

const test = suite('daemon/local-files')

test('a file is read at once, read again when it is replaced, and awaited while it is missing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'neardns-local-files-'))
  const [one, other] = [join(directory, 'one'), join(directory, 'other')]
  await writeFile(one, 'a')
  let changed = () => {}
  const files = new LocalFiles(createLog({ level: 'silent' }), () => changed())
  const change = () =>
    new Promise<void>((resolve) => {
      changed = resolve
    })
  try {
    assert.equal([files.textOf(one, 1), files.textOf(other, 1)], ['a', ''])
    assert.is(files.textOf(one, 0), 'a')
    await Promise.all([
      change(),
      writeFile(`${one}.new`, 'b').then(() => rename(`${one}.new`, one)),
    ])
    assert.equal([files.textOf(one, 1), files.textOf(one, 0)], ['b', 'a'])
    await Promise.all([change(), writeFile(other, 'c')])
    assert.is(files.textOf(other, 1), 'c')
    files.begin()
    files.textOf(one, 1)
    files.end()
    assert.is(files.textOf(one, 0), 'b', 'what nobody asked for is forgotten, and read anew')
  } finally {
    files.stop()
    await rm(directory, { recursive: true, force: true })
  }
})

test.run()
