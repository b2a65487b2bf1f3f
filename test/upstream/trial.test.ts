/*
 * Goal: a silent upstream is asked for a sign of life by turns with a cheap question and a client's, and silence counts against it only
 * where it means something. Method: an upstream that notes what it is told, and times that the test gives.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Attempt } from '../../src/upstream/attempt.ts'
import { UpstreamTrial } from '../../src/upstream/trial.ts'
import { readMessage } from '../support/client/dns-message.ts'
import { attemptFor, Clock, NotingUpstream, startMs } from './parts.ts'
import { askFor } from './support.ts'

const test = suite('upstream/trial')

const clients = askFor('www.example')

function started() {
  const clock = new Clock()
  const upstream = new NotingUpstream()
  const trial = new UpstreamTrial(upstream, clock.context)
  return { clock, upstream, trial, wheel: clock.context.wheel }
}

function last(upstream: NotingUpstream): Attempt {
  const attempt = upstream.sent.at(-1)
  if (attempt === undefined) throw new Error('nothing was sent')
  return attempt
}

function answered(upstream: NotingUpstream, tookMs = 1): Attempt {
  const attempt = attemptFor(upstream, undefined, { name: 'known.example' })
  attempt.sentMs = startMs - tookMs
  return attempt
}

const isCheap = (attempt: Attempt) => attempt.frame !== clients.frame

test('the first trial is a question that costs nobody anything: the root, NS, no recursion', () => {
  const { upstream, trial, wheel } = started()
  trial.begin(startMs, clients)
  const { kind, frame, questionEnd, overTcp, madeMs, hasOpt } = last(upstream)
  const { questions, rd } = readMessage(frame)
  assert.equal(questions, [{ name: '.', type: 2, class: 1 }])
  assert.equal([kind, rd, hasOpt, overTcp, madeMs], ['trial', false, false, false, startMs])
  assert.is(questionEnd, frame.length)
  assert.is(upstream.counters.trials, 1)
  assert.is(wheel.pending, 1)
  trial.cancel()
})

test('every other trial is the question of a client, if there is one', () => {
  const { upstream, trial } = started()
  for (let i = 0; i < 4; i++) trial.begin(startMs + i * 500, clients)
  assert.equal(upstream.sent.map(isCheap), [true, false, true, false])
  trial.begin(startMs + 2000, undefined)
  trial.begin(startMs + 2500, undefined)
  trial.begin(startMs + 3000, clients)
  assert.equal(upstream.sent.slice(4).map(isCheap), [true, true, false])
  assert.is(upstream.counters.trials, 7)
  trial.cancel()
})

test('an upstream that answers cheap questions gets no others', () => {
  const { upstream, trial } = started()
  for (let i = 0; i < 3; i++) {
    trial.begin(startMs + i * 500, clients)
    trial.onReply(last(upstream))
  }
  assert.equal(upstream.sent.map(isCheap), [true, true, true])
  assert.equal(upstream.noted, ['reply 0 rcode 0', 'reply 1 rcode 0', 'reply 2 rcode 0'])
})

test('silence on a cheap question says nothing while none was ever answered', () => {
  const { upstream, trial } = started()
  trial.begin(startMs, undefined)
  trial.begin(startMs + 500, undefined)
  assert.equal(upstream.noted, [])
  assert.is(upstream.sent[0]?.isDone, true, 'the one before is given up')
  trial.cancel()
})

test('silence on a cheap question counts once one was answered', () => {
  const { upstream, trial } = started()
  trial.begin(startMs, undefined)
  trial.onReply(last(upstream))
  trial.begin(startMs + 500, undefined)
  trial.begin(startMs + 1000, undefined)
  assert.equal(upstream.noted, ['reply 0 rcode 0', 'wait 1 proof'])
  trial.cancel()
})

test("silence on a client's question counts", () => {
  const { upstream, trial } = started()
  trial.begin(startMs, undefined)
  trial.begin(startMs + 500, clients)
  trial.begin(startMs + 1000, undefined)
  assert.equal(upstream.noted, ['wait 1'])
  trial.cancel()
})

test('a trial is given up when its time is over, and leaves no timer', () => {
  const { upstream, trial, wheel } = started()
  trial.begin(startMs, undefined)
  trial.begin(startMs + 500, clients)
  assert.is(wheel.pending, 1)
  trial.onTimer(startMs + 2500)
  assert.equal(upstream.noted, ['wait 1'])
  assert.equal([last(upstream).isDone, wheel.pending], [true, 0])
  trial.onTimer(startMs + 2510)
  assert.equal(upstream.noted, ['wait 1'], 'once')
})

test('what is answered or lost leaves no timer, and nothing to give up', () => {
  const { upstream, trial, wheel } = started()
  trial.begin(startMs, undefined)
  trial.onLost()
  assert.is(wheel.pending, 0)
  trial.begin(startMs + 500, clients)
  trial.onReply(last(upstream))
  assert.is(wheel.pending, 0)
  trial.onTimer(startMs + 3000)
  assert.equal(upstream.noted, ['reply 1 rcode 0'])
})

test("a client's question that was answered does not show that cheap ones are", () => {
  const { upstream, trial } = started()
  trial.begin(startMs, clients)
  trial.begin(startMs + 500, clients)
  trial.onReply(last(upstream))
  trial.begin(startMs + 1000, undefined)
  trial.begin(startMs + 1500, undefined)
  assert.equal(upstream.noted, ['reply 1 rcode 0'])
  trial.cancel()
})

test('what it has answered before comes first, and by turns with the cheap question', () => {
  const { upstream, trial } = started()
  const known = answered(upstream)
  trial.remember(known, startMs)
  for (let i = 0; i < 4; i++) trial.begin(startMs + i * 500, clients)
  const kinds = upstream.sent.map((attempt) =>
    attempt.frame === known.frame ? 'known' : isCheap(attempt) ? 'cheap' : 'clients',
  )
  assert.equal(kinds, ['known', 'cheap', 'known', 'cheap'])
  trial.cancel()
})

test('silence is proof where it is about what was answered before, and only there', () => {
  const { upstream, trial } = started()
  trial.begin(startMs, undefined)
  trial.begin(startMs + 500, clients)
  trial.begin(startMs + 1000, undefined)
  trial.onReply(last(upstream))
  trial.remember(answered(upstream), startMs)
  for (let i = 3; i < 6; i++) trial.begin(startMs + i * 500, clients)
  assert.equal(upstream.noted, ['wait 1', 'reply 2 rcode 0', 'wait 3 proof', 'wait 4 proof'])
  trial.cancel()
})

test('what took long is not remembered, and what was answered long ago is no proof', () => {
  const { upstream, trial } = started()
  trial.remember(answered(upstream, 401), startMs)
  trial.begin(startMs, undefined)
  assert.ok(isCheap(last(upstream)) && last(upstream).frame.length === 17, 'the root')
  trial.cancel()
  trial.remember(answered(upstream, 400), startMs)
  for (const ms of [29_000, 29_500, 30_000, 30_500]) trial.begin(startMs + ms, undefined)
  assert.equal(upstream.noted, ['wait 1 proof', 'wait 3'])
  trial.cancel()
})

test('a trial that cannot be sent is none', () => {
  const { upstream, trial, wheel } = started()
  upstream.failure = 'overloaded'
  trial.begin(startMs, undefined)
  assert.equal([wheel.pending, upstream.noted], [0, []])
})

test('a cancelled trial is over, and says nothing of the upstream', () => {
  const { upstream, trial, wheel } = started()
  trial.begin(startMs, undefined)
  trial.onReply(last(upstream))
  trial.begin(startMs + 500, undefined)
  trial.cancel()
  assert.equal([last(upstream).isDone, wheel.pending], [true, 0])
  assert.equal(upstream.noted, ['reply 0 rcode 0'])
  trial.cancel()
})

test('trials of a dead upstream go on without questions until it answers', () => {
  const { upstream, trial, wheel } = started()
  for (let i = 0; i < 2; i++) upstream.health.refused(startMs)
  trial.keepOn(startMs)
  trial.keepOn(startMs)
  assert.is(wheel.pending, 1)
  trial.onTimer(startMs + 600)
  assert.equal(upstream.noted, ['try out'])
  trial.begin(startMs + 600, undefined)
  trial.onLost()
  assert.is(wheel.pending, 1, 'it was refused, and the next one is due')
  trial.onTimer(startMs + 1200)
  assert.equal(upstream.noted, ['try out', 'try out'])
  trial.begin(startMs + 1200, undefined)
  trial.onReply(last(upstream))
  assert.is(wheel.pending, 0)
})

test('they end when its death is no longer proved, and when they are cancelled', () => {
  const { upstream, trial, wheel } = started()
  for (let i = 0; i < 2; i++) upstream.health.refused(startMs)
  trial.keepOn(startMs)
  trial.onTimer(startMs + 2500)
  assert.equal([upstream.noted, wheel.pending], [[], 0])
  trial.keepOn(startMs)
  trial.cancel()
  assert.is(wheel.pending, 0)
})

test.run()
