/** Goal: what waits is bounded in questions, clients for each and queries of each, nobody gets all of it, and the counts come back to zero. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Transport } from '../../../src/core/ports.ts'
import { type Arrival, Waiter } from '../../../src/core/question/arrival.ts'
import {
  InFlight,
  type InFlightSettings,
  type Ticket,
} from '../../../src/core/question/in-flight.ts'
import { claimFor } from '../../../src/core/sharing/claim.ts'
import { Question } from '../../../src/wire/question.ts'
import { Core } from '../support.ts'

const test = suite('core/question/in-flight')

const limits: InFlightSettings = {
  questionsMax: 3,
  waitersMax: 1000,
  waitersPerQuestionMax: 4,
  waitersPerClientMax: 5,
}

function ticketFor(text: string): Ticket {
  const { ticket } = new Core().ask(text)
  if (ticket === undefined) throw new Error('nothing was asked')
  return ticket
}

/** A question of this client. */
function charged(text: string, client: string): Ticket {
  const ticket = ticketFor(text)
  const labels = text.endsWith('.cluster.local') ? 3 : 0
  return { ...ticket, claim: claimFor(client, ticket.frame, labels) }
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
  assert.is(inFlight.get(ticket.key, ticket.keyHash), ticket)
  assert.is(inFlight.stats.questions, 1)
  inFlight.close(ticket)
  assert.is(inFlight.get(ticket.key, ticket.keyHash), undefined)
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
  assert.equal(inFlight.stats, { questions: 1, waiters: 4, joined: 3, refused: 1, returned: 0 })
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
  for (const client of ['1', '1', '2', '3']) inFlight.wait(ticket, waiter(client))
  const released = inFlight.release(ticket)
  assert.is(released.length, 4)
  assert.equal([inFlight.stats.waiters, ticket.waiters.length], [0, 0])
  assert.is(inFlight.get(ticket.key, ticket.keyHash), ticket)
  for (const client of ['1', '1', '2', '3']) assert.ok(inFlight.wait(ticket, waiter(client)))
  inFlight.close(ticket)
  assert.is(inFlight.stats.waiters, 0)
})

test('after everything is closed nothing is counted', () => {
  const inFlight = new InFlight({
    questionsMax: 50,
    waitersMax: 1000,
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

test('of the places for questions a client gets half, one of its domains a third, a group two thirds', () => {
  const inFlight = new InFlight({ ...limits, questionsMax: 90 })
  const fill = (names: (i: number) => string, clients: (i: number) => string) => {
    const before = inFlight.stats.questions
    for (let i = 0; i < 200; i++) inFlight.tryOpen(charged(names(i), clients(i)))
    return inFlight.stats.questions - before
  }
  const greedy = () => 'greedy'
  assert.is(
    fill((i) => `n${i}.silent.example`, greedy),
    30,
  )
  assert.is(
    fill((i) => `www.n${i}.example`, greedy),
    15,
  )
  assert.is(
    fill(
      (i) => `x${i}.n${i}.org`,
      (i) => `10.0.0.${i}`,
    ),
    15,
  )
  assert.is(inFlight.refusals.questions.group, 185)
  assert.ok(inFlight.tryOpen(charged('kubernetes.default.svc.cluster.local', 'greedier')))
})

test('questions of our own leave four fifths, and become those of the first client that waits', () => {
  const inFlight = new InFlight({ ...limits, questionsMax: 50 })
  const ours: Ticket[] = []
  for (; inFlight.hasRoomForOurselves(); ours.push(charged(`n${ours.length}.example`, '')))
    inFlight.open(charged(`x.n${ours.length}.example`, ''))
  assert.is(inFlight.stats.questions, 10)
  const [first = charged('x', '')] = ours
  inFlight.open(first)
  assert.ok(inFlight.wait(first, waiter('10.0.0.1')))
  assert.is(first.claim[0]?.client, '10.0.0.1')
  inFlight.close(first)
  assert.is(inFlight.stats.questions, 10)
  assert.not(inFlight.hasRoomForOurselves())
})

test('of the seats at one question, and of all, one client gets half', () => {
  const inFlight = new InFlight({ ...limits, waitersPerQuestionMax: 10, waitersPerClientMax: 100 })
  const ticket = ticketFor('a')
  inFlight.open(ticket)
  const taken = Array.from({ length: 20 }, () => inFlight.wait(ticket, waiter('greedy')))
  assert.is(taken.filter(Boolean).length, 5)
  for (let i = 0; i < 5; i++) assert.ok(inFlight.wait(ticket, waiter(`modest ${i}`)))
  assert.not(inFlight.wait(ticket, waiter('late')))
  assert.equal([inFlight.refusals.waiters.client, inFlight.refusals.waiters.all], [15, 1])
  const few = new InFlight({
    ...limits,
    waitersMax: 8,
    waitersPerQuestionMax: 100,
    waitersPerClientMax: 100,
  })
  const another = ticketFor('b')
  few.open(another)
  for (let i = 0; i < 20; i++) few.wait(another, waiter('greedy'))
  assert.is(few.stats.waiters, 4)
  assert.ok(few.wait(another, waiter('modest')))
})

test('a table that is made smaller gives nothing until there is room again', () => {
  const inFlight = new InFlight({ ...limits, questionsMax: 10 })
  const tickets = ['a', 'b', 'c'].map(ticketFor)
  for (const ticket of tickets) inFlight.open(ticket)
  inFlight.reconfigure({ ...limits, questionsMax: 2 })
  assert.equal([inFlight.hasRoom(), inFlight.tryOpen(ticketFor('d'))], [false, false])
  for (const ticket of tickets) inFlight.close(ticket)
  assert.ok(inFlight.tryOpen(ticketFor('d')))
})

test.run()
