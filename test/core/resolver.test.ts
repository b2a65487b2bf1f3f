/*
 * Goal: what each question gets at once, and what it waits for. Method: whole scenarios on the core with a clock that the test
 * turns; each name says one sentence of what is promised.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../src/core/facts.ts'
import { Ede } from '../../src/wire/constants.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import {
  aRecord,
  Core,
  data,
  mxData,
  record,
  responseTo,
  soaRecord,
  ttls,
  zoneRoute,
  zones,
} from './support.ts'

const test = suite('core/resolver')

const www = 'www.shop.example'
const address = (last = 1, ttl = 300) => aRecord(www, `10.0.0.${last}`, ttl)
const changedTo = (last: number) => responseTo(www, 'A', { answers: [address(last, 100)] })
const ipv6 = Buffer.alloc(16, 1)
const nxdomain = () => responseTo(www, 'A', { rcode: 3, authorities: [soaRecord('example', 60)] })

test('a question that nobody asked before goes upstream, the same one meanwhile joins it', () => {
  const core = new Core()
  const first = core.ask(www)
  assert.equal([first.reply, first.starts], [undefined, true])
  const second = core.ask('WWW.shop.EXAMPLE', 'A', { ednsBytes: 4096, id: 7 })
  assert.is(second.ticket, first.ticket)
  assert.not(second.starts)
})

test('another type, DO or CD is another question', () => {
  const core = new Core()
  const tickets = [
    core.ask(www),
    core.ask(www, 'AAAA'),
    core.ask(www, 'A', { do: true }),
    core.ask(www, 'A', { cd: true }),
  ].map(({ ticket }) => ticket)
  assert.is(new Set(tickets).size, 4)
})

test('an answer with CD is not given to a client without (CVE-2024-0874)', () => {
  const core = new Core()
  const { ticket } = core.ask(www, 'A', { cd: true, do: true })
  core.answer(ticket, responseTo(www, 'A', { answers: [address()] }))
  assert.ok(core.ask(www).starts)
  assert.ok(core.ask(www, 'A', { do: true }).starts)
})

test('the upstream query has the lower-cased name, RD, our OPT and the group of the longest zone', () => {
  const core = new Core()
  const { ticket } = core.ask('Api.Shop.SVC.cluster.local', 'A', { cd: true, do: true })
  assert.is(ticket?.group, 'cluster')
  const frame = ticket?.frame ?? Buffer.alloc(0)
  const question = new Question()
  readQuestion(frame, frame.length, question)
  assert.ok(frame.includes('svc'))
  assert.equal(
    [question.checkingDisabled, question.dnssecOk, question.udpBytes],
    [true, true, 1232],
  )
  assert.is(core.ask('a.corp.example').ticket?.group, 'corp')
  assert.is(core.ask('a.example').ticket?.group, 'external')
})

test('what was learned is answered from memory, aged, without asking', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address()] })
  core.later(12.5)
  const { reply, source, ticket } = core.ask(www)
  assert.equal([data(reply), ttls(reply)], [['10.0.0.1'], [288]])
  assert.equal([source, ticket], [ReplySource.cacheSuccess, undefined])
})

test('after its TTL it is asked again', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(19.999)
  assert.ok(core.ask(www).reply !== undefined)
  core.later(0.001)
  assert.ok(core.ask(www).starts)
})

test('TTL 0 answers those who wait and nobody later', () => {
  const core = new Core()
  const settled = core.learn(www, 'A', { answers: [address(1, 0)] })
  assert.equal([data(settled.reply), ttls(settled.reply)], [['10.0.0.1'], [0]])
  assert.ok(core.ask(www).starts)
})

test('a TTL with the top bit set counts as 0', () => {
  const core = new Core()
  const settled = core.learn(www, 'A', { answers: [address(1, 0x8000_0005)] })
  assert.equal(ttls(settled.reply), [0])
  assert.ok(core.ask(www).starts)
})

test('a TTL above the limit of the zone is cut to it', () => {
  const core = new Core()
  assert.equal(ttls(core.learn(www, 'A', { answers: [address(1, 0x7fff_ffff)] }).reply), [300])
  const name = 'api.shop.svc.cluster.local'
  const settled = core.learn(name, 'A', { answers: [aRecord(name, '10.0.0.1', 3600)] })
  assert.equal(ttls(settled.reply), [30])
})

const everyType = ['A', 'AAAA', 'TXT', 'HTTPS', 'MX', 'ANY'] as const

for (const denied of everyType) {
  test(`NXDOMAIN to ${denied} is about ${denied} alone, outside the cluster as well`, () => {
    const core = new Core()
    core.learn(www, denied, { rcode: 3, authorities: [soaRecord('example', 60)] })
    core.later(10)
    const { reply, source } = core.ask(www, denied)
    assert.equal([reply?.rcode, source, ttls(reply)], [3, ReplySource.cacheDenial, [50]])
    for (const type of everyType) assert.is(core.ask(www, type).starts, type !== denied, type)
  })
}

test('NXDOMAIN to a question with DO or CD says nothing to one without, nor the other way round', () => {
  const forms = [{}, { do: true }, { cd: true }] as const
  for (const denied of forms) {
    const core = new Core()
    const { ticket } = core.ask(www, 'A', denied)
    core.answer(ticket, nxdomain())
    for (const form of forms) assert.is(core.ask(www, 'A', form).starts, form !== denied)
  }
})

test('data of another type that is in the cache stays there beside an NXDOMAIN, whichever came first', () => {
  for (const order of [
    ['A', 'AAAA'],
    ['AAAA', 'A'],
  ] as const) {
    const core = new Core()
    for (const type of order) {
      const denial = { rcode: 3, authorities: [soaRecord('example', 60)] }
      core.learn(www, type, type === 'A' ? denial : { answers: [record(www, 'AAAA', ipv6)] })
    }
    assert.is(core.ask(www).reply?.rcode, 3)
    assert.is(core.ask(www, 'AAAA').reply?.answers.length, 1)
    // Fresh or expired: when upstreams fail, each type is told its own.
    core.later(400)
    assert.is(core.fail(core.ask(www).ticket).reply.rcode, 3)
    assert.is(core.fail(core.ask(www, 'AAAA').ticket).reply.answers.length, 1)
  }
})

test('in the cluster NXDOMAIN is about the type that was asked', () => {
  const core = new Core()
  const name = 'svc.cluster.local'
  core.learn(name, 'A', { rcode: 3, authorities: [soaRecord('cluster.local', 30)] })
  assert.is(core.ask(name, 'A').reply?.rcode, 3)
  assert.ok(core.ask(name, 'TXT').starts)
})

test('NODATA is about the type that was asked', () => {
  const core = new Core()
  core.learn(www, 'AAAA', { authorities: [soaRecord('example', 60)] })
  const { reply, source } = core.ask(www, 'AAAA')
  assert.equal([reply?.rcode, reply?.answers.length, source], [0, 0, ReplySource.cacheDenial])
  assert.ok(core.ask(www).starts)
})

test('an NXDOMAIN of the parent does not deny what is below it', () => {
  // RFC 8020 would allow it; a parent that is denied wrongly would take a whole tree with it (CVE-2026-44687).
  const core = new Core()
  core.learn('shop.example', 'A', { rcode: 3, authorities: [soaRecord('example', 60)] })
  assert.ok(core.ask(www).starts)
})

test('RD=0 is answered from memory or refused, and nothing is asked for it', () => {
  const core = new Core()
  const refused = core.ask(www, 'A', { rd: false })
  assert.equal(
    [refused.reply?.rcode, refused.ticket, refused.source],
    [5, undefined, ReplySource.local],
  )
  core.learn(www, 'A', { answers: [address(1, 20)] })
  assert.equal(data(core.ask(www, 'A', { rd: false }).reply), ['10.0.0.1'])
  core.later(21)
  assert.is(core.ask(www, 'A', { rd: false }).reply?.rcode, 5)
})

test('a name in use is asked again before it expires, once, and nobody waits for it', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 100)] })
  core.ask(www)
  core.later(91)
  const refresh = core.ask(www)
  assert.equal([data(refresh.reply), refresh.starts], [['10.0.0.1'], true])
  assert.is(core.ask(www).ticket, undefined)
  core.answer(refresh.ticket, changedTo(2))
  const { reply } = core.ask(www)
  assert.equal([data(reply), ttls(reply)], [['10.0.0.2'], [100]])
  assert.is(core.cache.stats.prefetches, 1)
})

test('a refresh that fails leaves the answer in use until its end, then stale', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 100)] })
  core.ask(www)
  core.later(91)
  core.fail(core.ask(www).ticket)
  core.later(1)
  const { reply, source } = core.ask(www)
  assert.equal([data(reply), ttls(reply), source], [['10.0.0.1'], [8], ReplySource.cacheSuccess])
  core.later(10)
  const later = core.ask(www)
  assert.ok(later.starts && later.hasStale)
})

test('a refresh that brings NXDOMAIN ends the name at once', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 100)] })
  core.ask(www)
  core.later(91)
  const { ticket } = core.ask(www)
  core.answer(ticket, nxdomain())
  assert.is(core.ask(www).reply?.rcode, 3)
})

test('an expired answer is held back while upstreams are asked', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(21)
  const { reply, starts, hasStale, ticket } = core.ask(www)
  assert.equal([reply, starts, hasStale], [undefined, true, true])
  assert.equal(data(core.answer(ticket, changedTo(2)).reply), ['10.0.0.2'])
  assert.equal(data(core.ask(www).reply), ['10.0.0.2'])
})

test('when upstreams fail the expired answer is given with TTL 30 and an extended error', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(100)
  const settled = core.fail(core.ask(www).ticket)
  assert.equal([data(settled.reply), ttls(settled.reply)], [['10.0.0.1'], [30]])
  assert.equal([settled.source, settled.ede], [ReplySource.stale, Ede.staleAnswer])
})

test('for five seconds after a failure the expired answer is given at once, then upstreams are asked again', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(100)
  core.fail(core.ask(www).ticket)
  core.later(4.9)
  const { reply, source, ticket } = core.ask(www)
  assert.equal(
    [data(reply), ttls(reply), source, ticket],
    [['10.0.0.1'], [30], ReplySource.stale, undefined],
  )
  core.later(0.1)
  assert.ok(core.ask(www).starts)
})

test('a client that waits too long gets the expired answer, and so do those who come after', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(100)
  const { ticket } = core.ask(www)
  assert.ok(ticket !== undefined)
  const settlement = core.settler.clientTimeout(ticket, core.nowMs)
  assert.equal([settlement?.source, settlement?.ede], [ReplySource.stale, Ede.staleAnswer])
  assert.is(core.ask(www).source, ReplySource.stale)
  core.answer(ticket, changedTo(2))
  assert.equal(data(core.ask(www).reply), ['10.0.0.2'])
})

test('without an expired answer there is nothing to give to a client that waits too long', () => {
  const core = new Core()
  const { ticket, hasStale } = core.ask(www)
  assert.not(hasStale)
  assert.ok(ticket !== undefined)
  assert.is(core.settler.clientTimeout(ticket, core.nowMs), undefined)
})

test('an answer is not used when it expired longer ago than settings allow', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(20 + 3600)
  const { ticket, hasStale } = core.ask(www)
  assert.not(hasStale)
  assert.is(core.fail(ticket).reply.rcode, 2)
})

test('an expired denial of an external name is used, and says that it is old', () => {
  const core = new Core()
  core.learn(www, 'A', { rcode: 3, authorities: [soaRecord('example', 20)] })
  core.later(100)
  const settled = core.fail(core.ask(www).ticket)
  assert.equal(
    [settled.reply.rcode, settled.ede, ttls(settled.reply)],
    [3, Ede.staleNxdomain, [20]],
  )
})

test('when the cluster’s DNS is down, both types of a Service are answered: musl fails the pair for one SERVFAIL', () => {
  const core = new Core()
  const name = 'api.shop.svc.cluster.local'
  core.learn(name, 'A', { answers: [aRecord(name, '10.96.0.7', 30)] })
  core.learn(name, 'AAAA', { authorities: [soaRecord('cluster.local', 5)] })
  core.later(60)
  assert.equal(data(core.fail(core.ask(name).ticket).reply), ['10.96.0.7'])
  const settled = core.fail(core.ask(name, 'AAAA').ticket)
  assert.equal(
    [settled.reply.rcode, data(settled.reply), settled.ede, ttls(settled.reply)],
    [0, [], Ede.staleAnswer, [5]],
  )
})

test('an expired NXDOMAIN of a cluster name is never used', () => {
  const core = new Core()
  const name = 'new.shop.svc.cluster.local'
  core.learn(name, 'A', { rcode: 3, authorities: [soaRecord('cluster.local', 5)] })
  core.later(6)
  const { ticket, hasStale } = core.ask(name)
  assert.not(hasStale)
  assert.equal(
    [core.fail(ticket).reply.rcode, core.settler.clientTimeout(ticket ?? never(), core.nowMs)],
    [2, undefined],
  )
  assert.is(core.ask(name).reply?.rcode, 2)
})

function never(): never {
  throw new Error('nothing was asked')
}

test('an expired answer for a cluster name is used: its Service may well be there still', () => {
  const core = new Core()
  const name = 'api.shop.svc.cluster.local'
  core.learn(name, 'A', { answers: [aRecord(name, '10.96.0.7', 30)] })
  core.later(60)
  assert.equal(data(core.fail(core.ask(name).ticket).reply), ['10.96.0.7'])
})

test('a fresh NXDOMAIN replaces an expired answer for good', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.learn(www, 'AAAA', { answers: [], authorities: [soaRecord('example', 20)] })
  core.later(100)
  core.answer(core.ask(www).ticket, nxdomain())
  assert.is(core.ask(www).reply?.rcode, 3)
  core.later(3000)
  assert.is(core.fail(core.ask(www).ticket).reply.rcode, 3)
})

test('an expired answer is used for its own type, whatever was denied for another since', () => {
  const core = new Core()
  core.learn(www, 'MX', { answers: [record(www, 'MX', mxData(1, 'm.example'), 20)] })
  core.later(30)
  core.learn(www, 'A', { rcode: 3, authorities: [soaRecord('example', 20)] })
  core.later(30)
  assert.equal(data(core.fail(core.ask(www, 'MX').ticket).reply), ['1 m.example.'])
  assert.is(core.fail(core.ask(www).ticket).reply.rcode, 3)
  assert.is(core.fail(core.ask(www, 'AAAA').ticket).reply.rcode, 2, 'never asked')
})

test('an answer ends an expired NXDOMAIN of its own type', () => {
  const core = new Core()
  core.learn(www, 'A', { rcode: 3, authorities: [soaRecord('example', 20)] })
  core.later(21)
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(21)
  assert.equal(data(core.fail(core.ask(www).ticket).reply), ['10.0.0.1'])
})

test('an answer that may not be stored ends what was stored before', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(21)
  core.learn(www, 'A', { answers: [address(2, 0)] })
  const { ticket, hasStale } = core.ask(www)
  assert.not(hasStale, 'the address has changed since')
  assert.is(core.fail(ticket).reply.rcode, 2)
})

test('a failure is remembered for a second, with the code of the upstream', () => {
  const core = new Core()
  const settled = core.learn(www, 'A', { rcode: 5 })
  assert.equal([settled.reply.rcode, settled.source], [5, ReplySource.failed])
  core.later(0.9)
  const { reply, source, ede, ticket } = core.ask(www)
  assert.equal(
    [reply?.rcode, source, ede, ticket],
    [5, ReplySource.failureCache, Ede.cachedError, undefined],
  )
  core.later(0.1)
  assert.ok(core.ask(www).starts)
})

test('failures of a name grow to five seconds and end with an answer', () => {
  const core = new Core()
  const seconds: number[] = []
  for (let i = 0; i < 5; i++) {
    core.fail(core.ask(www).ticket)
    let lasted = 0
    while (core.ask(www).reply !== undefined) {
      core.later(1)
      lasted += 1
    }
    seconds.push(lasted)
    core.inFlight.close(core.ask(www).ticket ?? never())
  }
  assert.equal(seconds, [1, 2, 4, 5, 5])
  core.learn(www, 'A', { answers: [address(1, 1)] })
  core.later(4000)
  core.fail(core.ask(www).ticket)
  core.later(1)
  assert.ok(core.ask(www).starts)
})

test('SERVFAIL does not shadow an expired answer', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(21)
  const first = core.learn(www, 'A', { rcode: 2 })
  assert.equal([data(first.reply), first.source], [['10.0.0.1'], ReplySource.stale])
  core.later(1)
  assert.equal(data(core.ask(www).reply), ['10.0.0.1'])
  core.later(5)
  assert.ok(core.ask(www).hasStale)
})

test('a failure of one type says nothing about another', () => {
  const core = new Core()
  core.fail(core.ask(www).ticket)
  assert.ok(core.ask(www, 'AAAA').starts)
})

test('when the group is heard again its failures are forgotten', () => {
  const core = new Core()
  core.fail(core.ask(www).ticket)
  core.failures.groupRecovered('external')
  assert.ok(core.ask(www).starts)
})

test('limits of our own and a stop are not remembered as failures of the name', () => {
  for (const why of ['overloaded', 'shutdown'] as const) {
    const core = new Core()
    const settled = core.fail(core.ask(www).ticket, why)
    assert.equal([settled.reply.rcode, settled.source], [2, ReplySource.overloaded])
    assert.ok(core.ask(www).starts, why)
  }
})

test('when the table of questions is full the newest gets SERVFAIL at once, and it is counted', () => {
  const core = new Core({ inFlight: { questionsMax: 1 } })
  core.ask('a.example')
  const { reply, source, ticket, ede } = core.ask('c.example')
  assert.equal([reply?.rcode, source, ticket, ede], [2, ReplySource.overloaded, undefined, 0])
  assert.is(core.inFlight.stats.refused, 1)
  assert.not(core.ask('a.example').starts, 'who joins needs no room')
})

test('when the table is full an expired answer is better than SERVFAIL', () => {
  const core = new Core({ inFlight: { questionsMax: 1 } })
  core.learn(www, 'A', { answers: [address(1, 20)] })
  core.later(21)
  core.ask('a.example')
  const { reply, source } = core.ask(www)
  assert.equal([data(reply), source], [['10.0.0.1'], ReplySource.stale])
})

test('a full table holds refreshes back', () => {
  const core = new Core({ inFlight: { questionsMax: 1 } })
  core.learn(www, 'A', { answers: [address(1, 100)] })
  core.ask(www)
  core.ask('a.example')
  core.later(95)
  const { reply, ticket } = core.ask(www)
  assert.equal([data(reply), ticket], [['10.0.0.1'], undefined])
})

test('when a name gets another route its answer is dropped, those of other names stay', () => {
  const core = new Core()
  core.learn('db.example', 'A', { answers: [aRecord('db.example', '10.0.0.1')] })
  core.learn(www, 'A', { answers: [address()] })
  core.router.replace([...zones, zoneRoute('db.example.')])
  const moved = core.ask('db.example')
  assert.equal([moved.reply, moved.ticket?.group], [undefined, 'of db.example.'])
  assert.equal(data(core.ask(www).reply), ['10.0.0.1'])
})

test('a reload that changes nothing for a name keeps its answer, and its zone may move in the order', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [address()] })
  core.router.replace(zones.toReversed())
  const { reply, zoneIndex } = core.ask(www)
  assert.equal([data(reply), zoneIndex], [['10.0.0.1'], 0])
})

test('an answer that was asked for on an old route is not used on the new one', () => {
  const name = 'api.cluster.local'
  const core = new Core({ zones: [zoneRoute('.', { group: 'external' })] })
  const { ticket } = core.ask(name)
  // The cluster domain is configured while an outside resolver is being asked for one of its names.
  core.router.replace(zones)
  core.answer(ticket, responseTo(name, 'A', { answers: [aRecord(name, '6.6.6.6')] }))
  const { reply, ticket: next } = core.ask(name)
  assert.equal([reply, next?.group], [undefined, 'cluster'])
})

test('replies name the zone that they are counted under', () => {
  const core = new Core()
  assert.is(core.ask('a.svc.cluster.local').zoneIndex, 0)
  assert.is(core.ask('a.corp.example').zoneIndex, 1)
  assert.is(core.ask('a.example').zoneIndex, 2)
  assert.is(core.ask('b.example', 'A', { rd: false }).zoneIndex, -1)
})

test('names that mean something to JavaScript are names like others', () => {
  const core = new Core()
  for (const text of ['__proto__', 'constructor', 'toString', 'hasOwnProperty.example']) {
    assert.ok(core.ask(text).starts, text)
    core.inFlight.close(core.ask(text).ticket ?? never())
    core.learn(text, 'A', { answers: [aRecord(text, '10.0.0.9')] })
    assert.equal(data(core.ask(text).reply), ['10.0.0.9'])
  }
})

test.run()
