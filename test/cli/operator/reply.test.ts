/** Goal: a reply is printed as it is wanted, and workers that are missing are never passed over. Method: replies as values. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { localTime, readReply } from '../../../src/cli/operator/reply.ts'
import { captured } from '../../support/cli-io.ts'

const test = suite('cli/operator/reply')

const reply = (value: object) => ({ ok: true as const, body: Buffer.from(JSON.stringify(value)) })

test('in words by the given function, whose exit code counts; or as JSON', () => {
  const io = captured()
  const print = ({ a }: { a: number }) => {
    io.stdout(`a is ${a}\n`)
    return 1
  }
  assert.is(readReply(reply({ a: 3 }), { form: { a: 0 }, isJson: false, io }, print), 1)
  assert.is(readReply(reply({ a: 3 }), { form: { a: 0 }, isJson: true, io }, print), 0)
  assert.is(io.out(), 'a is 3\n{\n  "a": 3\n}\n')
})

test('what is no JSON, or lacks what is printed, comes from another program', () => {
  for (const body of ['<!doctype html>', '"hello"', 'null', '', '{}', '{"a":0}', '[]']) {
    const io = captured()
    const refused = readReply(
      { ok: true, body: Buffer.from(body) },
      { form: { a: [0] }, isJson: false, io },
      () => 0,
    )
    assert.equal([refused, io.out()], [1, ''])
    assert.match(io.err(), /^neardns: the reply is none of a neardns[^\n]*\n$/)
  }
})

test('a worker without an answer makes it a failure', () => {
  const io = captured()
  assert.is(
    readReply(reply({ missing: 2 }), { form: {}, isJson: false, io }, () => 0),
    1,
  )
  assert.match(io.err(), '2 of the workers did not answer')
})

test('the time of day has milliseconds', () => {
  assert.is(localTime(new Date(2026, 0, 2, 3, 4, 5, 6).getTime()), '03:04:05.006')
})

test.run()
