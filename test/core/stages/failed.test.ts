/** Goal: a question that has just failed is not asked again, and everything else is. Method: a failure, at times before and after its end. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Failure, FailureCache } from '../../../src/core/cache/failure-cache.ts'
import { ReplySource } from '../../../src/core/facts.ts'
import { FailedStage } from '../../../src/core/stages/failed.ts'
import { Ede, Rcode } from '../../../src/wire/constants.ts'
import { Core } from '../support.ts'
import { committed, foretold, inquire } from './support.ts'

const test = suite('core/stages/failed')

const www = 'www.shop.example'

/** A question that failed just now; failures count for a second. */
function failed(): { core: Core; stage: FailedStage } {
  const core = new Core()
  core.fail(core.ask(www).ticket)
  return { core, stage: new FailedStage(core.failures) }
}

test('a question that has not failed is left to the stages below', () => {
  const core = new Core()
  assert.is(foretold(core, new FailedStage(core.failures), inquire(core, www)), undefined)
})

test('a failure counts for its question alone', () => {
  const { core, stage } = failed()
  assert.ok(foretold(core, stage, inquire(core, www)))
  assert.is(foretold(core, stage, inquire(core, www, 'AAAA')), undefined)
  assert.is(foretold(core, stage, inquire(core, 'shop.example')), undefined)
})

test('a failure counts for a second, and is over then', () => {
  const { core, stage } = failed()
  core.nowMs += 999
  assert.ok(foretold(core, stage, inquire(core, www)))
  core.nowMs += 1
  assert.is(foretold(core, stage, inquire(core, www)), undefined)
})

test('the client gets SERVFAIL as a cached error, for the zone of the name', () => {
  const { core, stage } = failed()
  const decision = committed(stage, inquire(core, www))
  const { isReply, image, rcode, source, ede, zoneIndex } = decision
  assert.equal([isReply, image, rcode], [true, undefined, Rcode.servfail])
  assert.equal([source, ede], [ReplySource.failureCache, Ede.cachedError])
  assert.is(zoneIndex, core.router.route(inquire(core, www).key.name, 18).zoneIndex)
})

/** Counts the uses by which names in demand are kept. */
class CountingFailures extends FailureCache {
  used = 0

  override use(failure: Failure): void {
    this.used += 1
    super.use(failure)
  }
}

test('giving a failure counts as a use of it, and judging does not', () => {
  const failures = new CountingFailures({ minSeconds: 1, maxSeconds: 5 })
  const core = new Core()
  const stage = new FailedStage(failures)
  const { key, nowMs } = inquire(core, www)
  const route = core.router.route(key.name, key.nameBytes)
  failures.note({ key: key.text(), hash: key.nameHash, route, rcode: Rcode.servfail, nowMs })
  assert.ok(foretold(core, stage, inquire(core, www)))
  assert.is(failures.used, 0)
  committed(stage, inquire(core, www))
  assert.is(failures.used, 1)
})

test('what is foretold says how long it will last', () => {
  const { core, stage } = failed()
  core.nowMs += 400
  const outcome = foretold(core, stage, inquire(core, www))
  assert.equal(outcome, {
    kind: 'reply',
    why: 'failed lately, asked again in 0.6 s',
    source: ReplySource.failureCache,
    rcode: Rcode.servfail,
    image: undefined,
  })
})

test.run()
