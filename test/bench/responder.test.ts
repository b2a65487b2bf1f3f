/**
 * Goal: the scripted upstream says what its names ask for, well formed. Method: its replies are read by the strict reader of
 * the tests.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { scriptedReply } from '../../bench/support/responder.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'

const test = suite('bench/responder')

function ask(name: string, { bytesMax = 65_535, ednsBytes = 4096 } = {}) {
  const { bytes, length } = scriptedReply(writeQuery(name, 'A', { id: 7, ednsBytes }), bytesMax)
  return readMessage(Buffer.from(bytes.subarray(0, length)))
}

test('the name says how many addresses the answer has', () => {
  for (const records of [1, 17, 250]) {
    const reply = ask(`a${records}-x.bench.cluster.local`)
    assert.is(reply.id, 7)
    assert.is(reply.rcode, 0)
    assert.is(reply.answers.length, records)
    assert.ok(reply.answers.every(({ name }) => name === `a${records}-x.bench.cluster.local.`))
  }
})

test('every other name does not exist, and the SOA of its last two labels says so', () => {
  const reply = ask('n-1.flood.test')
  assert.is(reply.rcode, 3)
  assert.equal(
    reply.authorities.map(({ name, type }) => [name, type]),
    [['flood.test.', 6]],
  )
})

test('an answer that the client cannot take over UDP is truncated', () => {
  const cut = ask('a100-x.bench.cluster.local', { bytesMax: 4096, ednsBytes: 1232 })
  assert.ok(cut.tc)
  assert.is(cut.answers.length, 0)
  assert.not.ok(ask('a60-x.bench.cluster.local', { bytesMax: 4096, ednsBytes: 1232 }).tc)
})

test.run()
