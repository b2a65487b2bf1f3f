/**
 * Goal: the micro benches work on well-formed packets, and a query's name says what its scripted reply holds. Method: the replies are
 * read by the strict reader of the tests.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addressReply, deniedReply, largeReply, scriptedReply } from '../../bench/micro/packets.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'

const test = suite('bench/packets')

const ask = (name: string) => readMessage(scriptedReply(writeQuery(name, 'A', { id: 7 })))

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

test('the fixed replies are one address, 250 addresses in some 4 KiB, and a denial', () => {
  const read = [addressReply, largeReply, deniedReply].map(readMessage)
  assert.equal(
    read.map(({ rcode, answers, opt }) => [rcode, answers.length, opt !== undefined]),
    [
      [0, 1, true],
      [0, 250, true],
      [3, 0, true],
    ],
  )
  assert.ok(largeReply.length > 4000 && largeReply.length < 4200, String(largeReply.length))
})

test.run()
