// Goal: bash offers what a verb takes at each place of a command line.
// Method: the script in the real bash, its function called as bash does; and through shellcheck where that is.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bashCompletion } from '../../../../src/cli/command-line/completion/bash.ts'
import { verbs } from '../../../../src/cli/command-line/verbs.ts'
import { needs } from '../../../support/needs.ts'

const test = suite('cli/command-line/completion/bash')
const script = bashCompletion(verbs)
const root = join(import.meta.dirname, '../../../..')
const verbNames = verbs.map(({ name }) => name)

const lines: [string[], readonly string[]][] = [
  [[''], [...verbNames, 'help']],
  [['q'], ['query']],
  [['help', 'q'], ['query']],
  [
    ['query', '--'],
    ['--server', '--tcp', '--json', '--help'],
  ],
  [['query', '--server', ''], []],
  [
    ['query', '--server', '=', '10.0.0.1:53', 'a.example', 'A'],
    ['A', 'AAAA'],
  ],
  [
    ['rules', ''],
    ['show', 'apply', 'remove'],
  ],
  [['rules', '--config', 'neardns.yaml', 'r'], ['remove']],
  [['rules', 'show', ''], []],
  [
    ['--io', ''],
    ['auto', 'portable', 'batched'],
  ],
  [
    ['run', '--io', '='],
    ['auto', 'portable', 'batched'],
  ],
  [['run', '--io', '=', 'b'], ['batched']],
  [['validate', `${root}/package-l`], [`${root}/package-lock.json`]],
  [['--config', `${root}/package-l`], [`${root}/package-lock.json`]],
]

test('each place of a command line gets what may stand there', () => {
  const calls = lines
    .map(([words]) => `offered ${['neardns', ...words].map((word) => `'${word}'`).join(' ')}`)
    .join('\n')
  const offered = `offered() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _neardns; echo "\${COMPREPLY[*]}"; }`
  const ran = spawnSync('bash', ['--norc', '-u'], {
    input: `${script}\n${offered}\n${calls}\n`,
    encoding: 'utf8',
  })
  assert.is(ran.stderr, '')
  const replies = ran.stdout.split('\n')
  for (const [index, [words, wanted]] of lines.entries()) {
    const got = (replies[index] ?? '').split(' ').filter((word) => word !== '')
    assert.equal(got, wanted, words.join(' '))
  }
})

if (needs('shellcheck')) {
  test('shellcheck has nothing to say against it', () => {
    const ran = spawnSync('shellcheck', ['--shell=bash', '-'], { input: script, encoding: 'utf8' })
    assert.is(ran.stdout, '')
  })
}

test.run()
