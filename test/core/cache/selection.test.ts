/** Goal: what an operator names is meant, its copies in other answers as well, and nothing else. Method: keys and messages made by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { QuestionKey } from '../../../src/core/cache/key.ts'
import { type Selection, selectsAnswer, selectsKey } from '../../../src/core/cache/selection.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { name, octets, u16 } from '../../fixtures/packets/octets.ts'
import { type TypeName, writeQuery } from '../../support/client/dns-message.ts'
import { aRecord, cnameRecord, record, responseTo, soaRecord } from '../support.ts'

const test = suite('core/cache/selection')

function keyOf(text: string, type: TypeName = 'A'): string {
  const query = writeQuery(text, type)
  const question = new Question()
  readQuestion(query, query.length, question)
  return new QuestionKey().read(query, question).text()
}

function selection(text: string | undefined, more: Partial<Selection> = {}): Selection {
  const wire = text === undefined ? undefined : name(text).toString('latin1')
  return { name: wire, hasSubtree: false, qtype: undefined, isNegativeOnly: false, ...more }
}

test('one name, or all at and below it, label by label', () => {
  const exact = selection('example.com')
  const subtree = selection('example.com', { hasSubtree: true })
  assert.ok(selectsKey(exact, keyOf('example.com')))
  assert.ok(selectsKey(exact, keyOf('EXAMPLE.com', 'AAAA')))
  assert.not(selectsKey(exact, keyOf('www.example.com')))
  assert.ok(selectsKey(subtree, keyOf('example.com')))
  assert.ok(selectsKey(subtree, keyOf('a.b.example.com')))
  for (const other of ['badexample.com', 'com', 'example.com.other'])
    assert.not(selectsKey(subtree, keyOf(other)), other)
  assert.ok(selectsKey(selection('.', { hasSubtree: true }), keyOf('a.example')))
  assert.ok(selectsKey(selection(undefined), keyOf('a.example')))
})

test('one type', () => {
  assert.ok(selectsKey(selection('a.example', { qtype: 28 }), keyOf('a.example', 'AAAA')))
  assert.not(selectsKey(selection('a.example', { qtype: 28 }), keyOf('a.example')))
})

const denial = responseTo('a.example', 'A', { rcode: 3, authorities: [soaRecord('example')] })
const plain = responseTo('a.example', 'A', { answers: [aRecord('a.example', '192.0.2.1')] })

test('denials only', () => {
  const negative = selection('example', { hasSubtree: true, isNegativeOnly: true })
  const key = keyOf('a.example')
  assert.ok(selectsAnswer(negative, { key, isDenial: true, image: denial }))
  assert.not(selectsAnswer(negative, { key, isDenial: false, image: plain }))
})

const aliased = {
  key: keyOf('www.example'),
  isDenial: false,
  image: responseTo('www.example', 'A', {
    answers: [cnameRecord('www.example', 'cdn.test'), aRecord('cdn.test', '192.0.2.9')],
  }),
}

test('an answer that holds the records of a name behind an alias is meant with that name', () => {
  assert.ok(selectsAnswer(selection('cdn.test'), aliased))
  assert.ok(selectsAnswer(selection('cdn.test', { qtype: 1 }), aliased))
  assert.ok(selectsAnswer(selection('test', { hasSubtree: true }), aliased))
  assert.ok(selectsAnswer(selection('www.example', { qtype: 5 }), aliased))
  assert.not(selectsAnswer(selection('cdn.test', { qtype: 28 }), aliased))
  assert.not(selectsAnswer(selection('other.test'), aliased))
  assert.not(selectsAnswer(selection('cdn.test', { isNegativeOnly: true }), aliased))
})

test('addresses beside an SRV record are copies; the SOA of a denial is none', () => {
  const target = 'db.test'
  const srv = record('_x._tcp.example', 'SRV', octets([0, 0, 0, 0], u16(80), name(target)))
  const image = responseTo('_x._tcp.example', 'SRV', {
    answers: [srv],
    additionals: [aRecord(target, '192.0.2.3')],
  })
  const answer = { key: keyOf('_x._tcp.example', 'SRV'), isDenial: false, image }
  assert.ok(selectsAnswer(selection(target), answer))
  const denied = { key: keyOf('a.example'), isDenial: true, image: denial }
  assert.not(selectsAnswer(selection('example'), denied))
})

test.run()
