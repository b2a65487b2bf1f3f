/*
 * Goal: a manner of asking is avoided only on evidence, for a time, and no longer than it fails (RFC 6891 6.2.2). Method: what
 * questions met with, told by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Dialect } from '../../../src/upstream/policy/dialect.ts'

const test = suite('upstream/policy/dialect')

const startMs = 1_000_000
const untilMs = startMs + 900_000

test('nothing is avoided at first, and a failure may be due to anything', () => {
  const { edns, udp } = new Dialect()
  for (const manner of [edns, udp])
    assert.equal([manner.isAvoided(startMs), manner.isDoubtful], [false, true])
})

test('what has worked is not doubted until three failures in a row', () => {
  const { edns } = new Dialect()
  edns.worked()
  for (const isDoubtful of [false, false, true]) {
    edns.failed()
    assert.is(edns.isDoubtful, isDoubtful)
  }
  edns.worked()
  assert.is(edns.isDoubtful, false)
})

test('a plain refusal is enough to avoid EDNS, until the time is over', () => {
  const { edns } = new Dialect()
  edns.otherHelped(true, untilMs)
  assert.equal([edns.isAvoided(untilMs - 1), edns.isAvoided(untilMs)], [true, false])
  assert.is(edns.isDoubtful, true)
})

test('silence is evidence when it came three times in a row', () => {
  const { edns } = new Dialect()
  const help = () => edns.otherHelped(false, untilMs)
  help()
  help()
  edns.worked()
  help()
  help()
  assert.is(edns.isAvoided(startMs), false)
  help()
  assert.is(edns.isAvoided(startMs), true)
})

test('when the time is over one more failure is enough, unless it has worked in between', () => {
  const { udp } = new Dialect()
  udp.otherHelped(true, startMs)
  udp.otherHelped(false, untilMs)
  assert.is(udp.isAvoided(startMs), true)
  udp.worked()
  assert.is(udp.isAvoided(startMs), false, 'it works')
  udp.otherHelped(false, untilMs)
  assert.is(udp.isAvoided(startMs), false)
})

test('an error may cost three retries, more only if one has helped, or a minute later', () => {
  const { edns } = new Dialect()
  const tries = (nowMs: number) => Array.from({ length: 5 }, () => edns.takeTry(nowMs))
  assert.equal(tries(startMs), [true, true, true, false, false])
  edns.otherHelped(false, untilMs)
  assert.equal(tries(startMs), [true, true, true, false, false])
  assert.equal(tries(startMs + 59_999), [false, false, false, false, false])
  assert.equal(tries(startMs + 60_000), [true, true, true, false, false])
})

test('an error of one that has worked is about the name, until three have come in a row', () => {
  const { edns } = new Dialect()
  edns.worked()
  assert.equal(
    [edns.takeTry(startMs), edns.takeTry(startMs), edns.takeTry(startMs)],
    [false, false, true],
  )
})

test('another server may have come back: both manners are tried anew', () => {
  const dialect = new Dialect()
  const { edns, udp } = dialect
  for (const manner of [edns, udp]) manner.otherHelped(true, untilMs)
  dialect.forget()
  assert.equal([edns.isAvoided(startMs), udp.isAvoided(startMs)], [false, false])
  edns.worked()
  dialect.forget()
  assert.is(edns.isDoubtful, true)
})

test.run()
