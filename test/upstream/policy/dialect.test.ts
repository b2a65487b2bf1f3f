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

test('one that has worked is avoided after twenty refusals in a row: fewer may be about the names of one zone', () => {
  const { edns } = new Dialect()
  const refuse = (times: number) => {
    for (let n = 0; n < times; n++) edns.otherHelped(true, untilMs)
    return edns.isAvoided(startMs)
  }
  edns.worked()
  assert.is(refuse(19), false)
  edns.worked()
  assert.is(refuse(19), false)
  assert.is(refuse(1), true)
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

test('an error of one that has worked is about the name, until three have come in a row', () => {
  const { edns } = new Dialect()
  edns.worked()
  const turns = Array.from({ length: 3 }, () => {
    edns.failed()
    return edns.mayBlame(startMs)
  })
  assert.equal(turns, ['never', 'never', 'now'])
})

test('a denial is doubted until data have come to one, and its retries are not those of errors', () => {
  const { edns } = new Dialect()
  edns.worked(false)
  assert.is(edns.mayDeny(startMs), 'now', 'what proves nothing new')
  for (let i = 0; i < 19; i++) edns.mayDeny(startMs)
  assert.equal([edns.mayDeny(startMs), edns.mayBlame(startMs)], ['wait', 'now'])
  edns.worked()
  assert.is(edns.mayDeny(startMs + 60_000), 'never')
  for (let i = 0; i < 3; i++) edns.failed()
  edns.worked(false)
  assert.is(edns.isDoubtful, false, 'a denial of one that is proven is a sign of life')
})

test('retries in vain count no longer for a server that may be another', () => {
  const dialect = new Dialect()
  const { edns } = dialect
  for (let i = 0; i < 20; i++) {
    edns.mayDeny(startMs)
    edns.denials.end(false, startMs)
  }
  assert.is(edns.mayDeny(startMs), 'never')
  dialect.forget()
  assert.is(edns.mayDeny(startMs), 'now')
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
