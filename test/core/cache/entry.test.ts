/*
 * Goal: an entry is fresh, due and stale when it should be, and its TTLs are those of now, whatever was read of it before. Method: given
 * times at each boundary; then random reads, stale ones among them, of records whose TTLs the test counts itself.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CacheEntry,
  type CacheSettings,
  entryOverheadBytes,
  type StoredAnswer,
} from '../../../src/core/cache/entry.ts'
import { CacheMemory } from '../../../src/core/cache/memory.ts'
import { header, name, octets, question } from '../../fixtures/packets/octets.ts'
import { readMessage } from '../../support/client/dns-message.ts'
import { aRecord, cacheSettings, scanned, soaRecord, ttls, zoneRoute } from '../support.ts'

const test = suite('core/cache/entry')

const at = 1_000_000
const external = { ...zoneRoute('.'), zoneIndex: 2, zoneLabels: 0 }
const cluster = { ...zoneRoute('cluster.local.', { isCluster: true }), zoneIndex: 0, zoneLabels: 0 }

/** As the cache keeps it: without OPT. */
function imageOf(records: readonly Uint8Array[], { rcode = 0, authorities = 0 } = {}): Buffer {
  const counts = [1, records.length - authorities, authorities, 0] as const
  return octets(
    header({ flags: 0x8180 | rcode, counts }),
    question(name('www.example'), 1),
    records,
  )
}

const a = (ttl: number) => aRecord('www.example', '192.0.2.1', ttl)
const nodata = imageOf([soaRecord('example', 5)], { authorities: 1 })
const nxdomain = imageOf([soaRecord('example', 5)], { rcode: 3, authorities: 1 })

interface Making {
  readonly image?: Buffer
  readonly stored?: Partial<StoredAnswer>
  readonly settings?: Partial<CacheSettings>
}

function storedAnswer(image: Buffer, changes: Partial<StoredAnswer> = {}): StoredAnswer {
  return {
    key: `${name('www.example').toString('latin1')}\0\x01\0\x01\0`,
    hash: 7,
    image,
    scan: scanned(image),
    isDenial: false,
    lifetimeSeconds: 300,
    route: external,
    routeGeneration: 1,
    nowMs: at,
    ...changes,
  }
}

function entryOf({ image = imageOf([a(300)]), stored, settings }: Making = {}): CacheEntry {
  const entry = new CacheEntry(storedAnswer(image, stored), { ...cacheSettings, ...settings })
  entry.settle(new CacheMemory())
  return entry
}

const ttlsAt = (entry: CacheEntry, nowMs: number) => ttls(readMessage(entry.aged(nowMs)))

test('it is fresh for its lifetime, to the millisecond', () => {
  const entry = entryOf()
  assert.equal([entry.storedMs, entry.expiresMs], [at, at + 300_000])
  assert.is(entry.isFresh(at + 299_999), true)
  assert.is(entry.isFresh(at + 300_000), false)
})

test('it is stored at a whole millisecond', () => {
  const entry = entryOf({ stored: { nowMs: at + 0.9, lifetimeSeconds: 4.75 } })
  assert.equal([entry.storedMs, entry.expiresMs], [at, at + 4750])
})

for (const [seconds, beforeEndMs] of [
  [300, 30_000],
  [20, 2000],
  [10, 1000],
  [5, 1000],
  [1, 1000],
] as const) {
  test(`a refresh of ${seconds} s is due ${beforeEndMs} ms before the end`, () => {
    const entry = entryOf({ stored: { lifetimeSeconds: seconds } })
    assert.is(entry.expiresMs - entry.refreshAtMs, beforeEndMs)
    assert.is(entry.isRefreshSpent, false)
  })
}

test('without prefetch no refresh is ever due', () => {
  const entry = entryOf({ settings: { prefetch: { hitsMin: 0, remainingPercent: 10 } } })
  assert.is(entry.isRefreshSpent, true)
})

