/**
 * Goal: an expired answer is given at once only while a failure to renew it counts. Method: an answer that expires, an upstream that
 * fails, and each limit at its boundary.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { StaleStage } from '../../../src/core/stages/stale.ts'
import { Ede, Rcode } from '../../../src/wire/constants.ts'
import { aRecord, Core } from '../support.ts'
import { committed, foretold, inquire } from './support.ts'

const test = suite('core/stages/stale')

const www = 'www.shop.example'
const ttlSeconds = 20
const stalenessMaxSeconds = 3600
const recheckMs = 5000

/** An answer that has just expired; failed, so has its renewal. */
function expired({ failed }: { readonly failed: boolean }): { core: Core; stage: StaleStage } {
  const core = new Core()
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', ttlSeconds)] })
  core.later(ttlSeconds)
  if (failed) core.fail(core.ask(www).ticket)
  return { core, stage: new StaleStage(core.settler) }
}

test('without an entry there is nothing to give', () => {
  const core = new Core()
  assert.is(foretold(core, new StaleStage(core.settler), inquire(core, www)), undefined)
})

test('an expired answer whose renewal has not failed is left to be asked for', () => {
  const { core, stage } = expired({ failed: false })
  assert.is(foretold(core, stage, inquire(core, www)), undefined)
})

test('after a failure the expired answer is given for five seconds, then it is asked for again', () => {
  const { core, stage } = expired({ failed: true })
  assert.ok(foretold(core, stage, inquire(core, www)))
  core.nowMs += recheckMs - 1
  assert.ok(foretold(core, stage, inquire(core, www)))
  core.nowMs += 1
  assert.is(foretold(core, stage, inquire(core, www)), undefined)
})

test('an answer too old to be given is not given, whatever has failed', () => {
  const { core, stage } = expired({ failed: false })
  const { ticket } = core.ask(www)
  core.nowMs += stalenessMaxSeconds * 1000 - 1
  core.fail(ticket)
  assert.ok(foretold(core, stage, inquire(core, www)))
  core.nowMs += 1
  assert.is(foretold(core, stage, inquire(core, www)), undefined)
})

test('the client gets the records with the stale TTL, and is told that they are stale', () => {
  const { core, stage } = expired({ failed: true })
  const { isReply, rcode, source, ede, image, stored, zoneIndex } = committed(
    stage,
    inquire(core, www),
  )
  assert.equal([isReply, rcode, stored], [true, Rcode.noerror, undefined])
  assert.equal([source, ede], [ReplySource.stale, Ede.staleAnswer])
  // The TTL of the only record: before the length and the four bytes of its address.
  assert.is(image?.readUInt32BE(image.length - 10), 30)
  assert.is(zoneIndex, inquire(core, www).entry?.route.zoneIndex)
})

test('what is foretold has the records as they are', () => {
  const { core, stage } = expired({ failed: true })
  const outcome = foretold(core, stage, inquire(core, www))
  assert.is(outcome?.kind, 'reply')
  if (outcome?.kind !== 'reply') return
  assert.is(outcome.why, 'an answer, expired: asking has just brought nothing better')
  assert.equal([outcome.source, outcome.rcode], [ReplySource.stale, Rcode.noerror])
  assert.equal(outcome.image?.subarray(-4), Buffer.from([10, 0, 0, 1]))
})

test.run()
