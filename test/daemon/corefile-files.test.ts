/*
 * Goal: the files that a Corefile names are read where CoreDNS reads them, and what cannot be seen from here is never taken for empty.
 * Method: a directory as a ConfigMap makes it, patterns as Corefiles have them.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReadCorefileFiles } from '../../src/daemon/corefile-files.ts'

const test = suite<{ folder: string; files: ReadCorefileFiles }>('daemon/corefile-files')

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-corefile-files-'))
  mkdirSync(join(context.folder, 'custom'))
  context.files = new ReadCorefileFiles(join(context.folder, 'Corefile'))
})

test.after.each(({ folder }) => rmSync(folder, { recursive: true }))

test('a pattern gives the files that it matches, by name, links and dot files included', ({
  folder,
  files,
}) => {
  writeFileSync(join(folder, 'text'), 'linked')
  symlinkSync('../text', join(folder, 'custom', 'b.override'))
  writeFileSync(join(folder, 'custom', 'a.override'), 'log')
  writeFileSync(join(folder, 'custom', '.c.override'), 'errors')
  writeFileSync(join(folder, 'custom', 'd.server'), 'x {}')
  const texts = files.imported('custom/*.override', '')?.map(({ text }) => text)
  assert.equal(texts, ['errors', 'log', 'linked'])
  const same = files.imported(join(folder, 'custom/*.override'), '')?.length
  assert.is(same, 3)
})

test('a pattern that matches nothing gives nothing, if its directory is there', ({ files }) => {
  assert.equal(files.imported('custom/*.override', ''), [])
  assert.is(files.imported('other/*.override', ''), undefined)
})

test('a pattern in an imported file begins at the directory of that file', ({ folder, files }) => {
  writeFileSync(join(folder, 'custom', 'more'), 'log')
  const found = files.imported('more', join(folder, 'custom', 'a.override'))
  assert.equal(found, [{ path: join(folder, 'custom', 'more'), text: 'log' }])
})

for (const [what, pattern] of [
  ['a file that is not there', 'custom/none'],
  ['a directory', 'custom'],
  ['a set of characters', 'custom/[ab].override'],
  ['an escape', 'custom/\\a'],
] as const) {
  test(`${what} cannot be told from here`, ({ files }) => {
    assert.is(files.imported(pattern, ''), undefined)
  })
}

test('a question mark is one character; a star may stand in a directory', ({ folder, files }) => {
  for (const name of ['a.override', 'b.override', 'ab.override', 'a+override'])
    writeFileSync(join(folder, 'custom', name), name)
  mkdirSync(join(folder, 'customs'))
  const found = (pattern: string) => files.imported(pattern, '')?.map(({ text }) => text)
  assert.equal(found('custom/?.override'), ['a.override', 'b.override'])
  assert.equal(found('cus*/a.override'), ['a.override'])
  assert.equal(found('cus*/none'), [])
  assert.is(found('other/x*/a.override'), undefined)
  assert.ok([folder, join(folder, 'customs/a.override')].every((path) => files.paths.has(path)))
})

test('a directory among the matches is a doubt: CoreDNS does not start with it', ({
  folder,
  files,
}) => {
  mkdirSync(join(folder, 'custom', 'x.override'))
  assert.is(files.imported('custom/*.override', ''), undefined)
})

test('a file is read once, and what was read can be compared', ({ folder, files }) => {
  writeFileSync(join(folder, 'hosts'), '10.0.0.1 a')
  const path = join(folder, 'hosts')
  assert.is(files.text(path), '10.0.0.1 a')
  writeFileSync(path, '10.0.0.1 b')
  assert.is(files.text(path), '10.0.0.1 a')
  const later = new ReadCorefileFiles(join(folder, 'Corefile'))
  assert.is(later.text(path), '10.0.0.1 b')
  assert.is.not(later.content, files.content)
  assert.ok(later.paths.has(path))
})

test('a directory that is not there has no files where the Corefile is our own', ({ folder }) => {
  const files = new ReadCorefileFiles(join(folder, 'Corefile'), true)
  assert.equal(files.imported('custom/*.override', ''), [])
  assert.is(files.imported('custom/a.override', ''), undefined)
})

test.run()