const stale = cacheSettings.serveStale
const staleCases = [
  ['an answer', external, undefined, true, 3600],
  ["the cluster's answer", cluster, undefined, true, 3600],
  ['NODATA', external, nodata, true, 3600],
  ['NODATA without SOA', external, imageOf([]), true, 3600],
  ['NXDOMAIN', external, nxdomain, true, 3600],
  ['NXDOMAIN without SOA', external, imageOf([], { rcode: 3 }), true, 0],
  ["the cluster's NODATA", cluster, nodata, true, 3600],
  ["the cluster's NXDOMAIN", cluster, nxdomain, true, 0],
  ['an answer, serve-stale being off,', external, undefined, false, 0],
] as const

for (const [what, route, image, enabled, seconds] of staleCases) {
  test(`${what} may be given ${seconds} s past its time`, () => {
    const settings = { serveStale: { ...stale, enabled } }
    const isDenial = image !== undefined
    const entry = entryOf({
      image: image ?? imageOf([a(300)]),
      stored: { route, isDenial },
      settings,
    })
    assert.is(entry.staleUntilMs, entry.expiresMs + seconds * 1000)
    assert.is(entry.isUsableStale(entry.staleUntilMs - 1), true)
    assert.is(entry.isUsableStale(entry.staleUntilMs), false)
  })
}

test('what it says of itself', () => {
  const entry = entryOf({ image: nxdomain, stored: { isDenial: true, deniesFamily: true } })
  assert.equal([entry.rcode, entry.isDenial, entry.deniesFamily], [3, true, true])
  assert.is(entry.name, name('www.example').toString('latin1'))
  assert.is(entry.bytes, nxdomain.length + entryOverheadBytes)
  assert.is(entryOf().deniesFamily, false)
  assert.is(entryOf({ image: imageOf([a(1)], { rcode: 9 }) }).rcode, 9)
  assert.equal([entryOf().rcode, entryOf().hits, entryOf().recheckAtMs], [0, 0, 0])
})

test('TTLs count down by whole seconds, each record its own, and end at 0', () => {
  const entry = entryOf({ image: imageOf([a(300), a(60), a(2)]) })
  assert.equal(ttlsAt(entry, at + 999), [300, 60, 2])
  assert.equal(ttlsAt(entry, at + 1000), [299, 59, 1])
  assert.equal(ttlsAt(entry, at + 61_000), [239, 0, 0])
})

test('the image is a copy: what it was made from may change', () => {
  const image = imageOf([a(300)])
  const before = Buffer.from(image)
  const entry = entryOf({ image })
  image.fill(0)
  assert.equal(entry.aged(at), before)
})

test('a stale answer says one TTL in all records', () => {
  const entry = entryOf({ image: imageOf([a(300), a(60)]) })
  assert.equal(ttls(readMessage(entry.stale(30))), [30, 30])
})

test('a stale denial promises no more than the fresh one did', () => {
  const entryWith = (isDenial: boolean) =>
    entryOf({ image: imageOf([a(9), a(5)]), stored: { isDenial, lifetimeSeconds: 5 } })
  for (const [told, isDenial, wanted] of [
    [30, true, 5],
    [2, true, 2],
    [0, true, 0],
    [30, false, 30],
  ] as const)
    assert.equal(ttls(readMessage(entryWith(isDenial).stale(told))), [wanted, wanted])
})

test('what was given as stale before its time is fresh again with what is left to the shortest record', () => {
  const entry = entryOf({ image: imageOf([a(300), a(60)]), stored: { lifetimeSeconds: 60 } })
  entry.stale(30)
  assert.equal(ttlsAt(entry, at + 10_000), [50, 50])
  assert.equal(ttlsAt(entry, at + 11_500), [49, 49])
  assert.equal(ttlsAt(entry, at + 60_000), [0, 0])
})

test('a clock of another process that is behind makes no TTL larger than what is left', () => {
  const entry = entryOf({ image: imageOf([a(300)]) })
  assert.equal(ttlsAt(entry, at + 10_000), [290])
  assert.equal(ttlsAt(entry, at + 5000), [295])
  const short = entryOf({ image: imageOf([a(300), a(2)]), stored: { lifetimeSeconds: 2 } })
  assert.equal(ttlsAt(short, at + 10_000), [290, 0])
  assert.equal(ttlsAt(short, at + 5000), [0, 0])
})

