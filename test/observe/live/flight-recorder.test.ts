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

function sendingOf(of: Partial<Sending>): Sending {
  return {
    ...{ upstream: { name: 'u' }, kind: 'first', madeMs: 0, sentMs: 0, endMs: 0, rcode: -1 },
    ...{ lostTo: undefined, overTcp: false, isAside: false },
    ...of,
  }
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
    sendingOf({
      ...{ upstream, madeMs: nowMs - 300, sentMs: nowMs - 290 },
      ...{ endMs: nowMs - 250, lostTo: 'refused' },
    }),
    sendingOf({ upstream, kind: 'hedge', madeMs: nowMs - 100, sentMs: 0 }),
    sendingOf({
      ...{ upstream, kind: 'tcp', madeMs: nowMs - 50, sentMs: nowMs - 50, overTcp: true },
      ...{ endMs: nowMs - 20, rcode: 2 },
    }),
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
  const [first, hedge, tcp] = kept?.sendings ?? []
  assert.equal(
    [first?.why, first?.lostTo, hedge?.why, hedge?.queuedMs],
    ['first', 'refused', 'hedge', undefined],
  )
  assert.equal([hedge?.lostTo, hedge?.endMs, hedge?.rcode], [undefined, undefined, undefined])
  assert.equal([first?.proto, tcp?.proto, tcp?.rcode], ['udp', 'tcp', 'SERVFAIL'])
  // The clock goes on between the test's look at it and the recorder's.
  const isNear = (value: number | undefined, wanted: number) => Math.abs((value ?? 0) - wanted) < 1
  assert.ok(
    isNear(first?.afterMs, 10) && isNear(hedge?.afterMs, 210) && isNear(first?.queuedMs, 10),
  )
  assert.ok(isNear(first?.endMs, 60) && isNear(tcp?.endMs, 290))
  assert.ok(isNear(kept?.waitedMs, 10))
})

test('a client that joined a question on its way waited for nothing before', () => {
  const one = recorder()
  const nowMs = performance.now()
  const sending = sendingOf({ madeMs: nowMs - 900, sentMs: nowMs - 900 })
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

test('who takes queries elsewhere is asked for each, gets equal ones too, and more than are kept', () => {
  const one = recorder(0)
  const taken: string[] = []
  let asked = 0
  one.sink = {
    wants: () => ++asked % 2 === 1,
    take: ({ name }, serverIndex) => taken.push(`${name}${serverIndex}`),
  }
  one.note(arrivalOf('quick.example'), slow, undefined, 1)
  for (let i = 0; i < 5; i++) one.note(arrivalOf('a.example'), failed, undefined, i)
  one.note(arrivalOf('b.example'), slow, undefined, 300)
  assert.is(asked, 6)
  assert.equal(taken, ['a.example.0', 'a.example.0', 'a.example.0'])
  assert.equal([one.slow(), one.failures()], [[], []])
  one.reconfigure({ slowMs: 200, recordedMax: 4 })
  for (let i = 0; i < 4; i++) one.note(arrivalOf('c.example'), failed, undefined, i)
  assert.equal([taken.length, one.failures().map(({ count }) => count)], [5, [4]])
})

test.run()
