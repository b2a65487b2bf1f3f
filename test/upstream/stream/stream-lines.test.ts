/**
 * Goal: one client or one domain holds its share of the connections and no more, its other names have room left, and the line is
 * shared as well. Method: attempts of clients, and places that are taken by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Attempt } from '../../../src/upstream/attempt.ts'
import { StreamLines } from '../../../src/upstream/stream/stream-lines.ts'
import { attemptFor, NotingOwner, NotingUpstream } from '../parts.ts'
import { settings } from '../support.ts'

const test = suite('upstream/stream/stream-lines')
const upstream = new NotingUpstream('tcp')

function linesOf(connectionsMax: number, queueMax = 100): StreamLines {
  return new StreamLines({ ...settings.stream, connections: 1, connectionsMax, queueMax })
}

function attemptOf(client: string, name: string, isApart = false): Attempt {
  const attempt = attemptFor(upstream, new NotingOwner(), { client, name })
  attempt.isApart = isApart
  return attempt
}

/** Connections that one client's questions come to hold. */
function holdAll(lines: StreamLines, name: (i: number) => string, isApart: boolean): number {
  let held = 0
  for (;;) {
    const attempt = attemptOf('10.0.0.1', name(held), isApart)
    if (lines.refusal(attempt) !== undefined) return held
    lines.places.take(attempt.claim)
    held += 1
  }
}

test('slow names hold half of the connections for a domain, and two thirds for a client', () => {
  const lines = linesOf(120)
  assert.is(
    holdAll(lines, (i) => `n${i}.slow.example`, true),
    60,
  )
  assert.is(
    holdAll(lines, (i) => `www.slow${i}.test`, true),
    20,
  )
  assert.is(lines.refusal(attemptOf('10.0.0.1', 'www.other.test', true)), 'client')
  assert.is(lines.refusal(attemptOf('10.0.0.1', 'www.other.test')), undefined, 'not known as slow')
  assert.is(lines.refusal(attemptOf('10.0.0.2', 'a.b.slow.example', true)), 'domain')
  assert.is(lines.refusal(attemptOf('10.0.0.2', 'www.other.test', true)), undefined)
})

test('names not known as slow leave a seventh to other clients, and a quarter to other domains', () => {
  const lines = linesOf(140)
  assert.is(
    holdAll(lines, (i) => `www.n${i}.test`, false),
    120,
  )
  assert.is(lines.refusal(attemptOf('10.0.0.2', 'www.example')), undefined)
  assert.is(
    holdAll(linesOf(120), (i) => `n${i}.slow.example`, false),
    90,
  )
})

test('beside all that slow names of their domain may hold, with some held for a moment, quick names need not wait', () => {
  const lines = linesOf(128)
  const slow = holdAll(lines, (i) => `slow${i}.slow.example`, true)
  const quick = attemptOf('10.0.0.2', 'quick.slow.example')
  for (let held = slow; held < 90; held++) {
    assert.is(lines.refusal(quick), undefined, `${held} held`)
    lines.places.take(attemptOf('10.0.0.2', `quick${held}.slow.example`).claim)
  }
})

test('a question without a share waits as one that has not been sent, and a hedge does not wait', () => {
  const lines = linesOf(120)
  const waiting = attemptOf('10.0.0.1', 'n.slow.example', true)
  const before = upstream.counters.waits.domain
  assert.is(lines.add(waiting, 'domain'), true)
  assert.equal([waiting.isHeld, upstream.counters.waits.domain - before], [true, 1])
  const hedge = attemptFor(upstream, new NotingOwner(), { kind: 'hedge' })
  assert.is(lines.add(hedge, 'client'), false)
  assert.is(lines.add(hedge, undefined), true, 'for want of a connection')
  assert.equal([lines.length, hedge.isHeld], [2, false])
})

test('clients take turns, and of slow names the newest comes first', () => {
  const lines = linesOf(120)
  const attempts = ['1.a.test', '2.a.test', '3.b.test'].map((name) =>
    attemptOf('10.0.0.1', name, true),
  )
  const other = attemptOf('10.0.0.2', 'x.test', true)
  for (const attempt of [...attempts, other]) lines.add(attempt, undefined)
  assert.is(lines.apartWanted, 4)
  const served: (Attempt | undefined)[] = []
  for (let next = lines.next(true); next; next = lines.next(true)) {
    served.push(next)
    lines.serve(next)
  }
  assert.equal(
    served.map((one) => (one === other ? 'other' : attempts.indexOf(one as Attempt))),
    [2, 'other', 1, 0],
  )
})

test('who only comes in takes no turn of those that wait', () => {
  const lines = linesOf(120)
  const [first, second] = [
    attemptOf('10.0.0.1', 'a.test', true),
    attemptOf('10.0.0.2', 'b.test', true),
  ]
  lines.add(first, undefined)
  lines.add(second, undefined)
  const others = Array.from({ length: 80 }, () => attemptOf('10.0.0.1', 'held.other').claim)
  for (const claim of others) lines.places.take(claim)
  // The first client has no share now, and others come and ask.
  for (let i = 0; i < 10; i++) assert.equal([lines.hasNext(true), lines.apartWanted], [true, 2])
  for (const claim of others) lines.places.giveBack(claim)
  assert.is(lines.next(true), first)
})

test('what waits for a share wants no connection', () => {
  const lines = linesOf(120)
  holdAll(lines, (i) => `n${i}.slow.example`, true)
  lines.add(attemptOf('10.0.0.1', 'last.slow.example', true), 'domain')
  assert.equal([lines.apartWanted, lines.next(true)], [0, undefined])
  lines.places.giveBack(attemptOf('10.0.0.1', 'n0.slow.example').claim)
  assert.is(lines.apartWanted, 1)
})

test('one client cannot fill the line', () => {
  const lines = linesOf(120, 100)
  let waiting = 0
  while (lines.add(attemptOf('10.0.0.1', `www.n${waiting}.test`), undefined)) waiting += 1
  assert.is(waiting, 75)
  const first = lines.next(false)
  assert.ok(first)
  lines.remove(first)
  assert.is(lines.add(attemptOf('10.0.0.1', 'again.test'), undefined), true, 'its place came back')
  assert.is(lines.add(attemptOf('10.0.0.2', 'www.test'), undefined), true)
  assert.is(lines.clear().length, 76)
  assert.is(lines.add(attemptOf('10.0.0.1', 'after.test'), undefined), true)
})

test('what has become known as slow moves to the other line', () => {
  const lines = linesOf(120)
  const attempt = attemptOf('10.0.0.1', 'slow.example')
  lines.add(attempt, undefined)
  lines.setApart(attempt)
  assert.equal([lines.next(false), lines.next(true), attempt.isApart], [undefined, attempt, true])
  lines.serve(attempt)
  assert.is(lines.length, 0)
})

test.run()
