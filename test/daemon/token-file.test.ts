/** Goal: a token is what the first line of a file holds now; without one there is no way in. Method: real files. */
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readToken, readTokenFile } from '../../src/daemon/token-file.ts'

const test = suite<{ folder: string }>('daemon/token-file')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-token-'))
})

test.after(({ folder }) => rmSync(folder, { recursive: true }))

const token = 'ab12.-_~+/ab12ab=='

const contents: readonly [what: string, text: string, token: string | undefined][] = [
  ['one line', `${token}\n`, token],
  ['no line feed', `${token}`, token],
  ['a carriage return, as editors of Windows leave it', `${token}\r\n`, token],
  ['blanks around it', `  ${token} \n`, token],
  ['further lines, which are not its business', `${token}\nother\n`, token],
  ['nothing', '', undefined],
  ['white space only', ' \t\n', undefined],
  ['an empty first line: the second is not the token', `\n${token}\n`, undefined],
]
for (const [what, text, wanted] of contents) {
  test(`a file with ${what}`, ({ folder }) => {
    const file = join(folder, 'token')
    writeFileSync(file, text)
    assert.is(readToken(file), wanted)
  })
}

test('a token that could be guessed, is too long, or fits in no header opens nothing, and is told without itself', ({
  folder,
}) => {
  const file = join(folder, 'token')
  for (const [text, why] of [
    ['a'.repeat(15), /its token has 15 characters; expected 16 to 512 letters/],
    ['a'.repeat(513), /its token has 513 characters; expected 16 to 512 letters/],
    ['sixteen and a blank', /characters that no header carries/],
    ['sechzehn-Zeichen-ä', /characters that no header carries/],
    ['', /its first line is empty; expected .*openssl rand -hex 32/],
  ] as const) {
    writeFileSync(file, text)
    const read = readTokenFile(file)
    assert.ok(!read.ok)
    assert.match(read.why, why)
    assert.ok(text === '' || !read.why.includes(text))
    assert.is(readToken(file), undefined)
  }
  for (const right of ['a'.repeat(16), 'a'.repeat(512)]) {
    writeFileSync(file, right)
    assert.is(readToken(file), right)
  }
})

test('no path, no file, a directory: no token, and no exception under a request', ({ folder }) => {
  assert.is(readToken(null), undefined)
  assert.is(readToken(join(folder, 'missing')), undefined)
  assert.is(readToken(folder), undefined)
  assert.is(readToken(''), undefined)
})

test('a Secret that the kubelet has replaced counts with the next request', ({ folder }) => {
  // As the kubelet does it: a link to a folder, replaced as a whole.
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  writeFileSync(first, `old-${token}`)
  writeFileSync(second, `new-${token}`)
  const file = join(folder, 'link')
  symlinkSync(first, file)
  assert.is(readToken(file), `old-${token}`)
  symlinkSync(second, join(folder, 'next'))
  renameSync(join(folder, 'next'), file)
  assert.is(readToken(file), `new-${token}`)
})

test('a file that may not be read gives no token', ({ folder }) => {
  if (process.getuid?.() === 0) return
  const file = join(folder, 'closed')
  writeFileSync(file, `${token}`)
  chmodSync(file, 0)
  assert.is(readToken(file), undefined)
})

test.run()
