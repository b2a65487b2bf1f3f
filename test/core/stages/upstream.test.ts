/**
 * Goal: the last stage always decides: it asks the upstreams of the name's route, or says that there is no room. Method: questions with
 * and without room, with and without an expired answer.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { UpstreamStage } from '../../../src/core/stages/upstream.ts'
import { Ede, Rcode } from '../../../src/wire/constants.ts'
import { aRecord, Core, zoneRoute } from '../support.ts'
import { committed, foretold, inquire } from './support.ts'

const test = suite('core/stages/upstream')

const www = 'www.shop.example'

/** An answer that has expired by now, for those who look for one. */
function withExpired(core: Core): void {
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 20)] })
  core.later(20)
}

function full(): Core {
  const core = new Core({ inFlight: { questionsMax: 1 } })
  withExpired(core)
  core.ask('other.example')
  return core
}

test('a ticket of its own is opened, to be asked of the upstreams of the longest zone', () => {
  for (const [name, group] of [
    [www, 'external'],
    ['a.corp.example', 'corp'],
    ['web.team.svc.cluster.local', 'cluster'],
  ] as const) {
    const core = new Core()
    const { ticket, isReply, starts, hasStale, follows } = committed(
      new UpstreamStage(core),
      inquire(core, name),
    )
    assert.equal([isReply, starts, hasStale, follows], [false, true, false, undefined])
    assert.is(ticket?.group, group)
    assert.is(core.inFlight.get(ticket?.key ?? '', ticket?.keyHash ?? 0), ticket)
    assert.is(core.own.isEmpty, true, 'the caller asks it, not the queue')
  }
})

test('an expired answer is kept for the wait', () => {
  const core = new Core()
  withExpired(core)
  const { hasStale, ticket } = committed(new UpstreamStage(core), inquire(core, www))
  assert.is(hasStale, true)
  assert.is(ticket?.entry, inquire(core, www).entry)
})

test('names that nobody is asked about are refused at once, with a reason', () => {
  const core = new Core({ zones: [zoneRoute('.', { isRefused: true })] })
  const stage = new UpstreamStage(core)
  const { isReply, rcode, source, ede, ticket } = committed(stage, inquire(core, www))
  assert.equal([isReply, ticket], [true, undefined])
  assert.equal([rcode, source, ede], [Rcode.refused, ReplySource.local, Ede.notAuthoritative])
  const { kind } = foretold(core, stage, inquire(core, www)) ?? {}
  assert.is(kind, 'reply')
})

test('without room for another question the client gets SERVFAIL, and it is counted', () => {
  const core = full()
  const decision = committed(new UpstreamStage(core), inquire(core, 'new.corp.example'))
  const { isReply, rcode, source, ede, ticket, zoneIndex } = decision
  assert.equal([isReply, ticket], [true, undefined])
  assert.equal([rcode, source, ede], [Rcode.servfail, ReplySource.overloaded, Ede.other])
  assert.is(zoneIndex, 1, 'corp.example')
  assert.equal([core.inFlight.stats.refused, core.inFlight.stats.questions], [1, 1])
})

test('without room an expired answer is given', () => {
  const core = full()
  const { isReply, rcode, source } = committed(new UpstreamStage(core), inquire(core, www))
  assert.equal([isReply, rcode, source], [true, Rcode.noerror, ReplySource.stale])
})

test('the question to come is foretold', () => {
  const core = new Core()
  withExpired(core)
  const inquiry = inquire(core, www)
  assert.equal(foretold(core, new UpstreamStage(core), inquiry), {
    kind: 'wait',
    why: 'asked of external',
    key: inquiry.key.text(),
    group: 'external',
    starts: true,
    follows: undefined,
    hasStale: true,
  })
})

test('what is given for want of room is foretold', () => {
  const core = full()
  const stage = new UpstreamStage(core)
  const why = 'too many questions are in flight'
  const bare = foretold(core, stage, inquire(core, 'new.corp.example'))
  const source = ReplySource.overloaded
  assert.equal(bare, { kind: 'reply', why, source, rcode: Rcode.servfail, image: undefined })
  const stale = foretold(core, stage, inquire(core, www))
  assert.is(stale?.kind, 'reply')
  if (stale?.kind !== 'reply') return
  assert.equal([stale.why, stale.source, stale.rcode], [why, ReplySource.stale, Rcode.noerror])
  assert.ok(stale.image !== undefined)
})

test.run()
