// Goal: `neardns completion SHELL` prints the script of that shell. Method: the verb with captured output.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { completion } from '../../src/cli/completion.ts'
import { captured } from '../support/cli-io.ts'

const test = suite('cli/completion')

for (const [shell, begins] of [
  ['bash', /^# bash completion/],
  ['zsh', /^#compdef neardns/],
  ['fish', /^# fish completion/],
] as const) {
  test(`completion ${shell} prints its script`, async () => {
    const io = captured()
    assert.is(await completion([shell], io), 0)
    assert.match(io.out(), begins)
  })
}

test('another shell is refused', async () => {
  const io = captured()
  assert.is(await completion(['tcsh'], io), 2)
  assert.match(io.err(), /completion takes one of bash, zsh, fish, got "tcsh"/)
})

test.run()
