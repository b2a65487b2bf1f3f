/**
 * Goal: after a flush the next query asks an upstream, whoever held what was flushed: the cache, the memory of failures, a question on its way,
 * a question that would fall back on an expired answer. Method: a core on a clock of its own.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Selection } from '../../src/core/cache/selection.ts'
import { ReplySource } from '../../src/core/facts.ts'
import { type Flushed, flush } from '../../src/core/flush.ts'
import { name } from '../fixtures/packets/octets.ts'
import { aRecord, Core, cnameRecord, responseTo, soaRecord } from './support.ts'

const test = suite('core/flush')

const www = 'www.example'

function flushed(core: Core, text: string | undefined, more: Partial<Selection> = {}): Flushed {
  const wire = text === undefined ? undefined : name(text).toString('latin1')
  const selection = {
    name: wire,
    hasSubtree: false,
    qtype: undefined,
    isNegativeOnly: false,
    ...more,
  }
  const work = flush({ ...core, search: { path: undefined } }, selection)
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}

const answerTo = (text: string, address = '192.0.2.1') =>
  responseTo(text, 'A', { answers: [aRecord(text, address)] })

test('a name is asked anew, others are not', () => {
  const core = new Core()
  for (const text of [www, 'a.www.example', 'other.example'])
    core.learn(text, 'A', { answers: [aRecord(text, '192.0.2.1')] })
  assert.equal(flushed(core, www), { answers: 1, failures: 0, questions: 0 })
  assert.ok(core.ask(www).starts)
  assert.is(core.ask('a.www.example').source, ReplySource.cacheSuccess)
  assert.is(core.ask('other.example').source, ReplySource.cacheSuccess)
})

test('a subtree, a type, denials only, or everything', () => {
  const core = new Core()
  const fill = () => {
    core.learn(www, 'A', { answers: [aRecord(www, '192.0.2.1')] })
    core.learn(www, 'AAAA', { authorities: [soaRecord('example')] })
    core.learn('a.b.example', 'A', { rcode: 3, authorities: [soaRecord('example')] })
  }
  const left = () => [...core.cache.all()].length
  const counts = [
    { text: 'example', more: { hasSubtree: true }, answers: 3 },
    { text: 'example', more: { hasSubtree: true, qtype: 28 }, answers: 1 },
    { text: 'example', more: { hasSubtree: true, isNegativeOnly: true }, answers: 2 },
    { text: undefined, more: {}, answers: 3 },
  ].map(({ text, more, answers }) => {
    flushed(core, undefined)
    fill()
    return [flushed(core, text, more).answers, left()].join() === [answers, 3 - answers].join()
  })
  assert.equal(counts, [true, true, true, true])
})

test('an answer that leads to the name by an alias goes as well', () => {
  const core = new Core()
  core.learn(www, 'A', {
    answers: [cnameRecord(www, 'cdn.test'), aRecord('cdn.test', '192.0.2.1')],
  })
  assert.is(flushed(core, 'cdn.test').answers, 1)
  assert.ok(core.ask(www).starts)
})

test('a failure that was remembered is forgotten', () => {
  const core = new Core()
  core.fail(core.ask(www).ticket)
  assert.is(core.ask(www).source, ReplySource.failureCache)
  assert.is(flushed(core, www, { isNegativeOnly: true }).failures, 0)
  assert.is(flushed(core, www).failures, 1)
  assert.ok(core.ask(www).starts)
})

test('a question on its way is joined by nobody any more, and its answer is not kept', () => {
  const core = new Core()
  const before = core.ask(www)
  assert.equal(flushed(core, www), { answers: 0, failures: 0, questions: 1 })
  const after = core.ask(www)
  assert.ok(after.starts && after.ticket !== before.ticket)
  assert.is(core.answer(before.ticket, answerTo(www, '192.0.2.66')).source, ReplySource.upstream)
  assert.is([...core.cache.all()].length, 0)
  core.answer(after.ticket, answerTo(www, '192.0.2.2'))
  assert.is(core.ask(www).reply?.answers[0]?.data, '192.0.2.2')
})

test('an answer on its way that turns out to hold the name is not kept either', () => {
  const core = new Core()
  const { ticket } = core.ask(www)
  flushed(core, 'cdn.test')
  const answers = [cnameRecord(www, 'cdn.test'), aRecord('cdn.test', '192.0.2.1')]
  core.answer(ticket, responseTo(www, 'A', { answers }))
  assert.is([...core.cache.all()].length, 0)
})

test('a question that would fall back on the flushed answer fails instead', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [aRecord(www, '192.0.2.1', 10)] })
  core.later(20)
  const { ticket, hasStale } = core.ask(www)
  assert.ok(hasStale)
  flushed(core, www)
  const { source } = core.fail(ticket)
  assert.is(source, ReplySource.failed)
})

test('what the search path has learned goes with it', () => {
  const core = new Core()
  let times = 0
  const path = { forget: () => times++ }
  const selection = { name: undefined, hasSubtree: true, qtype: undefined, isNegativeOnly: false }
  const work = flush(
    { ...core, search: { path } } as unknown as Parameters<typeof flush>[0],
    selection,
  )
  while (work.next().done !== true);
  assert.is(times, 1)
})

test.run()
