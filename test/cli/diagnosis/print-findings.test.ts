// Goal: findings are printed for people with their commands, and whole as JSON. Method: captured output.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ok } from '../../../src/cli/diagnosis/finding.ts'
import { printFindings } from '../../../src/cli/diagnosis/print-findings.ts'
import { captured } from '../../support/cli-io.ts'

const test = suite('cli/diagnosis/print-findings')
const findings = [ok('memory', 'no limit')]

test('commands stand below, indented', () => {
  const io = captured()
  printFindings(io, findings, { isJson: false, terminal: undefined, commands: ['ip a', 'nft\nx'] })
  assert.is(
    io.out(),
    '✓ memory        no limit\n\nA start would run:\n  ip a\n  nft\n  x\n\n1 fine\n',
  )
})

test('JSON has all of it', () => {
  const io = captured()
  printFindings(io, findings, { isJson: true, terminal: undefined, commands: ['ip a'] })
  assert.equal(JSON.parse(io.out()), { findings, commands: ['ip a'] })
})

test.run()
