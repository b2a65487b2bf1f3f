// Goal: a change of any of several files is reported once it has settled, also in files that are named later. Method: a folder and short
// periods; the callback is awaited.

import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FilesContent, FilesWatcher } from '../../src/platform/watch-files.ts'

const test = suite<{ folder: string }>('platform/watch-files')

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'neardns-files-'))
})
test.after.each(async ({ folder }) => {
  await rm(folder, { recursive: true })
})

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

test('a file that appears and one that changes are reported, one report each', async ({
  folder,
}) => {
  const [one, two] = [join(folder, 'one'), join(folder, 'two')]
  await writeFile(one, 'a')
  const read = (): FilesContent => ({ content: textOf(one) + textOf(two), paths: [one, two] })
  let next = Promise.withResolvers<void>()
  const watcher = new FilesWatcher({ periodMs: 20, read, onChange: () => next.resolve() }, read())
  watcher.start()
  await writeFile(two, 'b')
  await next.promise
  next = Promise.withResolvers()
  await writeFile(one, 'c')
  await next.promise
  watcher.stop()
  assert.equal([await readFile(one, 'utf8'), (await readdir(folder)).length], ['c', 2])
})

test('content that differs from what the caller knows is reported at once', async ({ folder }) => {
  const path = join(folder, 'one')
  await writeFile(path, 'new')
  const changed = Promise.withResolvers<void>()
  const read = (): FilesContent => ({ content: textOf(path), paths: [path] })
  const watcher = new FilesWatcher(
    { periodMs: 20, read, onChange: () => changed.resolve() },
    { content: 'old', paths: [path] },
  )
  watcher.start()
  await changed.promise
  watcher.stop()
})

test('paths of the last reading are watched', async ({ folder }) => {
  const [one, two] = [join(folder, 'one'), join(folder, 'two')]
  await writeFile(one, 'a')
  await writeFile(two, 'b')
  let paths = [one]
  const read = (): FilesContent => ({ content: paths.map(textOf).join(), paths })
  let next = Promise.withResolvers<void>()
  const watcher = new FilesWatcher({ periodMs: 20, read, onChange: () => next.resolve() }, read())
  watcher.start()
  paths = [one, two]
  await writeFile(one, 'aa')
  await next.promise
  next = Promise.withResolvers()
  await writeFile(two, 'bb')
  await next.promise
  watcher.stop()
})

test.run()
