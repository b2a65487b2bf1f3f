/** Goal: every call stands once, and what changes something is no GET. Method: the list of calls. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Operator } from '../../../src/daemon/operator/operator.ts'
import { dataPathOf, KeptLog } from '../support.ts'

const test = suite('daemon/operator/operator')

const unwanted = () => {
  throw new Error('nobody has asked')
}

test('calls have paths of their own, and none is open that tells names', () => {
  const path = dataPathOf({})
  const { calls } = new Operator({
    path,
    nowMs: () => 0,
    link: undefined,
    summary: unwanted,
    config: unwanted,
    log: new KeptLog(),
    facts: {},
  })
  path.exchange.stop()
  assert.is(new Set(calls.map((call) => call.path)).size, calls.length)
  assert.ok(calls.every((call) => call.path.startsWith('/v1/')))
  assert.equal(
    calls.filter(({ isOpen }) => isOpen === true).map((call) => call.path),
    ['/v1/status'],
  )
})

test('what a colleague asks is done here', async () => {
  const path = dataPathOf({})
  const operator = new Operator({
    path,
    nowMs: () => 0,
    link: undefined,
    summary: unwanted,
    config: unwanted,
    log: new KeptLog(),
    facts: {},
  })
  path.exchange.stop()
  const everything = { name: undefined, hasSubtree: true, qtype: undefined, isNegativeOnly: false }
  const flushed = await operator.carryOut('cache-flush', everything)
  assert.equal(flushed, { answers: 0, failures: 0, questions: 0 })
  assert.is(await operator.carryOut('none', 0), undefined)
})

test.run()
