/** Goal: a question in flight is joined and not asked again. Method: questions before, during and after one in flight. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InFlightStage } from '../../../src/core/stages/in-flight.ts'
import { writeQuery } from '../../support/client/dns-message.ts'
import { aRecord, Core, responseTo } from '../support.ts'
import { committed, foretold, inquire } from './support.ts'

const test = suite('core/stages/in-flight')

const www = 'www.shop.example'
const answer = aRecord(www, '10.0.0.1', 20)

test('a question that is not in flight is left to the stages below', () => {
  const core = new Core()
  const stage = new InFlightStage(core.inFlight)
  assert.is(foretold(core, stage, inquire(core, www)), undefined)
  const { ticket } = core.ask(www)
  for (const other of [inquire(core, www, 'AAAA'), inquire(core, www, 'A', { do: true })])
    assert.is(foretold(core, stage, other), undefined)
  core.answer(ticket, responseTo(www, 'A', { answers: [answer] }))
  assert.is(foretold(core, stage, inquire(core, www)), undefined)
})

test('the same question waits for the ticket that is there, and starts none', () => {
  const core = new Core()
  const { ticket } = core.ask(www)
  const decision = committed(new InFlightStage(core.inFlight), inquire(core, 'WWW.Shop.Example'))
  assert.is(decision.ticket, ticket)
  assert.equal([decision.isReply, decision.starts, decision.hasStale], [false, false, false])
  assert.equal([decision.follows, decision.zoneIndex], [undefined, ticket?.route.zoneIndex])
  assert.is(core.inFlight.stats.questions, 1)
})

test('who joins gets the expired answer that the ticket was opened with, as long as that is usable', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [answer] })
  core.later(20)
  core.ask(www)
  const stage = new InFlightStage(core.inFlight)
  assert.is(committed(stage, inquire(core, www)).hasStale, true)
  core.later(3600)
  assert.is(committed(stage, inquire(core, www)).hasStale, false)
})

test('the wait is foretold: which question, where it was asked, and that it is not started', () => {
  const core = new Core()
  const { ticket } = core.ask(www)
  assert.equal(foretold(core, new InFlightStage(core.inFlight), inquire(core, www)), {
    kind: 'wait',
    why: 'joins the question in flight to external',
    key: ticket?.key,
    group: 'external',
    starts: false,
    follows: undefined,
    hasStale: false,
  })
})

test('the question itself, sent back by an upstream, gets SERVFAIL and is counted; other letters wait', () => {
  const core = new Core()
  const { ticket } = core.ask(www)
  if (ticket === undefined) throw new Error('nothing is in flight')
  ticket.challenge = writeQuery('wWw.shOp.exaMple', 'A')
  const stage = new InFlightStage(core.inFlight)
  assert.is(committed(stage, inquire(core, 'WWW.shOp.exaMple')).ticket, ticket)
  assert.equal([ticket.hasReturned, core.inFlight.stats.returned], [false, 0])
  const decision = committed(stage, inquire(core, 'wWw.shOp.exaMple'))
  assert.equal([decision.isReply, decision.rcode, decision.ede], [true, 2, 0])
  assert.equal([ticket.hasReturned, core.inFlight.stats.returned], [true, 1])
})

test.run()
