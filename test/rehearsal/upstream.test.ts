// Goal: a question of the instance gets what was captured, after the time that it took. Method: tickets by hand, and a sink that notes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Outcome } from '../../src/core/ports.ts'
import { nobody, type Ticket } from '../../src/core/question/in-flight.ts'
import { openTicket } from '../../src/core/question/ticket.ts'
import { Router } from '../../src/core/router.ts'
import { Presumption } from '../../src/rehearsal/presumption.ts'
import { Said } from '../../src/rehearsal/said.ts'
import { Timetable } from '../../src/rehearsal/timetable.ts'
import { CapturedUpstream } from '../../src/rehearsal/upstream.ts'
import { wireName } from '../../src/wire/name.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { zones } from '../core/support.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { talk } from './support.ts'

const test = suite('rehearsal/upstream')

function ticketFor(name: string): Ticket {
  const query = writeQuery(name, 'A')
  const question = new Question()
  readQuestion(query, query.length, question)
  const wire = Buffer.from(wireName(name))
  const route = new Router(zones).route(wire, wire.length)
  return openTicket(query, question, {
    key: name,
    hash: 0,
    route,
    routeGeneration: 0,
    asOf: 0,
    entry: undefined,
    client: '',
    audited: undefined,
  })
}

function world() {
  const said = new Said({ isCache: false, isCluster: (key) => key.includes('\u0005local') })
  const presumption = new Presumption(wireName('cluster.local'))
  const timetable = new Timetable()
  const upstream = new CapturedUpstream({ said, presumption, timetable })
  const outcomes: string[] = []
  const sink = {
    onOutcome: (_ticket: Ticket, outcome: Outcome) => {
      const what = outcome.kind === 'answer' ? readMessage(outcome.reply).rcode : outcome.why
      outcomes.push(`${timetable.nowMs()} ${what}`)
    },
  }
  return { said, presumption, timetable, upstream, outcomes, sink }
}

test('the captured reply comes after the time that the pod waited', () => {
  const { said, timetable, upstream, outcomes, sink } = world()
  said.note(talk('www.example.com', 'A', { atMs: 1000, tookMs: 7, addresses: ['192.0.2.1'] }))
  timetable.runTo(1000)
  upstream.start(ticketFor('www.example.com'), sink)
  assert.equal(outcomes, [])
  timetable.runTo(2000)
  assert.equal(outcomes, ['1007 0'])
  assert.equal([...upstream.asked], [['external', 1]])
})

test('a question that no pod asked is presumed in the cluster, and counted', () => {
  const { presumption, timetable, upstream, outcomes, sink } = world()
  const name = 'www.example.com.a.svc.cluster.local'
  presumption.note(talk(name, 'A', { rcode: 3, isDenial: true }))
  upstream.start(ticketFor('com.a.svc.cluster.local'), sink)
  timetable.runTo(10)
  assert.equal([outcomes, upstream.presumed, upstream.unanswered], [['1 3'], 1, 0])
})

test('elsewhere it fails through no fault of the server, and those who wait are told first', () => {
  const { timetable, upstream, outcomes, sink } = world()
  let unfed = 0
  upstream.onUnfed = ({ waiters }) => {
    unfed += waiters === nobody ? 1 : 0
    outcomes.push('unfed')
  }
  upstream.start(ticketFor('www.example.com'), sink)
  timetable.runTo(10)
  assert.equal([outcomes, unfed, upstream.unanswered], [['unfed', '0 shutdown'], 1, 1])
})

test.run()
