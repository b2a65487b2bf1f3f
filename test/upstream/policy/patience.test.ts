/*
 * Goal: a question waits no longer than it can be of use, and a slow name is not cut off. Method: the rules with times made up.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Patience } from '../../../src/upstream/policy/patience.ts'

const test = suite('upstream/policy/patience')
const silenceMs = 1800
const startMs = 10_000
const external = { startMs, mayRecurse: true }
const cluster = { startMs, mayRecurse: false }

test('in silence a question ends after the silence limit', () => {
  const patience = new Patience()
  assert.is(patience.endsMs(external, silenceMs), 11_800)
  assert.is(patience.endsMs(cluster, silenceMs), 11_800)
})

test('what was heard before the question began does not shorten its time', () => {
  const patience = new Patience()
  patience.noteLife(5000)
  patience.noteAnswer(5000)
  assert.is(patience.endsMs(cluster, silenceMs), 11_800)
})

test('a sign of life gives more time where the upstream may have to ask others, and there only', () => {
  const patience = new Patience()
  patience.noteLife(11_000)
  assert.is(patience.endsMs(external, silenceMs), 12_800)
  assert.is(patience.endsMs(cluster, silenceMs), 11_800)
})

test('an answer to another question gives more time to all', () => {
  const patience = new Patience()
  patience.noteLife(11_000)
  patience.noteAnswer(11_000)
  assert.is(patience.endsMs(external, silenceMs), 12_800)
  assert.is(patience.endsMs(cluster, silenceMs), 12_800)
})

test('after six questions without an answer signs of life are believed no more, until something is answered', () => {
  const patience = new Patience()
  for (let n = 0; n < 5; n++) patience.noteUnheard(startMs)
  patience.noteLife(11_000)
  assert.is(patience.endsMs(external, silenceMs), 12_800)
  patience.noteUnheard(startMs)
  assert.is(patience.endsMs(external, silenceMs), 11_800)
  patience.noteAnswer(11_500)
  patience.noteLife(12_000)
  assert.is(patience.endsMs(external, silenceMs), 13_800)
})

test('a question that saw another one answered is not held against the upstream', () => {
  const patience = new Patience()
  patience.noteAnswer(10_500)
  for (let n = 0; n < 10; n++) patience.noteUnheard(startMs)
  patience.noteLife(11_000)
  assert.is(patience.endsMs(external, silenceMs), 12_800)
})

test('it is an outage only when there was no sign of life either', () => {
  const patience = new Patience()
  assert.ok(patience.isOutage(startMs, 11_800, silenceMs))
  patience.noteLife(11_000)
  assert.not.ok(patience.isOutage(startMs, 11_800, silenceMs))
})

test.run()
