/**
 * Goal: after an incident the last slow and failed queries are there, with the time in each phase, in bounded memory. Method: queries, and the
 * sendings of their questions, made by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import type { Sending } from '../../../src/core/ports.ts'
import type { Ticket } from '../../../src/core/question/in-flight.ts'
import { FlightRecorder } from '../../../src/observe/live/flight-recorder.ts'
import { Core } from '../../core/support.ts'
import { arrivalOf, replyOf } from './support.ts'

const test = suite('observe/live/flight-recorder')

function recorder(recordedMax = 4): FlightRecorder {
  return new FlightRecorder({ slowMs: 200, recordedMax }, () => performance.now())
}

function ticketWith(sendings: readonly Sending[]): Ticket {
  const { ticket } = new Core().ask('www.example')
  if (ticket === undefined) throw new Error('not asked')
  ticket.sendings = { all: sendings }
  return ticket
}

const slow = replyOf(ReplySource.upstream, 0, 'udp://192.0.2.53:53')
const failed = replyOf(ReplySource.failed, 2)

test('a slow query is kept with whom it was asked of, when, and what became of that', () => {
  const one = recorder()
  const nowMs = performance.now()
  const upstream = { name: 'udp://192.0.2.53:53' }
  const sendings = [
    { upstream, kind: 'first', madeMs: nowMs - 300, sentMs: nowMs - 290, wasLost: true },
    { upstream, kind: 'hedge', madeMs: nowMs - 100, sentMs: 0, wasLost: false },
  ]
  one.note(arrivalOf('WWW.example', '192.0.2.7', nowMs - 310), slow, ticketWith(sendings), 310)
  const [kept] = one.slow()
  assert.ok(kept)
  assert.equal(
    [kept?.name, kept?.type, kept?.client, kept?.proto],
    ['www.example.', 1, '192.0.2.7', 'udp'],
  )
  assert.equal([kept?.rcode, kept?.source, kept?.tookMs], ['NOERROR', 'upstream', 310])
  assert.equal([kept?.answeredBy, kept?.group, kept?.isJoined], [upstream.name, 'external', false])
  const [first, hedge] = kept?.sendings ?? []
  assert.equal(
    [first?.why, first?.isLost, hedge?.why, hedge?.queuedMs],
    ['first', true, 'hedge', undefined],
  )
  // The clock goes on between the test's look at it and the recorder's.
  const isNear = (value: number | undefined, wanted: number) => Math.abs((value ?? 0) - wanted) < 1
  assert.ok(
    isNear(first?.afterMs, 10) && isNear(hedge?.afterMs, 210) && isNear(first?.queuedMs, 10),
  )
  assert.ok(isNear(kept?.waitedMs, 10))
})

test('a client that joined a question on its way waited for nothing before', () => {
  const one = recorder()
  const nowMs = performance.now()
  const sending = {
    upstream: { name: 'u' },
    kind: 'first',
    madeMs: nowMs - 900,
    sentMs: nowMs - 900,
    wasLost: false,
  }
  one.note(arrivalOf('www.example', '192.0.2.7', nowMs - 250), slow, ticketWith([sending]), 250)
  const [kept] = one.slow()
  assert.equal([kept?.isJoined, kept?.waitedMs], [true, 0])
})

test('quick answers and refusals are not kept; failures are, however quick', () => {
  const one = recorder()
  one.note(arrivalOf('a.example'), slow, undefined, 199)
  one.note(arrivalOf('b.example'), replyOf(ReplySource.local, 5), undefined, 1)
  one.note(arrivalOf('c.example'), failed, undefined, 1)
  assert.equal([one.slow(), one.failures().map(({ name }) => name)], [[], ['c.example.']])
})

test('equal ones in a row are one, with their number', () => {
  const one = recorder()
  for (let i = 0; i < 5; i++) one.note(arrivalOf('a.example'), failed, undefined, i)
  one.note(arrivalOf('b.example'), failed, undefined, 1)
  assert.equal(
    one.failures().map(({ name, count }) => [name, count]),
    [
      ['b.example.', 1],
      ['a.example.', 5],
    ],
  )
})

test('the newest are kept, as many as the settings say; 0 keeps none', () => {
  const one = recorder(3)
  for (let i = 0; i < 20; i++) one.note(arrivalOf(`n${i}.example`), failed, undefined, 1)
  const names = () => one.failures().map(({ name }) => name)
  assert.equal(names(), ['n19.example.', 'n18.example.', 'n17.example.'])
  one.reconfigure({ slowMs: 200, recordedMax: 1 })
  assert.equal(names(), ['n19.example.'])
  one.reconfigure({ slowMs: 200, recordedMax: 0 })
  one.note(arrivalOf('x.example'), failed, undefined, 1)
  assert.equal(names(), [])
})

test.run()
