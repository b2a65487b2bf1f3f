/** Goal: a token is what the first line of a file holds now; without one there is no way in. Method: real files. */
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readToken } from '../../src/daemon/token-file.ts'

const test = suite<{ folder: string }>('daemon/token-file')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-token-'))
})

test.after(({ folder }) => rmSync(folder, { recursive: true }))

const contents: readonly [what: string, text: string, token: string | undefined][] = [
  ['one line', 'secret\n', 'secret'],
  ['no line feed', 'secret', 'secret'],
  ['a carriage return, as editors of Windows leave it', 'secret\r\n', 'secret'],
  ['blanks around it', '  secret \n', 'secret'],
  ['further lines, which are not its business', 'secret\nother\n', 'secret'],
  ['nothing', '', undefined],
  ['white space only', ' \t\n', undefined],
  ['an empty first line: the second is not the token', '\nsecret\n', undefined],
]
for (const [what, text, token] of contents) {
  test(`a file with ${what}`, ({ folder }) => {
    const file = join(folder, 'token')
    writeFileSync(file, text)
    assert.is(readToken(file), token)
  })
}

test('no path, no file, a directory: no token, and no exception under a request', ({ folder }) => {
  assert.is(readToken(null), undefined)
  assert.is(readToken(join(folder, 'missing')), undefined)
  assert.is(readToken(folder), undefined)
  assert.is(readToken(''), undefined)
})

test('a Secret that the kubelet has replaced counts with the next request', ({ folder }) => {
  // As the kubelet does it: a link to a folder, replaced as a whole.
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  writeFileSync(first, 'old')
  writeFileSync(second, 'new')
  const file = join(folder, 'link')
  symlinkSync(first, file)
  assert.is(readToken(file), 'old')
  symlinkSync(second, join(folder, 'next'))
  renameSync(join(folder, 'next'), file)
  assert.is(readToken(file), 'new')
})

test('a file that may not be read gives no token', ({ folder }) => {
  if (process.getuid?.() === 0) return
  const file = join(folder, 'closed')
  writeFileSync(file, 'secret')
  chmodSync(file, 0)
  assert.is(readToken(file), undefined)
})

test.run()