test('what another process had is not aged twice', () => {
  const entry = entryOf({ image: imageOf([a(290)]), stored: { nowMs: at - 10_000 } })
  entry.restored(5, at)
  assert.is(entry.hits, 5)
  assert.equal(ttlsAt(entry, at), [290])
  assert.equal(ttlsAt(entry, at + 1000), [289])
})

test('a newer answer of the same length takes the place of the old one', () => {
  const entry = entryOf({ image: imageOf([a(300), a(300)]) })
  entry.hits = 9
  entry.recheckAtMs = at + 5
  entry.isRefreshSpent = true
  entry.aged(at + 200_000)
  const image = octets(imageOf([aRecord('www.example', '192.0.2.9', 60), a(90)]))
  const newer = storedAnswer(image, {
    nowMs: at + 200_000,
    lifetimeSeconds: 60,
    route: cluster,
    routeGeneration: 2,
  })
  assert.is(entry.renew(newer, cacheSettings), true)
  assert.equal(entry.aged(at + 200_000), image)
  assert.equal(ttlsAt(entry, at + 201_000), [59, 89])
  const { storedMs, expiresMs, hits, recheckAtMs, isRefreshSpent, route, routeGeneration } = entry
  assert.equal([storedMs, expiresMs], [at + 200_000, at + 260_000])
  assert.equal([hits, recheckAtMs, isRefreshSpent, routeGeneration], [0, 0, false, 2])
  assert.is(route, cluster)
})

test('a newer answer of another length, or a denial after an answer, needs an entry of its own', () => {
  const entry = entryOf()
  const before = Buffer.from(entry.aged(at))
  const longer = imageOf([a(60), a(60)])
  assert.is(entry.renew(storedAnswer(longer, { nowMs: at + 1 }), cacheSettings), false)
  const same = imageOf([a(60)])
  assert.is(
    entry.renew(storedAnswer(same, { isDenial: true, nowMs: at + 1 }), cacheSettings),
    false,
  )
  assert.equal(entry.aged(at), before)
  assert.is(entry.storedMs, at)
})

test('an entry goes from memory to memory with its octets and its age', () => {
  const entry = entryOf()
  entry.aged(at + 10_000)
  const memory = new CacheMemory()
  memory.keep(Buffer.alloc(11, 0xff), 0, 11)
  entry.settle(memory)
  entry.settle(new CacheMemory())
  assert.equal(ttlsAt(entry, at + 10_000), [290])
  assert.equal(ttlsAt(entry, at + 11_000), [289])
})

const reads = fc.array(fc.record({ afterMs: fc.nat(8000), isStale: fc.boolean() }), {
  minLength: 1,
  maxLength: 30,
})

test('whenever and however it is read, no TTL is longer than what is left of its record, and none wraps', () => {
  fc.assert(
    fc.property(
      reads,
      fc.array(fc.integer({ min: 30, max: 200 }), { minLength: 1, maxLength: 5 }),
      (all, recordTtls) => {
        const lifetimeSeconds = Math.min(...recordTtls)
        const entry = entryOf({ image: imageOf(recordTtls.map(a)), stored: { lifetimeSeconds } })
        let nowMs = at
        let wasStale = false
        for (const { afterMs, isStale } of all) {
          nowMs += afterMs
          const elapsed = Math.floor((nowMs - at) / 1000)
          wasStale ||= isStale
          if (isStale) {
            assert.equal(new Set(ttls(readMessage(entry.stale(30)))), new Set([30]))
            continue
          }
          const exact = recordTtls.map((ttl) => Math.max(0, ttl - elapsed))
          const told = ttlsAt(entry, nowMs)
          if (wasStale) assert.ok(told.every((ttl, i) => ttl <= (exact[i] ?? 0)))
          else assert.equal(told, exact)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test.run()
