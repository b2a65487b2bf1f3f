/** Goal: an operator sees an entry as it is. Method: entries of a core, looked at before and after their end. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { viewOf } from '../../../src/core/cache/listing.ts'
import { recordLines } from '../../../src/wire/record-text.ts'
import { aRecord, Core, responseTo, soaRecord } from '../support.ts'

const test = suite('core/cache/listing')

const only = (core: Core) => {
  const [entry] = [...core.cache.all()]
  if (entry === undefined) throw new Error('nothing is cached')
  return entry
}

test('name, type, age, what is left, hits and records', () => {
  const core = new Core()
  core.learn('WWW.Example', 'A', { answers: [aRecord('www.example', '192.0.2.1', 100)] })
  core.later(30)
  core.ask('www.example')
  const { bytes, ...view } = viewOf(only(core), core.nowMs, recordLines)
  assert.ok(bytes > 500)
  assert.equal(view, {
    name: 'www.example.',
    type: 1,
    dnssecOk: false,
    checkingDisabled: false,
    kind: 'answer',
    zone: '.',
    group: 'external',
    ageSeconds: 30,
    leftSeconds: 70,
    hits: 1,
    records: ['www.example.  70  IN  A  192.0.2.1'],
  })
  core.later(80)
  assert.is(viewOf(only(core), core.nowMs).leftSeconds, -10)
})

test('denials are told apart, and the bits of a question are there', () => {
  const kinds = [
    { rcode: 3, authorities: [soaRecord('example')] },
    { authorities: [soaRecord('example')] },
  ].map((of) => {
    const core = new Core()
    core.learn('a.example', 'A', of)
    return viewOf(only(core), core.nowMs).kind
  })
  assert.equal(kinds, ['nxdomain', 'nodata'])
  const core = new Core()
  const { ticket } = core.ask('a.example', 'A', { do: true, cd: true })
  core.answer(
    ticket,
    responseTo('a.example', 'A', { answers: [aRecord('a.example', '192.0.2.1')] }),
  )
  const { dnssecOk, checkingDisabled, records } = viewOf(only(core), core.nowMs)
  assert.equal([dnssecOk, checkingDisabled, records], [true, true, undefined])
})

test.run()
