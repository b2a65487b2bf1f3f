/*
 * Goal: a question ends at its deadline, or when silence has lasted, and asks for a sign of life twice a second. Method: given times at
 * each boundary, with the group's patience as it is.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Patience } from '../../src/upstream/policy/patience.ts'
import { QuestionTimes, type TimedGroup, trialAfterMs } from '../../src/upstream/question-times.ts'
import { NotingUpstream } from './parts.ts'
import { settings as usual } from './support.ts'

const test = suite('upstream/question-times')

const at = 1_000_000
const settings = { ...usual, silenceMs: 1800 }

function groupOf(patience: Patience): { -readonly [K in keyof TimedGroup]: TimedGroup[K] } {
  return { patience, settings, silenceMs: settings.silenceMs }
}

function timesOf(mayRecurse = true) {
  const patience = new Patience()
  const times = new QuestionTimes(groupOf(patience), mayRecurse, at)
  return { patience, times }
}

/** As a group does when a client's question is answered. */
function answered(patience: Patience, nowMs: number): void {
  patience.noteLife(nowMs)
  patience.noteAnswer(nowMs)
}

test('in silence a question ends when silence has lasted', () => {
  const { times } = timesOf()
  assert.is(times.endMs, at + 1800)
})

test('an answer to another question puts the end off, to the deadline at most', () => {
  const { times, patience } = timesOf()
  answered(patience, at + 1000)
  assert.is(times.endMs, at + 2800)
  answered(patience, at + 2699)
  assert.is(times.endMs, at + 4499)
  answered(patience, at + 4000)
  assert.is(times.endMs, at + 4500)
})

test('a mere sign of life helps a question that may recurse, and no other', () => {
  for (const mayRecurse of [true, false]) {
    const { times, patience } = timesOf(mayRecurse)
    patience.noteLife(at + 1000)
    assert.is(times.endMs, at + (mayRecurse ? 2800 : 1800))
  }
})

test('what comes first is next', () => {
  const { times } = timesOf()
  assert.is(times.hedgeAtMs, at + 4500, 'no hedge until somebody says when')
  assert.is(times.nextMs, at + trialAfterMs)
  times.hedgeAtMs = at + 50
  assert.is(times.nextMs, at + 50)
  times.hedgeAtMs = Number.POSITIVE_INFINITY
  times.takeTrial(at + 500)
  times.takeTrial(at + 1000)
  times.takeTrial(at + 1500)
  assert.is(times.nextMs, at + 1800)
})

test('a sign of life is asked for after half a second of silence, and again as often', () => {
  assert.is(trialAfterMs, 500)
  const { times } = timesOf()
  assert.is(times.takeTrial(at + 499), false)
  assert.is(times.takeTrial(at + 500), true)
  assert.is(times.takeTrial(at + 501), false)
  assert.is(times.takeTrial(at + 999), false)
  assert.is(times.takeTrial(at + 1020), true)
  assert.is(times.takeTrial(at + 1519), false)
})

test('six questions that were not heard end the belief in signs of life; each says so once', () => {
  const { patience } = timesOf()
  const unheard = Array.from({ length: 6 }, () => new QuestionTimes(groupOf(patience), true, at))
  const last = new QuestionTimes(groupOf(patience), true, at)
  patience.noteLife(at + 1000)
  for (const times of unheard) times.noteUnheard(at + 1799)
  for (const times of unheard.slice(1)) for (let i = 0; i < 3; i++) times.noteUnheard(at + 1800)
  assert.is(last.endMs, at + 2800, 'five are not six')
  unheard[0]?.noteUnheard(at + 1800)
  assert.is(last.endMs, at + 1800)
})

test('who has said that it was not heard has nothing due at that time any more', () => {
  const { times, patience } = timesOf()
  answered(patience, at + 1700)
  for (const ms of [500, 1000, 1500]) times.takeTrial(at + ms)
  assert.is(times.nextMs, at + 1800)
  times.noteUnheard(at + 1800)
  assert.is(times.nextMs, at + 2000)
})

test('an upstream that lets its time pass is said so once, and another gets time of its own', () => {
  const { times } = timesOf()
  times.awaitUpstream(at, 500, false)
  assert.is(times.nextMs, at + 500)
  assert.equal([times.takeTimeout(at + 499), times.takeTimeout(at + 500)], [false, true])
  assert.is(times.takeTimeout(at + 501), false)
  times.awaitUpstream(at + 500, 1200, true)
  assert.is(times.endMs, at + 2000, 'the longest time-out beyond the turn')
  assert.equal([times.takeTimeout(at + 1699), times.takeTimeout(at + 1700)], [false, true])
  times.awaitUpstream(at + 4000, 1200, true)
  assert.is(times.endMs, at + 4500, 'and the deadline stays')
})

test('a denial from below waits as long as silence may last, no matter what is known of the group', () => {
  const group = { ...groupOf(new Patience()), silenceMs: 1000 }
  const times = new QuestionTimes(group, true, at)
  assert.equal([times.endMs, times.denialDueMs], [at + 1000, at + 1800])
})

test('a question that began before all were known to be dead waits for the usual time', () => {
  const group = { ...groupOf(new Patience()) }
  const before = new QuestionTimes(group, true, at)
  group.silenceMs = 1000
  const after = new QuestionTimes(group, true, at)
  assert.equal([before.endMs, after.endMs], [at + 1800, at + 1000])
  group.silenceMs = 1800
  assert.is(after.endMs, at + 1800, 'until one is back')
})

test('times are whole milliseconds', () => {
  const patience = new Patience()
  const times = new QuestionTimes(groupOf(patience), true, at + 0.7)
  assert.equal([times.startMs, times.hedgeAtMs], [at, at + 4500])
})

test('settings that change hold for questions in flight', () => {
  const group = { ...groupOf(new Patience()) }
  const times = new QuestionTimes(group, true, at)
  group.settings = { ...settings, deadlineMs: 1000 }
  assert.is(times.endMs, at + 1000)
})

test('while it is held only the deadline counts; from its sending the silence limit does, to the same deadline', () => {
  const { times, patience } = timesOf()
  times.isHeld = true
  assert.equal([times.endMs, times.nextMs], [at + 4500, at + 4500])
  times.sent(at + 2000.5, new NotingUpstream())
  assert.equal([times.isHeld, times.endMs, times.nextMs], [false, at + 3800, at + 2251])
  assert.equal([times.cameTooLate(at + 3799), times.cameTooLate(at + 3800)], [true, false])
  answered(patience, at + 3000)
  assert.is(times.endMs, at + 4500)
})

test('what was not held never came too late', () => {
  const { times } = timesOf()
  assert.is(times.cameTooLate(at + 1), false)
})

test.run()
