/** Goal: the shares of all workers together are the limits of the configuration, and none is without room. Method: configurations in, shares out. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  beatEveryMs,
  firstDescriptor,
  mailDescriptor,
  shareOf,
  silenceMsMax,
} from '../../../src/daemon/workers/plan.ts'
import { configOf } from '../support.ts'

const test = suite('daemon/workers/plan')

const whole = configOf({
  cache: { entriesMax: 10_000, bytesMax: 4_000_000 },
  tcp: { connectionsMax: 1000 },
  inFlight: { questionsMax: 500, waitersMax: 900, waitersPerClientMax: 70 },
})

test('the only worker has all of it, the very same object', () => {
  assert.is(shareOf(whole, 1), whole)
})

test('limits that hold for the node are divided, rounded up: their sum is never below what was written', () => {
  const { cache, tcp, inFlight } = shareOf(whole, 3)
  assert.equal([cache.entriesMax, cache.bytesMax], [3334, 1_333_334])
  assert.equal([tcp.connectionsMax, inFlight.questionsMax, inFlight.waitersMax], [334, 167, 300])
})

test('a limit of one client or one question is not divided: a client is always with the same worker', () => {
  const share = shareOf(whole, 4)
  assert.is(share.inFlight.waitersPerClientMax, 70)
  assert.is(share.inFlight.waitersPerQuestionMax, whole.inFlight.waitersPerQuestionMax)
})

test('nothing else is touched, and the whole stays as it was', () => {
  const before = JSON.stringify(whole)
  const { cache, tcp, inFlight, ...rest } = shareOf(whole, 2)
  const { cache: _, tcp: __, inFlight: ___, ...restBefore } = whole
  assert.equal(rest, restBefore)
  assert.equal({ ...cache, entriesMax: 10_000, bytesMax: 4_000_000 }, whole.cache)
  assert.equal({ ...tcp, connectionsMax: 1000 }, whole.tcp)
  assert.equal({ ...inFlight, questionsMax: 500, waitersMax: 900 }, whole.inFlight)
  assert.is(JSON.stringify(whole), before)
})

test('with more workers than there is to divide, each can still hold one thing, and the cache one long answer', () => {
  const small = configOf({
    cache: { entriesMax: 1, bytesMax: 65_536 },
    tcp: { connectionsMax: 1 },
    inFlight: { questionsMax: 1 },
  })
  const { cache, tcp, inFlight } = shareOf(small, 64)
  assert.equal(
    [cache.entriesMax, cache.bytesMax, tcp.connectionsMax, inFlight.questionsMax],
    [1, 65_536, 1, 1],
  )
})

test('a worker that is well is heard of several times before it is taken for dead', () => {
  assert.ok(silenceMsMax / beatEveryMs >= 5)
})

test('the descriptors of the sockets begin behind those that Node has taken', () => {
  // 0-2 standard, 3 the channel of `fork`.
  assert.equal([mailDescriptor, firstDescriptor], [4, 5])
})

test.run()
