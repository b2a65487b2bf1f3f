// Goal: arguments mean what they mean to Go's flag package. Method: the spellings of its documentation, and its refusals.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readGoFlags } from '../../src/nodelocal/go-flags.ts'

const test = suite('nodelocal/go-flags')

const rules = {
  texts: new Set(['conf', 'localip']),
  switches: new Set(['skipteardown']),
  foreign: new Map([['forwardonexit', 'leave it out']]),
}

function read(...argv: string[]): string {
  const result = readGoFlags(argv, rules)
  if (!result.ok) return result.why
  return result.isHelp
    ? 'help'
    : result.flags.map(({ name, value }) => `${name}=${value}`).join(' ')
}

test('one dash and two, with = and without, are the same', () => {
  for (const argv of [
    ['-conf', 'F'],
    ['--conf', 'F'],
    ['-conf=F'],
    ['--conf=F'],
    ['-conf', 'F', '--'],
  ]) {
    assert.is(read(...argv), 'conf=F')
  }
})

test('a value may look like a flag, be empty, or have = in it', () => {
  assert.is(read('-conf', '-localip'), 'conf=-localip')
  assert.is(read('-conf='), 'conf=')
  assert.is(read('-conf', ''), 'conf=')
  assert.is(read('-conf=a=b'), 'conf=a=b')
})

test('a switch takes a value behind = only', () => {
  assert.is(read('-skipteardown', '-conf', 'F'), 'skipteardown=true conf=F')
  for (const on of ['1', 't', 'T', 'TRUE', 'true', 'True'])
    assert.is(read(`-skipteardown=${on}`), 'skipteardown=true')
  for (const off of ['0', 'f', 'F', 'FALSE', 'false', 'False']) {
    assert.is(read(`--skipteardown=${off}`), 'skipteardown=false')
  }
  assert.is(read('-skipteardown', 'false'), 'extra argument "false"; expected flags only')
  assert.is(read('-skipteardown=no'), '-skipteardown=no: "no" is neither true nor false')
})

test('a flag that is unknown is named, with what would be right', () => {
  assert.is(read('-confs', 'F'), 'unknown flag "-confs"; did you mean -conf?')
  assert.is(read('--forwardonexit=false'), 'unknown flag "-forwardonexit"; leave it out')
  assert.is(read('-zzzzzzzz'), 'unknown flag "-zzzzzzzz"; leave it out; -help lists all flags')
  assert.is(read('-Conf=F'), 'unknown flag "-Conf"; did you mean -conf?')
})

test('what is no flag is refused', () => {
  assert.is(read('-conf'), '-conf needs a value')
  assert.is(read('---conf'), '"---conf" is no flag; write one or two dashes and a name')
  assert.is(read('-=x'), '"-=x" is no flag; write one or two dashes and a name')
  assert.is(read('-'), 'extra argument "-"; expected flags only')
  assert.is(read('--', '-conf'), 'extra argument "-conf"; expected flags only')
})

test('help counts at once, and the order of flags is kept', () => {
  for (const help of ['-h', '-help', '--help']) assert.is(read(help, '-nonsense'), 'help')
  assert.is(read('-conf=1', '-conf=2'), 'conf=1 conf=2')
})

test.run()
