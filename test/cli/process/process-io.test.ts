// Goal: a reader that goes away ends a verb quietly, with the verb's exit code. Method: the real program in a pipeline of bash.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('cli/process/process-io')
const main = join(import.meta.dirname, '../../../src/main.ts')

function pipeline(line: string): string {
  const script = `${process.execPath} ${main} ${line}; echo "\${PIPESTATUS[0]}"`
  return execFileSync('bash', ['-c', `{ ${script}; } 2>&1`], { encoding: 'utf8' })
}

test('a short verb whose reader is gone says nothing, and ends with its own code', () => {
  assert.is(pipeline('--help | true'), '0\n')
})

test('a disk that is full is one line, and a failure', () => {
  const complaint =
    'neardns: cannot write to standard output: ENOSPC: no space left on device, write'
  assert.is(pipeline('--help > /dev/full'), `${complaint}\n1\n`)
})

test('a complaint that nobody reads is no failure of another kind', () => {
  assert.is(pipeline('bogus 2>&1 | true'), '2\n')
})

test.run()
