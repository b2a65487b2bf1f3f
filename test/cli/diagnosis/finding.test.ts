// Goal: what was found is one line each with a sign, its cause and the next command, and an exit code. Method: findings against text.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  exitCodeOf,
  fault,
  findingsText,
  note,
  ok,
  sumText,
  unknown,
} from '../../../src/cli/diagnosis/finding.ts'

const test = suite('cli/diagnosis/finding')
const fine = ok('memory', 'no limit')
const bad = fault('port', '127.0.0.1:53 is taken', { cause: 'by dnsmasq', next: 'stop it' })
const dim = unknown('kube-proxy', 'cannot be read', 'add NET_RAW')
const aside = note('kernel', 'small buffers', 'sysctl')

test('each finding has its sign, cause and next step', () => {
  assert.is(
    findingsText([fine, bad, dim, aside], 80),
    `✓ memory        no limit
✗ port          127.0.0.1:53 is taken
                cause: by dnsmasq
                next:  stop it
? kube-proxy    cannot be read
                next:  add NET_RAW
! kernel        small buffers
                next:  sysctl
`,
  )
})

test('lines break within the terminal', () => {
  const text = findingsText([ok('rules', 'one two three four five six seven')], 30)
  assert.is(
    text,
    '✓ rules         one two three\n                four five six\n                seven\n',
  )
})

test('the sum counts what there is', () => {
  assert.is(sumText([fine]), '1 fine\n')
  assert.is(sumText([fine, bad, bad, dim, aside]), '1 fine, 2 faults, 1 to know, 1 not looked at\n')
})

test('a fault outweighs what could not be looked at, and a note is no failure', () => {
  assert.is(exitCodeOf([fine, aside]), 0)
  assert.is(exitCodeOf([fine, dim]), 2)
  assert.is(exitCodeOf([dim, bad]), 1)
})

test.run()
