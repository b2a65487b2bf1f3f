// Goal: each failure gets the name under which an operator finds its cure. Method: what the programs really say.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setupErrorType, trouble, troubleKinds, troubleOf } from '../../src/host/trouble.ts'
import { failed, missing } from './scripted-run.ts'

const test = suite('host/trouble')

const kind = (stderr: string) => troubleOf('nft', failed(stderr), 'rules_failed').kind

test('failures of programs get their names', () => {
  assert.is(troubleOf('nft', missing, 'rules_failed').kind, 'program_missing')
  assert.is(kind('Error: Could not process rule: Operation not permitted'), 'no_permission')
  assert.is(
    kind('Fatal: can not open lock file /run/xtables.lock: Permission denied'),
    'no_permission',
  )
  assert.is(
    kind("iptables v1.8.9 (legacy): can't initialize: Permission denied (you must be root)"),
    'no_permission',
  )
  assert.is(
    kind('Another app is currently holding the xtables lock; still 1s 0us time ahead'),
    'lock_held',
  )
  assert.is(kind('Error: Could not process rule: Operation not supported'), 'kernel_too_old')
  assert.is(kind('getsockopt failed strangely: Protocol not available'), 'kernel_too_old')
  assert.is(kind('Error: syntax error'), 'rules_failed')
  assert.is(kind(''), 'rules_failed')
})

test('a kind of link that the kernel does not support says nothing about its rules', () => {
  const said = failed('RTNETLINK answers: Operation not supported')
  assert.is(troubleOf('ip link add dev x type dummy', said, 'link_failed').kind, 'link_failed')
})

test('error output is put on one line, and a long text is cut', () => {
  const { what } = troubleOf(
    'nft',
    failed('/dev/stdin:1:1-5: Error: \n\tsyntax error\n'),
    'rules_failed',
  )
  assert.is(what, 'nft: /dev/stdin:1:1-5: Error: syntax error')
  const long = troubleOf('nft', failed('x'.repeat(301)), 'rules_failed').what
  assert.is(long, `nft: ${'x'.repeat(300)}...`)
  const whole = troubleOf('nft', failed('x'.repeat(300)), 'rules_failed').what
  assert.is(whole, `nft: ${'x'.repeat(300)}`)
  assert.is(troubleOf('ip', missing, 'link_failed').what, 'ip is not there')
})

test('every kind has a cure of its own', () => {
  const cures = troubleKinds.map((one) => trouble(one, '').cure)
  assert.is(new Set(cures).size, troubleKinds.length)
  assert.ok(cures.every((cure) => cure.length > 20))
})

test('troubles that NodeLocal counts too have its four names', () => {
  assert.equal([...new Set(Object.values(setupErrorType))].toSorted(), [
    'interface_add',
    'interface_check',
    'iptables',
    'iptables_lock',
  ])
  assert.is(setupErrorType.unanswered, undefined, 'NodeLocal asks itself nothing')
})

test.run()
