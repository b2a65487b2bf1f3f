/*
 * Goal: a joined answer is whole, kept as long as its shortest part and under its question; failures, and data of others, count as decided.
 * Method: crossings and tails put together by hand; what clients would get is read by the tests' own decoder.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Crossing } from '../../src/core/alias-crossing.ts'
import type { Settlement } from '../../src/core/decision.ts'
import { ReplySource } from '../../src/core/facts.ts'
import { Joiner } from '../../src/core/joining.ts'
import { name } from '../fixtures/packets/octets.ts'
import { readMessage } from '../support/client/dns-message.ts'
import { aRecord, Core, cnameRecord, record, responseTo, soaRecord, zones } from './support.ts'

const test = suite('core/joining')

const alias = 'db.shop.svc.cluster.local'
const target = 'db.example'
const headImage = responseTo(alias, 'A', { answers: [cnameRecord(alias, target, 30)] })
const whole = responseTo(alias, 'A', {
  answers: [cnameRecord(alias, target, 30), aRecord(target, '192.0.2.66', 30)],
})
const found = responseTo(target, 'A', { answers: [aRecord(target, '192.0.2.1', 20)] })
const silence: Settlement = { image: undefined, rcode: 2, source: ReplySource.failed, ede: 22 }

class Bench {
  readonly core = new Core()
  readonly joiner = new Joiner(this.core)

  join(tail: Settlement, head: Partial<Crossing['head']> = {}): Settlement {
    const { ticket } = this.core.ask(alias)
    if (ticket === undefined) throw new Error('not asked')
    const owner = this.core.router.route(name(target), name(target).length)
    const leadsTo = name(target).toString('latin1')
    const crossing = {
      ticket,
      head: { leadsTo, image: headImage, whole: undefined, ...head },
      owner,
    }
    const settlement = this.joiner.join(crossing, tail, this.core.nowMs)
    this.core.inFlight.close(ticket)
    return settlement
  }
}

function known(image: Buffer, lifetimeSeconds: number, isDenial = false): Settlement {
  const rcode = image.readUInt8(3) & 0x0f
  return {
    image,
    rcode,
    source: ReplySource.upstream,
    ede: -1,
    kept: { lifetimeSeconds, isDenial },
  }
}

function lines({ image }: Settlement): string[] {
  if (image === undefined) return ['no image']
  return readMessage(image).answers.map(({ name: owner, data }) => `${owner} ${data}`)
}

const joined = [`${alias}. ${target}.`, `${target}. 192.0.2.1`]

test('the alias and the owner’s records are one answer, kept as long as its shortest part', () => {
  const bench = new Bench()
  const settlement = bench.join(known(found, 12))
  assert.equal([lines(settlement), settlement.rcode], [joined, 0])
  assert.equal(settlement.kept, { lifetimeSeconds: 12, isDenial: false })
  const again = bench.core.ask(alias)
  assert.equal([again.source, again.reply?.answers.length], [ReplySource.cacheSuccess, 2])
  assert.ok(bench.core.ask(target).starts, 'under its question alone')
  bench.core.later(13)
  assert.is(bench.core.ask(alias).reply, undefined)
  assert.is(new Bench().join(known(found, 99)).kept?.lifetimeSeconds, 20, 'the records’ TTLs count')
})

test('the owner’s denial denies the alias, for as long as it may', () => {
  const bench = new Bench()
  const denial = responseTo(target, 'A', { rcode: 3, authorities: [soaRecord('example', 9)] })
  const settlement = bench.join(known(denial, 9, true), { whole })
  assert.equal([settlement.rcode, lines(settlement)], [3, [`${alias}. ${target}.`]])
  assert.equal(
    bench.core.ask(alias).reply?.authorities.map(({ name: owner }) => owner),
    ['example.'],
  )
  assert.is(bench.core.ask(alias).source, ReplySource.cacheDenial)
  assert.is(settlement.kept?.lifetimeSeconds, 5, 'a denial of a cluster name')
  const reply = bench.core.ask(alias).reply
  assert.ok([...(reply?.answers ?? []), ...(reply?.authorities ?? [])].every(({ ttl }) => ttl <= 5))
})

test('what may not be kept is given once, and an expired answer is told as such', () => {
  for (const source of [ReplySource.upstream, ReplySource.stale]) {
    const bench = new Bench()
    const settlement = bench.join({ image: found, rcode: 0, source, ede: 3 })
    assert.equal(
      [lines(settlement), settlement.source, settlement.kept],
      [joined, source, undefined],
    )
    assert.ok(bench.core.ask(alias).starts)
  }
})

test('a failure of the owner is the failure of the whole, remembered until the owner’s group answers', () => {
  const bench = new Bench()
  const { rcode, image, ede } = bench.join(silence)
  assert.equal([rcode, image, ede], [2, undefined, 22])
  assert.is(bench.core.ask(alias).source, ReplySource.failureCache)
  bench.core.failures.groupRecovered('external')
  assert.ok(bench.core.ask(alias).starts)
})

test('data of the first server is taken when the resolvers outside fail, until they are asked again', () => {
  for (const source of [ReplySource.failed, ReplySource.failureCache, ReplySource.overloaded]) {
    const bench = new Bench()
    const settlement = bench.join({ ...silence, source }, { whole: Buffer.from(whole) })
    assert.equal(lines(settlement).at(-1), `${target}. 192.0.2.66`)
    const ttls = settlement.image && readMessage(settlement.image).answers.map(({ ttl }) => ttl)
    assert.equal([ttls, settlement.kept?.lifetimeSeconds], [[5, 5], 5])
    assert.is(bench.core.ask(alias).reply?.answers.length, 2)
    bench.core.later(6)
    assert.is(bench.core.ask(alias).reply, undefined)
  }
})

test('an expired answer is better than a failure', () => {
  const bench = new Bench()
  bench.join(known(found, 12))
  bench.core.later(60)
  const { source, ede } = bench.join(silence)
  assert.equal([source, ede], [ReplySource.stale, 3])
})

test('a refusal made from the configuration is a word, not a failure', () => {
  const bench = new Bench()
  const refusal = { image: undefined, rcode: 5, source: ReplySource.local, ede: 20 }
  assert.equal(bench.join(refusal, { whole }), { ...refusal, isAnswered: true })
  assert.ok(bench.core.ask(alias).starts, 'nothing is remembered')
})

test('half an answer of the owner is told as such, and not kept', () => {
  const half = Buffer.from(found)
  half.writeUInt8(half.readUInt8(2) | 0x02, 2)
  const bench = new Bench()
  const { image, kept } = bench.join({
    image: half,
    rcode: 0,
    source: ReplySource.upstream,
    ede: -1,
  })
  assert.equal([image && readMessage(image).tc, kept], [true, undefined])
})

test('what is too long as a whole is not sent in part', () => {
  // Texts of 97 bytes and their lengths.
  const txt = (of: string) => record(of, 16, Buffer.alloc(98 * 400, 97))
  const image = responseTo(alias, 'A', { answers: [cnameRecord(alias, target), txt(alias)] })
  const { rcode, image: none } = new Bench().join(
    known(responseTo(target, 'A', { answers: [txt(target)] }), 5),
    { image },
  )
  assert.equal([rcode, none], [2, undefined])
})

test('nothing is kept that was asked under other zones', () => {
  const bench = new Bench()
  const { ticket } = bench.core.ask(alias)
  if (ticket === undefined) throw new Error('not asked')
  bench.core.router.replace(zones)
  const head = { leadsTo: name(target).toString('latin1'), image: headImage, whole: undefined }
  const settlement = bench.joiner.join(
    { ticket, head, owner: undefined },
    known(found, 12),
    bench.core.nowMs,
  )
  assert.equal([lines(settlement), settlement.kept], [joined, undefined])
  bench.core.inFlight.close(ticket)
  assert.ok(bench.core.ask(alias).starts)
})

test('when zones have changed, a joined answer is asked for anew, another is not', () => {
  const bench = new Bench()
  bench.join(known(found, 12))
  bench.core.learn('www.example', 'A', { answers: [aRecord('www.example', '192.0.2.3', 20)] })
  bench.core.router.replace(zones)
  assert.ok(bench.core.ask(alias).starts)
  assert.is(bench.core.ask('www.example').reply?.answers.length, 1)
})

test.run()
