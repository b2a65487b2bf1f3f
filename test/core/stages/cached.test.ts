/**
 * Goal: a fresh entry answers, and is refreshed in time while it is in demand, once. Method: entries at their boundaries; then the search
 * path's objections, with a search path that has denied or would deny.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { pairMs } from '../../../src/core/search/pairs.ts'
import { CachedStage } from '../../../src/core/stages/cached.ts'
import { Rcode } from '../../../src/wire/constants.ts'
import type { TypeName } from '../../support/client/dns-message.ts'
import { clusterSoa, SearchBench } from '../search/support.ts'
import { aRecord, Core, responseTo, scanned, soaRecord } from '../support.ts'
import { committed, foretold, inquire } from './support.ts'

const test = suite('core/stages/cached')

const www = 'www.shop.example'
const ttlSeconds = 20
const noSearch = { path: undefined }

function stageOf({ cache, own }: Core): CachedStage {
  return new CachedStage({ cache, own, search: noSearch })
}

/** A core with an answer of twenty seconds. */
function cached(): Core {
  const core = new Core()
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', ttlSeconds)] })
  return core
}

test('without an entry, and with one that has expired, the stage has nothing to say', () => {
  const core = cached()
  assert.is(foretold(core, stageOf(core), inquire(core, 'other.example')), undefined)
  core.nowMs += ttlSeconds * 1000 - 1
  assert.ok(foretold(core, stageOf(core), inquire(core, www)))
  core.nowMs += 1
  assert.is(foretold(core, stageOf(core), inquire(core, www)), undefined)
})

test('a fresh entry is the reply, with the TTLs of now', () => {
  const core = cached()
  core.later(7)
  const { isReply, stored, rcode, source, ede } = committed(stageOf(core), inquire(core, www))
  assert.is(stored, inquire(core, www).entry)
  assert.equal([isReply, rcode], [true, Rcode.noerror])
  assert.equal([source, ede], [ReplySource.cacheSuccess, -1])
  const image = inquire(core, www).entry?.image()
  assert.is(image?.readUInt32BE(image.length - 10), ttlSeconds - 7)
})

test('a fresh denial is told from an answer', () => {
  const core = new Core()
  core.learn(www, 'A', { rcode: 3, authorities: [soaRecord('example', 60)] })
  const outcome = foretold(core, stageOf(core), inquire(core, www))
  assert.is(outcome?.kind, 'reply')
  if (outcome?.kind !== 'reply') return
  assert.equal([outcome.source, outcome.rcode], [ReplySource.cacheDenial, Rcode.nxdomain])
  assert.is(outcome.why, 'a denial from the cache')
  const { source, rcode } = committed(stageOf(core), inquire(core, www))
  assert.equal([source, rcode], [ReplySource.cacheDenial, Rcode.nxdomain])
})

test('an entry in demand is refreshed in the last tenth of its life, once', () => {
  const core = cached()
  const stage = stageOf(core)
  core.nowMs += ttlSeconds * 900 - 1
  for (let i = 0; i < 3; i++) committed(stage, inquire(core, www))
  assert.equal([core.own.isEmpty, core.cache.stats.prefetches], [true, 0])
  core.nowMs += 1
  for (let i = 0; i < 3; i++) committed(stage, inquire(core, www))
  const asked = core.own.take()
  assert.equal([asked.length, core.cache.stats.prefetches], [1, 1])
  assert.is(asked[0]?.key, inquire(core, www).key.text())
})

test('an entry that was asked for once is left to expire', () => {
  const core = cached()
  core.nowMs += ttlSeconds * 1000 - 1
  committed(stageOf(core), inquire(core, www))
  assert.equal([core.own.isEmpty, core.cache.stats.prefetches], [true, 0])
})

