// Goal: text for a person is written to a terminal only. Method: what it says of this test's output, against the descriptor.
import { isatty } from 'node:tty'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { outputTerminal } from '../../../src/cli/process/terminal.ts'

const test = suite('cli/process/terminal')

test('without a terminal there is none', () => {
  assert.is(outputTerminal() !== undefined, isatty(1))
})

test.run()
