/*
 * Goal: the rest of an alias is taken from what its owner is known to say, or waits for one question to the owner; circles and long chains end.
 * Method: a core that knows, or does not know, the name at the end, and tickets asked by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AliasCrossings } from '../../src/core/alias-crossing.ts'
import type { AliasHead } from '../../src/core/alias-head.ts'
import type { Settlement } from '../../src/core/decision.ts'
import { ReplySource } from '../../src/core/facts.ts'
import type { InFlightSettings, Ticket } from '../../src/core/question/in-flight.ts'
import type { ZoneRoute } from '../../src/core/router.ts'
import { presentName } from '../../src/wire/name.ts'
import { name } from '../fixtures/packets/octets.ts'
import { readMessage, type TypeName } from '../support/client/dns-message.ts'
import { aRecord, Core, cnameRecord, responseTo, soaRecord, zoneRoute, zones } from './support.ts'

const test = suite('core/alias-crossing')

const outside = 'www.example'
const inside = 'web.team-a.svc.cluster.local'

class Crossing {
  readonly core: Core
  readonly crossings: AliasCrossings

  constructor(
    inFlight: Partial<InFlightSettings> = {},
    crossingsMax = 8,
    routes: readonly ZoneRoute[] = zones,
  ) {
    this.core = new Core({ inFlight, zones: routes })
    const { own, settler } = this.core
    this.crossings = new AliasCrossings({ own, settler, local: [] }, crossingsMax)
  }

  asked(qname = outside, type: TypeName = 'A', options = {}): Ticket {
    const { ticket } = this.core.ask(qname, type, options)
    if (ticket === undefined) throw new Error('not asked')
    return ticket
  }

  begin(ticket: Ticket, target = inside) {
    return this.crossings.begin(ticket, headOf(target), this.core.nowMs)
  }

  tail(ticket: Ticket, target?: string): Settlement {
    const { tail } = this.begin(ticket, target)
    if (tail === undefined) throw new Error('it waits')
    return tail
  }

  /** Begins a crossing that has to wait. */
  target(ticket: Ticket, target?: string): { readonly target: Ticket; readonly isNew: boolean } {
    const step = this.begin(ticket, target)
    if (step.tail !== undefined) throw new Error('known at once')
    return step
  }
}

function headOf(target: string): AliasHead {
  const image = responseTo(outside, 'A', { answers: [cnameRecord(outside, target, 60)] })
  return { leadsTo: name(target).toString('latin1'), image, whole: undefined }
}

test('what the owner is known to say is there at once, as old as it is', () => {
  const bench = new Crossing()
  bench.core.learn(inside, 'A', { answers: [aRecord(inside, '10.96.0.9', 5)] })
  bench.core.later(2)
  const { image, rcode, source, kept } = bench.tail(bench.asked())
  assert.equal(image && readMessage(image).answers.map(({ data, ttl }) => [data, ttl]), [
    ['10.96.0.9', 3],
  ])
  assert.equal(
    [rcode, source, kept],
    [0, ReplySource.upstream, { lifetimeSeconds: 3, isDenial: false }],
  )
})

test('a known denial as well', () => {
  const bench = new Crossing()
  bench.core.learn(inside, 'A', { rcode: 3, authorities: [soaRecord('cluster.local', 30)] })
  const { rcode, kept } = bench.tail(bench.asked())
  assert.equal([rcode, kept], [3, { lifetimeSeconds: 5, isDenial: true }])
})

test('what is not known is asked of its owner, for the type and with DO and CD of the question', () => {
  const bench = new Crossing()
  const { target, isNew } = bench.target(bench.asked(outside, 'AAAA', { do: true, cd: true }))
  assert.is(isNew, true)
  assert.is(presentName(target.frame, 12), `${inside}.`)
  assert.is(target.frame.readUInt16BE(target.questionEnd - 4), 28)
  assert.equal(
    [target.group, target.dnssecOk, (target.frame[3] ?? 0) & 0x10],
    ['cluster', true, 0x10],
  )
  assert.is(bench.target(bench.asked(outside, 'AAAA')).target === target, false)
})

