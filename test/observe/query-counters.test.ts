/**
 * Goal: every reply is counted once in each family, and nothing a client sends can make the arrays grow or write
 * elsewhere. Method: single facts, then random ones against plain maps.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dropReasons, type ReplyFacts, ReplySource } from '../../src/core/facts.ts'
import { countedTypes, QueryCounters, sizeSlots } from '../../src/observe/query-counters.ts'

const test = suite('observe/query-counters')

const plain: ReplyFacts = {
  serverIndex: 0,
  zoneIndex: 0,
  transport: 0,
  family: 4,
  qtype: 1,
  rcode: 0,
  source: ReplySource.cacheSuccess,
  queryBytes: 60,
  replyBytes: 120,
  dnssecOk: false,
  tookMs: 0.02,
}
const twoByTwo = () => new QueryCounters(['dns://127.0.0.1:53', 'dns://[::1]:53'], ['.', 'a.'])
const sumOf = (slots: Float64Array) => slots.reduce((sum, slot) => sum + slot, 0)

test('a reply is counted under its server, zone, transport, family and type', () => {
  const counters = twoByTwo()
  counters.replied({ ...plain, serverIndex: 1, zoneIndex: 1, transport: 1, family: 6, qtype: 28 })
  assert.is(counters.requestsAt(counters.pairIndex(1, 1), 1, 1, 1), 1)
  assert.is(sumOf(counters.requests), 1)
})

test('replies of the kernel are counted as ours are, but for how long they took', () => {
  const [one, other] = [twoByTwo(), twoByTwo()]
  for (let i = 0; i < 5; i++) one.replied(plain)
  other.repliedElsewhere(plain, 5)
  assert.equal(other.requests, one.requests)
  assert.equal(other.responses, one.responses)
  assert.equal(other.querySizes, one.querySizes)
  assert.equal(other.replySizes, one.replySizes)
  assert.is(sumOf(other.durations), 0)
})

test('a query that could not be read belongs to the zone "dropped"', () => {
  const counters = twoByTwo()
  counters.replied({ ...plain, zoneIndex: -1, source: ReplySource.local, rcode: 1 })
  const pair = counters.pairIndex(0, counters.zones.indexOf('dropped'))
  assert.is(counters.repliesWith(pair, [ReplySource.local], 1), 1)
})

test('types outside the list, rcodes above 23 and all their octets fall into one slot each', () => {
  const counters = twoByTwo()
  for (const qtype of [0, 3, 64, 254, 256, 257, 65535]) counters.replied({ ...plain, qtype })
  for (const rcode of [24, 255, 4095]) counters.replied({ ...plain, rcode })
  assert.is(counters.requestsAt(0, 0, 0, countedTypes.length), 7)
  assert.is(counters.repliesWith(0, [ReplySource.cacheSuccess], 24), 3)
})

test('each named type has a slot of its own', () => {
  const counters = twoByTwo()
  for (const [qtype] of countedTypes) counters.replied({ ...plain, qtype })
  for (const slot of countedTypes.keys()) assert.is(counters.requestsAt(0, 0, 0, slot), 1)
  assert.is(counters.requestsAt(0, 0, 0, countedTypes.length), 0)
})

test('sizes on a bound belong to it, larger ones to the next, and the sum is kept', () => {
  const counters = twoByTwo()
  for (const replyBytes of [0, 100, 101, 65_535]) counters.replied({ ...plain, replyBytes })
  const own = counters.replySizes.subarray(0, sizeSlots)
  assert.equal([own[0], own[1], own[2], own[14], own[15]], [1, 1, 1, 1, 65_736])
  assert.is(sumOf(counters.replySizes), sumOf(own))
})

test('every drop reason has a counter of its own', () => {
  const counters = twoByTwo()
  for (const reason of dropReasons) counters.dropped(1, reason)
  assert.equal([...counters.drops], [...dropReasons.map(() => 0), ...dropReasons.map(() => 1)])
})

test('100,000 random replies add up in every family, in memory that does not grow', () => {
  const counters = twoByTwo()
  const lengths = () => [counters.requests.length, counters.responses.length]
  const before = lengths()
  const bySource = new Map<number, number>()
  // A linear congruential generator: the same facts in each run.
  let state = 1
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state % below
  }
  for (let i = 0; i < 100_000; i++) {
    const source = random(10) as ReplyFacts['source']
    bySource.set(source, (bySource.get(source) ?? 0) + 1)
    counters.replied({
      serverIndex: random(2),
      zoneIndex: random(3) - 1,
      transport: random(2),
      family: random(2) === 0 ? 4 : 6,
      qtype: random(65_536),
      rcode: random(4096),
      source,
      queryBytes: random(65_536),
      replyBytes: random(65_536),
      dnssecOk: random(2) === 1,
      tookMs: random(20_000),
    })
  }
  assert.is(sumOf(counters.requests), 100_000)
  assert.is(sumOf(counters.responses), 100_000)
  for (const [source, count] of bySource) {
    let found = 0
    for (const server of [0, 1]) {
      for (const zone of [-1, 0, 1]) {
        found += counters.repliesFrom(server, zone, source as ReplyFacts['source'])
      }
    }
    assert.is(found, count, `source ${source}`)
  }
  assert.equal(lengths(), before)
})

test('a new configuration keeps the counts of what stayed', () => {
  const older = twoByTwo()
  older.replied({ ...plain, serverIndex: 1, zoneIndex: 1, dnssecOk: true })
  older.dropped(1, 'short')
  const newer = new QueryCounters(['dns://[::1]:53'], ['b.', 'a.', '.'])
  newer.absorb(older)
  assert.is(newer.requestsAt(newer.pairIndex(0, 1), 0, 0, 0), 1)
  assert.is(newer.dnssecOk[newer.pairIndex(0, 1)], 1)
  assert.is(sumOf(newer.requests), 1)
  assert.is(newer.drops[dropReasons.indexOf('short')], 1)
})

test.run()
