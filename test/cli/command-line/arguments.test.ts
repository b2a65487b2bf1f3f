// Goal: words and flags of a verb are read by its definition, and each mistake is told with what would be right.
// Method: argument lists against words and flags, or against the literal complaint.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readArguments } from '../../../src/cli/command-line/arguments.ts'
import type { Verb } from '../../../src/cli/command-line/verbs.ts'

const test = suite('cli/command-line/arguments')

test('words and flags come as they were given', () => {
  const read = readArguments('query', ['a.example', '--server=127.0.0.1', 'AAAA', '--tcp'])
  assert.ok(read.ok)
  assert.equal(read.words, ['a.example', 'AAAA'])
  assert.is(read.flag('--server'), '127.0.0.1')
  assert.is(read.has('--tcp'), true)
  assert.is(read.has('--json'), false)
})

test('a dash stands for standard input where a file is wanted', () => {
  const read = readArguments('validate', ['-'])
  assert.ok(read.ok)
  assert.equal(read.words, ['-'])
})

const mistakes: [Verb, string[], string][] = [
  ['query', [], 'query needs NAME: neardns query NAME [TYPE] [flags]'],
  [
    'query',
    ['a', 'A', 'IN'],
    'query does not take the word "IN": neardns query NAME [TYPE] [flags]',
  ],
  ['validate', [''], 'validate needs FILE, got "": neardns validate FILE [flags]'],
  ['query', ['a', '--tpc'], 'unknown flag "--tpc"; did you mean --tcp?'],
  [
    'query',
    ['a', '--frobnicate'],
    'unknown flag "--frobnicate"; neardns query --help lists all flags',
  ],
  ['rules', [], 'rules needs one of show, apply, remove: neardns rules show|apply|remove [flags]'],
  ['rules', ['aply'], 'rules takes one of show, apply, remove, got "aply"; did you mean apply?'],
  [
    'completion',
    ['tcsh'],
    'completion takes one of bash, zsh, fish, got "tcsh"; did you mean bash?',
  ],
]
for (const [verb, argv, why] of mistakes) {
  test(`${verb} ${argv.join(' ')} is answered by a line that helps`, () => {
    assert.equal(readArguments(verb, argv), { ok: false, why })
  })
}

test.run()
