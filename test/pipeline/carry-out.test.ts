/**
 * Goal: a query that waited for another question and is decided anew is treated as a new arrival is: it asks the client's budget of misses,
 * gets an expired answer in time counted from its arrival, is refused when nobody may wait, and leaves no ticket that nobody waits for.
 * Method: the same tests for both, around a real table of questions in flight.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Decision } from '../../src/core/decision.ts'
import { ReplySource } from '../../src/core/facts.ts'
import { Transport } from '../../src/core/ports.ts'
import { type Arrival, type Waitable, Waiter } from '../../src/core/question/arrival.ts'
import type { InFlightSettings, Ticket } from '../../src/core/question/in-flight.ts'
import { MissBudget } from '../../src/core/question/miss-budget.ts'
import type { Reply } from '../../src/core/reply.ts'
import { CarryOut } from '../../src/pipeline/carry-out.ts'
import { Ede, Rcode } from '../../src/wire/constants.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { inquire } from '../core/stages/support.ts'
import { aRecord, Core, cacheSettings } from '../core/support.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'

const test = suite('pipeline/carry-out')

const www = 'www.shop.example'
const client = '10.244.0.7'
/** How long a query that is decided anew has waited already. */
const waitedMs = 150

interface Setup {
  readonly inFlight?: Partial<InFlightSettings>
  readonly missesPerClientPerSecond?: number
}

class Carrying {
  readonly core: Core
  readonly budget: MissBudget
  readonly asked: Ticket[] = []
  readonly armed: { readonly ticket: Ticket; readonly dueMs: number }[] = []
  private readonly carrier: CarryOut

  constructor({ inFlight, missesPerClientPerSecond = 0 }: Setup = {}) {
    this.core = new Core(inFlight && { inFlight })
    this.budget = new MissBudget({ missesPerClientPerSecond })
    const { settler, inFlight: table } = this.core
    const ask = (ticket: Ticket) => this.asked.push(ticket)
    const armStale = (ticket: Ticket, dueMs: number) => this.armed.push({ ticket, dueMs })
    const parts = { inFlight: table, settler, budget: this.budget, ask, armStale }
    this.carrier = new CarryOut(parts)
  }

  /** An answer that has expired, and may be given nevertheless. */
  expire(): void {
    this.core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 20)] })
    this.core.later(20)
  }

  /** The ticket of a question that is to be asked, as the last stage decides it. */
  start(qname = www): { readonly decision: Decision; readonly ticket: Ticket } {
    const inquiry = inquire(this.core, qname)
    const { key, hasStale } = inquiry
    const ticket = this.core.own.open(inquiry, this.core.router.route(key.name, key.nameBytes))
    if (ticket === undefined) throw new Error('no room')
    return { decision: new Decision().wait(ticket, true, hasStale), ticket }
  }

  carryOut(decision: Decision, arrival: Waitable): Reply | undefined {
    return this.carrier.carryOut(decision, arrival, this.core.nowMs)
  }
}

/** A packet that has just come. */
function arrived({ core }: Carrying, transport: Transport): Waitable {
  const query = writeQuery(www, 'A', { ednsBytes: 1232 })
  const question = new Question()
  readQuestion(query, query.length, question)
  const arrival: Arrival = {
    question,
    query,
    queryBytes: query.length,
    serverIndex: 0,
    transport,
    family: 4,
    clientPort: 40_000,
    arrivedMs: core.nowMs,
    clientAddress: () => client,
  }
  const toWaiter = () => new Waiter(arrival, { send: () => undefined })
  return { ...arrival, turns: 0, toWaiter }
}

/** A query that has waited for another question, and is decided anew now. */
function resumed(bench: Carrying, transport: Transport): Waitable {
  const waiter = arrived(bench, transport).toWaiter()
  waiter.follows = 'existence'
  waiter.turns = 1
  bench.core.nowMs += waitedMs
  return waiter
}

const arrivals = { 'a new arrival': arrived, 'a query decided anew': resumed }

