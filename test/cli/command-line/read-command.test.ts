// Goal: a command line means one verb, or a page of help, or is answered by one line that helps.
// Method: argument lists against the command or the literal complaint.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCommand } from '../../../src/cli/command-line/read-command.ts'
import { verbs } from '../../../src/cli/command-line/verbs.ts'

const test = suite('cli/command-line/read-command')
const known = verbs.map(({ name }) => name).join(', ')

test('no argument, a flag and the word run all mean run', () => {
  assert.equal(readCommand([]), { kind: 'verb', verb: 'run', argv: [] })
  const argv = ['--listen', 'x']
  assert.equal(readCommand(argv), { kind: 'verb', verb: 'run', argv })
  assert.equal(readCommand(['run', ...argv]), { kind: 'verb', verb: 'run', argv })
})

test('a verb keeps its arguments', () => {
  const argv = ['a.example', '--tcp']
  assert.equal(readCommand(['query', ...argv]), { kind: 'verb', verb: 'query', argv })
})

const pages: [string[], string | undefined][] = [
  [['--help'], undefined],
  [['-h'], undefined],
  [['help'], undefined],
  [['help', '--help'], undefined],
  [['help', 'query'], 'query'],
  [['query', '--help'], 'query'],
  [['query', 'x', '-h'], 'query'],
  [['--listen', 'x', '--help'], 'run'],
  // Whatever else is wrong.
  [['query', '--frobnicate', '--help'], 'query'],
  [['run', '--config', '--help'], 'run'],
]
for (const [argv, verb] of pages) {
  test(`${argv.join(' ')} prints the help of ${verb ?? 'all verbs'}`, () => {
    assert.equal(readCommand(argv), { kind: 'help', verb })
  })
}

test('behind -- help is a word', () => {
  assert.equal(readCommand(['query', '--', '--help']), {
    kind: 'verb',
    verb: 'query',
    argv: ['--', '--help'],
  })
})

test('the version is asked for in three ways', () => {
  for (const word of ['--version', '-v', 'version']) {
    assert.equal(readCommand([word]), { kind: 'version' })
  }
})

const mistakes: [string[], string][] = [
  [['valdiate', 'x'], 'unknown command "valdiate"; did you mean validate?'],
  [
    ['bogus', '--help'],
    `unknown command "bogus"; there are ${known}; neardns --help says what they do`,
  ],
  [['help', 'qurey'], 'unknown command "qurey"; did you mean query?'],
  [
    ['upstreams', 'x'],
    `upstreams is not in this version yet; there are ${known}; neardns --help says what they do`,
  ],
]
for (const [argv, why] of mistakes) {
  test(`${argv.join(' ')} is answered by a line that helps`, () => {
    assert.equal(readCommand(argv), { kind: 'mistake', why })
  })
}

test.run()