test('a name that nobody is asked about is not asked, and no failure is remembered for it', () => {
  const served = zoneRoute('cluster.local.', { isCluster: true })
  const bench = new Crossing({}, 8, [served, zoneRoute('.', { isRefused: true })])
  const { rcode, ede } = bench.tail(bench.asked(inside), outside)
  assert.equal([rcode, ede], [5, 20])
  assert.is(bench.core.inFlight.stats.questions, 1)
  assert.is(bench.core.ask(outside).source, ReplySource.local)
})

test('what is asked for a client takes the places of that client', () => {
  const bench = new Crossing()
  const ticket = bench.asked()
  const { target } = bench.target(ticket)
  assert.is(target.claim[0]?.by, 'client')
  assert.is(target.claim[0]?.key, ticket.claim[0]?.key)
})

test('two aliases to one name wait for one question, and are taken once', () => {
  const bench = new Crossing()
  const [one, other] = [bench.asked(), bench.asked('ftp.example')]
  const first = bench.target(one)
  const second = bench.target(other)
  assert.is(second.target, first.target)
  assert.equal([first.isNew, second.isNew], [true, false])
  const taken = bench.crossings.take(first.target)
  assert.equal(
    taken.map(({ ticket }) => ticket.key),
    [one.key, other.key],
  )
  assert.equal(
    taken.map(({ owner }) => owner?.group),
    ['cluster', 'cluster'],
  )
  assert.equal(bench.crossings.take(first.target), [])
})

test('a failure of the owner that is remembered is not asked for again', () => {
  const bench = new Crossing()
  bench.core.fail(bench.asked(inside))
  const { rcode, source } = bench.tail(bench.asked())
  assert.equal([rcode, source], [2, ReplySource.failureCache])
})

test('while the owner fails its expired answer is there at once', () => {
  const bench = new Crossing()
  bench.core.learn(inside, 'A', { answers: [aRecord(inside, '10.96.0.9', 5)] })
  bench.core.later(6)
  const late = bench.asked()
  assert.is(bench.begin(late).tail, undefined, 'asked')
  const { target } = bench.target(bench.asked('ftp.example'))
  bench.core.fail(target)
  const { source, kept } = bench.tail(bench.asked('mail.example'))
  assert.equal([source, kept], [ReplySource.stale, undefined])
})

test('where there is no room to ask, the client is told so', () => {
  const bench = new Crossing({ questionsMax: 1 })
  const { rcode, source, image } = bench.tail(bench.asked())
  assert.equal([rcode, source, image], [2, ReplySource.overloaded, undefined])
})

test('a question that would wait for itself fails, near or far', () => {
  const bench = new Crossing()
  const first = bench.asked('a.example')
  assert.is(bench.tail(first, 'a.example').source, ReplySource.failed)
  const { target: second } = bench.target(first, 'b.corp.example')
  const { target: third } = bench.target(second, inside)
  assert.is(bench.tail(third, 'a.example').rcode, 2)
  assert.is(bench.crossings.stats.endless, 2)
})

test('more crossings than allowed fail, whichever end of the chain comes last', () => {
  const names = ['b.corp.example', 'c.example', 'd.corp.example', 'e.example']
  const forwards = new Crossing({}, 3)
  let ticket = forwards.asked('a.example')
  for (const next of names.slice(0, 3)) ticket = forwards.target(ticket, next).target
  assert.is(forwards.tail(ticket, 'e.example').rcode, 2)

  const backwards = new Crossing({}, 3)
  const chain = ['a.example', ...names].map((each) => backwards.asked(each))
  const [a, b, c, d] = chain
  if (!(a && b && c && d)) throw new Error('five')
  backwards.target(d, 'e.example')
  backwards.target(c, 'd.corp.example')
  backwards.target(b, 'c.example')
  assert.is(backwards.tail(a, 'b.corp.example').rcode, 2)
  assert.is(backwards.crossings.stats.endless, 1)
})

test('a refresh asks for the rest as well when that is about to expire', () => {
  const bench = new Crossing()
  bench.core.learn(inside, 'A', { answers: [aRecord(inside, '10.96.0.9', 20)] })
  bench.core.later(19)
  const ticket = bench.asked()
  assert.is(bench.begin(ticket).tail, undefined)
})

test.run()
