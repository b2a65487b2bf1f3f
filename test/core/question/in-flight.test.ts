/** Goal: what waits is bounded in questions, clients for each and questions of each, and the counts come back to zero. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Transport } from '../../../src/core/ports.ts'
import { type Arrival, Waiter } from '../../../src/core/question/arrival.ts'
import {
  InFlight,
  type InFlightSettings,
  type Ticket,
} from '../../../src/core/question/in-flight.ts'
import { Question } from '../../../src/wire/question.ts'
import { Core } from '../support.ts'

const test = suite('core/question/in-flight')

const limits: InFlightSettings = {
  questionsMax: 3,
  waitersPerQuestionMax: 4,
  waitersPerClientMax: 5,
}

function ticketFor(text: string): Ticket {
  const { ticket } = new Core().ask(text)
  if (ticket === undefined) throw new Error('nothing was asked')
  return ticket
}

function waiter(client: string): Waiter {
  const arrival: Arrival = {
    question: new Question(),
    query: Buffer.alloc(12),
    queryBytes: 12,
    serverIndex: 0,
    transport: Transport.udp,
    family: 4,
    clientPort: 40_000,
    arrivedMs: 0,
    clientAddress: () => client,
  }
  return new Waiter(arrival, { send: () => undefined })
}

test('a question is found by its key until it is closed', () => {
  const inFlight = new InFlight(limits)
  const ticket = ticketFor('a.example')
  inFlight.open(ticket)
  assert.is(inFlight.get(ticket.key), ticket)
  assert.is(inFlight.stats.questions, 1)
  inFlight.close(ticket)
  assert.is(inFlight.get(ticket.key), undefined)
  assert.is(inFlight.stats.questions, 0)
})

test('there is room for questionsMax questions', () => {
  const inFlight = new InFlight(limits)
  for (const text of ['a', 'b', 'c']) {
    assert.ok(inFlight.hasRoom())
    inFlight.open(ticketFor(text))
  }
  assert.not(inFlight.hasRoom())
})

test('waitersPerQuestionMax clients share one question, the next is refused and counted', () => {
  const inFlight = new InFlight(limits)
  const ticket = ticketFor('a')
  inFlight.open(ticket)
  for (const client of ['1', '2', '3', '4']) assert.ok(inFlight.wait(ticket, waiter(client)))
  assert.not(inFlight.wait(ticket, waiter('5')))
  assert.equal(inFlight.stats, { questions: 1, waiters: 4, joined: 3, refused: 1 })
})

test('one client may wait for waitersPerClientMax questions; others are not held up by it', () => {
  const inFlight = new InFlight({ ...limits, questionsMax: 10 })
  const tickets = ['a', 'b', 'c', 'd', 'e', 'f'].map(ticketFor)
  for (const ticket of tickets) inFlight.open(ticket)
  const taken = tickets.filter((ticket) => inFlight.wait(ticket, waiter('greedy')))
  assert.is(taken.length, 5)
  assert.ok(inFlight.wait(tickets[5] ?? ticketFor('x'), waiter('modest')))
  const [first] = tickets
  if (first !== undefined) inFlight.close(first)
  assert.ok(inFlight.wait(tickets[5] ?? ticketFor('x'), waiter('greedy')))
})

test('who has been answered waits no more, though the question is still open', () => {
  const inFlight = new InFlight(limits)
  const ticket = ticketFor('a')
  inFlight.open(ticket)
  for (const client of ['1', '1', '1', '1']) inFlight.wait(ticket, waiter(client))
  const released = inFlight.release(ticket)
  assert.is(released.length, 4)
  assert.equal([inFlight.stats.waiters, ticket.waiters.length], [0, 0])
  assert.is(inFlight.get(ticket.key), ticket)
  for (const client of ['1', '1', '1', '1']) assert.ok(inFlight.wait(ticket, waiter(client)))
  inFlight.close(ticket)
  assert.is(inFlight.stats.waiters, 0)
})

test('after everything is closed nothing is counted', () => {
  const inFlight = new InFlight({
    questionsMax: 50,
    waitersPerQuestionMax: 50,
    waitersPerClientMax: 5,
  })
  const tickets = Array.from({ length: 20 }, (_, i) => ticketFor(`n${i}`))
  for (const ticket of tickets) {
    inFlight.open(ticket)
    for (let client = 0; client < 9; client++) inFlight.wait(ticket, waiter(`${client}`))
  }
  for (const ticket of tickets) inFlight.close(ticket)
  assert.is(inFlight.stats.questions, 0)
  assert.is(inFlight.stats.waiters, 0)
  const again = ticketFor('again')
  inFlight.open(again)
  for (let i = 0; i < 5; i++) assert.ok(inFlight.wait(again, waiter('0')))
})

test.run()
