/** Goal: who waits keeps copies of all that a reply needs. Method: a packet that is overwritten once its waiter has been made. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Transport } from '../../../src/core/ports.ts'
import { type Arrival, turnsMax, Waiter } from '../../../src/core/question/arrival.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { writeQuery } from '../../support/client/dns-message.ts'

const test = suite('core/question/arrival')

function arrivalOf(query: Buffer): Arrival {
  const question = new Question()
  readQuestion(query, query.length, question)
  return {
    question,
    query,
    queryBytes: query.length,
    serverIndex: 3,
    transport: Transport.tcp,
    family: 6,
    clientPort: 40_001,
    arrivedMs: 12.5,
    clientAddress: () => '2001:db8::7',
  }
}

test('a waiter outlives its packet', () => {
  const query = writeQuery('WWW.example', 'AAAA', { id: 7, do: true, ednsBytes: 1400 })
  const sent = Buffer.from(query)
  const arrival = arrivalOf(query)
  const waiter = new Waiter(arrival, { send: () => undefined })
  query.fill(0xff)
  readQuestion(query, query.length, arrival.question)
  const { question } = waiter
  assert.equal(
    [question.id, question.qtype, question.udpBytes, question.dnssecOk],
    [7, 28, 1400, true],
  )
  assert.equal(waiter.query, sent.subarray(0, question.questionEnd), 'header and question, no more')
  assert.is(waiter.queryBytes, sent.length)
})

test('a waiter knows who asked, when and where', () => {
  let reads = 0
  const arrival = arrivalOf(writeQuery('example', 'A'))
  const counting = { ...arrival, clientAddress: () => `10.0.0.${++reads}` }
  const replyTo = { send: () => undefined }
  const waiter = new Waiter(counting, replyTo)
  const { serverIndex, transport, family, clientPort, arrivedMs } = waiter
  assert.equal(
    [serverIndex, transport, family, clientPort, arrivedMs],
    [3, Transport.tcp, 6, 40_001, 12.5],
  )
  assert.equal([waiter.client, waiter.clientAddress(), reads], ['10.0.0.1', '10.0.0.1', 1])
  assert.is(waiter.replyTo, replyTo)
})

test('a waiter waits for its own answer until it is told to follow another', () => {
  const waiter = new Waiter(arrivalOf(writeQuery('example', 'A')), { send: () => undefined })
  assert.equal([waiter.follows, waiter.turns], [undefined, 0])
  waiter.stopFollowing()
  for (const max of Object.values(turnsMax)) assert.ok(waiter.turns >= max)
})

test('a question waits for what tells of its existence twice, for answer mode six times', () => {
  assert.equal(turnsMax, { existence: 2, answerMode: 6 })
})

test.run()