for (const [what, arrive] of Object.entries(arrivals)) {
  test(`${what} waits, and its question is asked once`, () => {
    const bench = new Carrying()
    const arrival = arrive(bench, Transport.udp)
    const { decision, ticket } = bench.start()
    assert.is(bench.carryOut(decision, arrival), undefined)
    assert.equal(bench.asked, [ticket])
    assert.is(ticket.waiters.length, 1)
    assert.equal(
      ticket.waiters.map(({ follows, arrivedMs }) => [follows, arrivedMs]),
      [[undefined, arrival.arrivedMs]],
    )
    assert.equal(bench.armed, [], 'there is no expired answer')
    const joining = new Decision().wait(ticket, false, false)
    assert.is(bench.carryOut(joining, arrive(bench, Transport.udp)), undefined)
    assert.is(bench.asked.length, 1)
  })

  test(`${what} that opens a question costs its client a miss, one that joins none`, () => {
    const bench = new Carrying({ missesPerClientPerSecond: 1 })
    const first = bench.start()
    assert.is(bench.carryOut(first.decision, arrive(bench, Transport.udp)), undefined)
    const joining = new Decision().wait(first.ticket, false, false)
    assert.is(bench.carryOut(joining, arrive(bench, Transport.udp)), undefined)
    assert.is(bench.budget.refused, 0)
    const arrival = arrive(bench, Transport.tcp)
    const second = bench.start('other.example')
    const reply = bench.carryOut(second.decision, arrival)
    assert.equal(
      [reply?.rcode, reply?.source, reply?.ede, reply?.image],
      [Rcode.refused, ReplySource.overloaded, Ede.prohibited, undefined],
    )
    assert.is(bench.budget.refused, 1)
    assert.is(
      bench.core.inFlight.get(second.ticket.key, second.ticket.keyHash),
      undefined,
      'the ticket is closed',
    )
    assert.is(bench.asked.length, 1)
  })

  test(`${what} over its budget is sent to TCP, or gets the expired answer that costs nothing`, () => {
    const bench = new Carrying({ missesPerClientPerSecond: 1 })
    bench.expire()
    bench.carryOut(bench.start('other.example').decision, arrive(bench, Transport.udp))
    const truncated = bench.carryOut(
      bench.start('new.example').decision,
      arrive(bench, Transport.udp),
    )
    assert.equal([truncated?.rcode, truncated?.source], [Rcode.noerror, ReplySource.overloaded])
    assert.is(readMessage(truncated?.image ?? Buffer.alloc(0)).tc, true)
    const stale = bench.carryOut(bench.start().decision, arrive(bench, Transport.udp))
    assert.equal([stale?.rcode, stale?.source], [Rcode.noerror, ReplySource.stale])
    assert.is(bench.core.inFlight.stats.questions, 1, 'that of the first')
  })

  test(`${what} gets an expired answer in time counted from its arrival`, () => {
    const bench = new Carrying()
    bench.expire()
    const { clientTimeoutMs } = cacheSettings.serveStale
    const arrivedMs = bench.core.nowMs
    const arrival = arrive(bench, Transport.udp)
    const { decision, ticket } = bench.start()
    assert.is(decision.hasStale, true)
    bench.carryOut(decision, arrival)
    assert.equal(bench.armed, [{ ticket, dueMs: arrivedMs + clientTimeoutMs }])
  })

  test(`${what} is refused when no more of its client's may wait, and leaves no ticket`, () => {
    const bench = new Carrying({ inFlight: { waitersPerClientMax: 1 } })
    const first = bench.start('other.example')
    bench.carryOut(first.decision, arrive(bench, Transport.udp))
    const arrival = arrive(bench, Transport.udp)
    const second = bench.start()
    const reply = bench.carryOut(second.decision, arrival)
    assert.equal(
      [reply?.rcode, reply?.source, reply?.ede],
      [Rcode.servfail, ReplySource.overloaded, Ede.other],
    )
    assert.is(bench.core.inFlight.get(second.ticket.key, second.ticket.keyHash), undefined)
    assert.equal([bench.asked.length, bench.armed.length], [1, 0])
    assert.is(bench.core.inFlight.stats.refused, 1)
  })

  test(`${what} that is refused leaves alone the ticket that others wait for`, () => {
    const bench = new Carrying({ inFlight: { waitersPerQuestionMax: 1 } })
    bench.expire()
    const first = bench.start()
    bench.carryOut(first.decision, arrive(bench, Transport.udp))
    const { ticket } = first
    const joining = new Decision().wait(ticket, false, true)
    const reply = bench.carryOut(joining, arrive(bench, Transport.udp))
    assert.is(reply?.source, ReplySource.stale)
    assert.is(bench.core.inFlight.get(ticket.key, ticket.keyHash), ticket)
    assert.is(ticket.waiters.length, 1)
  })

  test(`${what} that has to wait for another question says why`, () => {
    const bench = new Carrying()
    const arrival = arrive(bench, Transport.udp)
    const { ticket } = bench.start()
    const following = new Decision().follow(ticket, true, 'answerMode')
    assert.is(bench.carryOut(following, arrival), undefined)
    assert.equal(
      ticket.waiters.map(({ follows }) => follows),
      ['answerMode'],
    )
  })
}

test('a reply that is ready is returned as it is', () => {
  const bench = new Carrying()
  const refusal = { image: undefined, rcode: 5, source: ReplySource.local, ede: -1 }
  const decision = new Decision().reply(refusal, -1)
  assert.is(bench.carryOut(decision, arrived(bench, Transport.udp)), decision)
  assert.equal([bench.asked, bench.armed], [[], []])
})

test.run()