test('a refresh that has no room is not counted', () => {
  const core = new Core({ inFlight: { questionsMax: 1 } })
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', ttlSeconds)] })
  core.ask('other.example')
  core.nowMs += ttlSeconds * 1000 - 1
  for (let i = 0; i < 3; i++) committed(stageOf(core), inquire(core, www))
  assert.equal([core.own.isEmpty, core.cache.stats.prefetches], [true, 0])
})

const host = 'www.com.team-0.svc.cluster.local'

interface Put {
  readonly response: Buffer
  readonly lifetimeSeconds: number
  readonly isDenial: boolean
}

/** The stage before a search path that denies `host` on a cut, and an entry that is in the cache nevertheless. */
function withSearch({ response, lifetimeSeconds, isDenial }: Put) {
  const bench = new SearchBench()
  for (const label of ['h1', 'h2', 'h3']) bench.rcode(`${label}.com.team-0.svc.cluster.local`)
  const { bench: core, stage: path } = bench
  const startMs = core.nowMs()
  core.frozenMs = startMs
  const asked = (type: TypeName = 'A') => inquire(core, host, type)
  const { key } = asked()
  const { router, cache, own } = core
  cache.put({
    key: key.text(),
    hash: key.nameHash,
    image: response,
    scan: scanned(response),
    isDenial,
    deniesFamily: isDenial,
    lifetimeSeconds,
    route: router.route(key.name, key.nameBytes),
    routeGeneration: router.generation,
    nowMs: startMs,
  })
  const stage = new CachedStage({ cache, own, search: { path } })
  return { core, path, stage, asked, startMs }
}

const service = { response: responseTo(host, 'A', { answers: [aRecord(host, '10.96.0.9', 5)] }) }
const absence = { response: responseTo(host, 'A', { rcode: 3, authorities: [clusterSoa()] }) }

test('an answer that came between the halves of a denied pair does not overtake the denial', () => {
  const { core, path, stage, asked, startMs } = withSearch({
    ...service,
    lifetimeSeconds: 5,
    isDenial: false,
  })
  assert.ok(foretold(core.cache, stage, asked()), 'nobody was denied')
  path?.family.pairs.note(asked('AAAA').member(), startMs + 5000, startMs)
  assert.is(foretold(core.cache, stage, asked()), undefined)
  core.frozenMs = startMs + pairMs - 1
  assert.is(foretold(core.cache, stage, asked()), undefined)
  core.frozenMs = startMs + pairMs
  assert.ok(foretold(core.cache, stage, asked()), 'the pair is over')
})

test('the same question again, answered from the cache, ends the look-up that was denied', () => {
  const { path, stage, asked, startMs } = withSearch({
    ...service,
    lifetimeSeconds: 5,
    isDenial: false,
  })
  path?.family.pairs.note(asked().member(), startMs + 5000, startMs)
  committed(stage, asked())
  assert.is(path?.family.pairs.holds(asked('AAAA').member(), startMs), false)
})

test("a cached denial of A is the other half's as well", () => {
  const { path, stage, asked, startMs } = withSearch({
    ...absence,
    lifetimeSeconds: 5,
    isDenial: true,
  })
  assert.is(path?.family.pairs.holds(asked('AAAA').member(), startMs), false)
  committed(stage, asked())
  assert.is(path?.family.pairs.holds(asked('AAAA').member(), startMs), true)
})

test('a denial that the search path would give without asking is not refreshed', () => {
  const { core, stage, asked, startMs } = withSearch({
    ...absence,
    lifetimeSeconds: 2,
    isDenial: true,
  })
  core.frozenMs = startMs + 1999
  for (let i = 0; i < 3; i++) committed(stage, asked())
  assert.is(core.own.isEmpty, true)
})

test('a denial that only CoreDNS can give is refreshed', () => {
  const { core, asked, startMs } = withSearch({ ...absence, lifetimeSeconds: 2, isDenial: true })
  const stage = new CachedStage({ ...core, search: noSearch })
  core.frozenMs = startMs + 1999
  for (let i = 0; i < 3; i++) committed(stage, asked())
  assert.is(core.own.take().length, 1)
})

test.run()
