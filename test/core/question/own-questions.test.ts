/**
 * Goal: a question of our own is asked once, handed over once, and dropped when there is no room; planning to wait for one changes
 * nothing. Method: the core's own questions, with the core's whole state compared where nothing may change.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { OwnQuestions } from '../../../src/core/question/own-questions.ts'
import { RrType } from '../../../src/wire/constants.ts'
import { name } from '../../fixtures/packets/octets.ts'
import { inquire } from '../stages/support.ts'
import { stateOf } from '../state.ts'
import { aRecord, Core, type CoreOptions, soaRecord, zoneRoute, zones } from '../support.ts'

const test = suite('core/question/own-questions')

const www = 'www.shop.example'
const wire = (text: string) => name(text).toString('latin1')

function started(options?: CoreOptions): { core: Core; own: OwnQuestions } {
  const core = new Core(options)
  return { core, own: core.own }
}

/** What may not change anything, and what it gave. */
function pure<T>(core: Core, judge: () => T): T {
  const before = stateOf(core)
  const result = judge()
  assert.is(stateOf(core), before, 'nothing has changed')
  return result
}

test('a question is asked once, and handed over once', () => {
  const { core, own } = started()
  assert.is(own.isEmpty, true)
  assert.equal([own.ask(wire(www), RrType.a), own.ask(wire(www), RrType.a)], [true, false])
  assert.is(own.isEmpty, false)
  const taken = own.take()
  assert.is(taken.length, 1)
  assert.equal([own.isEmpty, own.take()], [true, []])
  const { key } = inquire(core, www)
  assert.is(
    core.inFlight.get(key.text(), key.hash),
    taken[0],
    'it is in flight, so that clients join it',
  )
  assert.equal([taken[0]?.waiters.length, taken[0]?.audited], [0, undefined])
})

test('an audit says what it checks', () => {
  const { own } = started()
  own.ask(wire(www), RrType.a, 'a rule')
  assert.is(own.take()[0]?.audited, 'a rule')
})

test('without room a question of our own is dropped', () => {
  const { core, own } = started({ inFlight: { questionsMax: 1 } })
  core.ask('other.example')
  assert.is(own.ask(wire(www), RrType.a), false)
  assert.equal([own.isEmpty, core.inFlight.stats.questions], [true, 1])
})

test("a client's question is opened for the client, and not queued", () => {
  const { core, own } = started()
  const inquiry = inquire(core, www, 'A', { do: true })
  const ticket = own.open(inquiry, core.router.route(inquiry.key.name, inquiry.key.nameBytes))
  assert.is(own.isEmpty, true)
  assert.is(core.inFlight.get(inquiry.key.text(), inquiry.key.hash), ticket)
  assert.equal([ticket?.group, ticket?.dnssecOk], ['external', true])
})

test('an entry is refreshed by its own question, once, and only when there is room', () => {
  const { core, own } = started({ inFlight: { questionsMax: 1 } })
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 20)] })
  const inquiry = inquire(core, www)
  const { entry } = inquiry
  if (entry === undefined) throw new Error('not in the cache')
  assert.equal([own.refresh(inquiry, entry), own.refresh(inquiry, entry)], [true, false])
  const [ticket, ...more] = own.take()
  assert.equal([ticket?.entry, more], [entry, []])
  assert.is(own.refresh(inquire(core, 'other.example'), entry), false, 'no room')
})

test('who wants to wait for a question joins it, opens it, or does neither', () => {
  const { core, own } = started({ inFlight: { questionsMax: 1 } })
  const plan = (mayOpen: boolean) => pure(core, () => own.planJoin(wire(www), RrType.a, mayOpen))
  assert.is(plan(false), undefined, 'not in flight, and not to be opened')
  const opening = plan(true)
  assert.equal([opening?.ticket, opening?.route.group], [undefined, 'external'])
  const { ticket } = core.ask(www)
  for (const mayOpen of [true, false]) assert.is(plan(mayOpen)?.ticket, ticket)
  const other = pure(core, () => own.planJoin(wire('other.example'), RrType.a, true))
  assert.is(other, undefined, 'no room')
})

test('a question that counts as in flight may be waited for, room or not', () => {
  const { core, own } = started({ inFlight: { questionsMax: 0 } })
  const key = inquire(core, www).key.text()
  const plan = pure(core, () => own.planJoin(wire(www), RrType.a, false, new Set([key])))
  assert.equal([plan?.key, plan?.ticket], [key, undefined])
})

test('a plan is carried out: the ticket that is there, or a new one that nobody has queued', () => {
  const { core, own } = started()
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 20)] })
  core.later(20)
  const opening = own.planJoin(wire(www), RrType.a, true)
  if (opening === undefined) throw new Error('there is room')
  const opened = own.join(opening)
  assert.equal([opened.key, own.isEmpty], [opening.key, true])
  assert.is(opened.entry, inquire(core, www).entry, 'with the expired answer for those who join')
  const joining = own.planJoin(wire(www), RrType.a, false)
  if (joining === undefined) throw new Error('it is in flight')
  assert.is(own.join(joining), opened)
  assert.is(core.inFlight.stats.questions, 1)
})

test('what is known, or has just failed, is not asked again', () => {
  const { core, own } = started()
  const asked = (qname: string) => {
    own.askIfUnknown(wire(qname), RrType.a, core.nowMs)
    return own.take().length
  }
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 20)] })
  core.fail(core.ask('down.example').ticket)
  assert.equal([asked(www), asked('down.example'), asked('new.example')], [0, 0, 1])
  core.later(20)
  assert.equal([asked(www), asked('down.example')], [1, 1])
})

test('a failure counts until its end', () => {
  const { core, own } = started()
  core.fail(core.ask(www).ticket)
  const hasFailed = (type: number) => pure(core, () => own.hasFailed(wire(www), type, core.nowMs))
  assert.equal([hasFailed(RrType.a), hasFailed(RrType.aaaa)], [true, false])
  core.nowMs += 999
  assert.is(hasFailed(RrType.a), true)
  core.nowMs += 1
  assert.is(hasFailed(RrType.a), false)
})

test('a fresh entry is found without being used, for the route that the name has now', () => {
  const { core, own } = started()
  core.learn(www, 'A', { rcode: 3, authorities: [soaRecord('example', 20)] })
  const found = () => pure(core, () => own.peek(wire(www), RrType.a, core.nowMs))
  assert.is(found()?.rcode, 3)
  core.router.replace([...zones, zoneRoute('shop.example.', { group: 'shop' })])
  assert.is(found(), undefined)
  core.router.replace(zones)
  core.nowMs += 19_999
  assert.is(found()?.rcode, 3)
  core.nowMs += 1
  assert.is(found(), undefined, 'it has expired')
})

test.run()
