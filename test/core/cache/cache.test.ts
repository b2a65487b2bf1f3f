/** Goal: an entry is fresh, due for refresh or stale exactly when it should be, and what is looked up is the best that is known. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Cache } from '../../../src/core/cache/cache.ts'
import {
  CacheEntry,
  type CacheSettings,
  entryOverheadBytes,
  type StoredAnswer,
} from '../../../src/core/cache/entry.ts'
import type { Route } from '../../../src/core/router.ts'
import { readMessage } from '../../support/client/dns-message.ts'
import { aRecord, Core, cacheSettings, responseTo, scanned, ttlLimits, ttls } from '../support.ts'

const test = suite('core/cache/cache')

const startMs = 5_000_000

const external: Route = {
  zone: '.',
  zoneIndex: 0,
  zoneLabels: 0,
  group: 'external',
  ttl: ttlLimits,
  isCluster: false,
  mayRecurse: true,
  payloadBytes: 1232,
  trustAd: false,
}

interface Stored {
  readonly lifetimeSeconds?: number
  readonly isDenial?: boolean
  readonly address?: string
  readonly key?: string
  readonly nowMs?: number
  readonly records?: number
}

function answer({
  lifetimeSeconds = 100,
  isDenial = false,
  address = '10.0.0.1',
  key = 'k',
  nowMs = startMs,
  records = 1,
}: Stored) {
  const image = responseTo('www.example', 'A', {
    answers: Array.from({ length: records }, () =>
      aRecord('www.example', address, lifetimeSeconds),
    ),
  })
  return {
    key,
    hash: 1,
    image,
    scan: scanned(image),
    isDenial,
    lifetimeSeconds,
    route: external,
    routeGeneration: 1,
    nowMs,
  }
}

function entry(of: Stored = {}, changes: Partial<CacheSettings> = {}): CacheEntry {
  return new CacheEntry(answer(of), { ...cacheSettings, ...changes })
}

const at = (seconds: number) => startMs + seconds * 1000

test('an entry is fresh up to its last millisecond', () => {
  const stored = entry({ lifetimeSeconds: 30 })
  assert.ok(stored.isFresh(startMs))
  assert.ok(stored.isFresh(at(30) - 1))
  assert.not(stored.isFresh(at(30)))
})

test('TTLs go down by whole seconds and never below zero', () => {
  const stored = entry({ lifetimeSeconds: 30 })
  const seen = [0, 0.999, 1, 1.5, 29.9, 40].map(
    (seconds) => ttls(readMessage(stored.aged(at(seconds))))[0],
  )
  assert.equal(seen, [30, 30, 29, 29, 1, 0])
})

test('an entry is usable for as long after its expiry as settings say', () => {
  const stored = entry({ lifetimeSeconds: 30 })
  assert.ok(stored.isUsableStale(at(30 + 3600) - 1))
  assert.not(stored.isUsableStale(at(30 + 3600)))
})

test('nothing is used stale when that is turned off', () => {
  const off = { serveStale: { ...cacheSettings.serveStale, enabled: false } }
  assert.not(entry({ lifetimeSeconds: 5 }, off).isUsableStale(at(5)))
})

test('a stale image has the same TTL everywhere, also after the setting has changed', () => {
  const stored = entry({ lifetimeSeconds: 30 })
  assert.equal(ttls(readMessage(stored.stale(30))), [30])
  assert.equal(ttls(readMessage(stored.stale(7))), [7])
})

test('an image that was given out stale ages as before when it is fresh after all', () => {
  // A refresh that fails while the entry is fresh makes a stale settlement that nobody waits for.
  const stored = entry({ lifetimeSeconds: 30 })
  assert.equal(ttls(readMessage(stored.aged(at(10)))), [20])
  stored.stale(30)
  assert.equal(ttls(readMessage(stored.aged(at(10)))), [20])
  stored.stale(30)
  assert.equal(ttls(readMessage(stored.aged(startMs))), [30])
})

function put(cache: Cache, of: StoredAnswer): CacheEntry {
  const stored = cache.put(of)
  assert.ok(stored !== undefined)
  return stored
}

test('a refresh is due in the last tenth of the lifetime, once, for a name with two hits', () => {
  const cache = new Cache(cacheSettings)
  const stored = put(cache, answer({ lifetimeSeconds: 100 }))
  assert.not(cache.takeRefreshDue(stored, at(95)), 'one hit')
  assert.not(cache.takeRefreshDue(stored, at(89)), 'too early')
  assert.ok(cache.takeRefreshDue(stored, at(90)))
  assert.not(cache.takeRefreshDue(stored, at(91)), 'once')
})

test('short answers are refreshed in their last second', () => {
  const cache = new Cache(cacheSettings)
  const stored = put(cache, answer({ lifetimeSeconds: 5 }))
  cache.takeRefreshDue(stored, at(1))
  assert.not(cache.takeRefreshDue(stored, at(3.9)))
  assert.ok(cache.takeRefreshDue(stored, at(4)))
})

test('no refresh is ever due when prefetch is off', () => {
  const cache = new Cache({ ...cacheSettings, prefetch: { hitsMin: 0, remainingPercent: 10 } })
  const stored = put(cache, answer({ lifetimeSeconds: 5 }))
  for (let hit = 0; hit < 10; hit++) assert.not(cache.takeRefreshDue(stored, at(4.9)))
})

test('an entry is accounted with its image and its objects', () => {
  const of = answer({})
  const stored = new CacheEntry(of, cacheSettings)
  assert.ok(stored.bytes >= of.image.length + entryOverheadBytes)
  const cache = new Cache(cacheSettings)
  cache.put(answer({}))
  assert.is(cache.bytes, stored.bytes)
  cache.drop('k', 1)
  assert.is(cache.bytes, 0)
})

test('answers and denials are counted apart, as they come and go', () => {
  const cache = new Cache({ ...cacheSettings, entriesMax: 4 })
  cache.put(answer({ key: 'a' }))
  cache.put(answer({ key: 'b', isDenial: true }))
  cache.put(answer({ key: 'a', isDenial: true }))
  assert.equal([cache.stats.entriesSuccess, cache.stats.entriesDenial], [0, 2])
  for (let i = 0; i < 20; i++) cache.put(answer({ key: `k${i}`, isDenial: i % 2 === 0 }))
  const { entriesSuccess, entriesDenial, evictionsSuccess, evictionsDenial } = cache.stats
  assert.ok(entriesSuccess + entriesDenial <= 4)
  assert.is(entriesSuccess + evictionsSuccess, 10)
  assert.is(entriesDenial + evictionsDenial, 12)
})

test('a newer answer of the same length takes the place of the older, with all that belongs to it', () => {
  const cache = new Cache(cacheSettings)
  const stored = put(cache, answer({ lifetimeSeconds: 5 }))
  stored.stale(30)
  cache.takeRefreshDue(stored, at(4.9))
  const next = put(cache, answer({ lifetimeSeconds: 50, nowMs: at(6) }))
  assert.is(next, stored)
  assert.equal([next.hits, next.isFresh(at(55.9)), next.isFresh(at(56))], [0, true, false])
  assert.equal(ttls(readMessage(next.aged(at(16)))), [40])
  const longer = put(cache, answer({ records: 2 }))
  assert.is.not(longer, stored)
  assert.is.not(put(cache, answer({ records: 2, isDenial: true })), longer)
  assert.is(cache.stats.entriesSuccess + cache.stats.entriesDenial, 1)
})

test('an entry that somebody holds is not another one, nor are its bytes, when it has left the cache', () => {
  const cache = new Cache({ ...cacheSettings, entriesMax: 4 })
  const held = put(cache, answer({ key: 'held' }))
  held.isHeld = true
  const before = Buffer.from(held.aged(startMs))
  for (let i = 0; i < 5000; i++) cache.put(answer({ key: `k${i}`, records: 1 + (i % 3) }))
  assert.ok(cache.stats.evictionsSuccess > 4000)
  assert.is(cache.peekText('held', 1), undefined)
  assert.is(held.key, 'held')
  assert.equal(held.aged(startMs), before)
})

test('entries that nobody holds, and their memory, are used for the next answers', () => {
  const cache = new Cache({ ...cacheSettings, entriesMax: 64 })
  const entries = new Set<CacheEntry>()
  const allocations = new Set<Buffer>()
  for (let i = 0; i < 20_000; i++) {
    const stored = put(cache, answer({ key: `k${i}`, records: 1 + (i % 3), isDenial: i % 5 === 0 }))
    entries.add(stored)
    allocations.add(stored.memory)
  }
  assert.ok(entries.size <= 64 + 16, `${entries.size} entries`)
  assert.ok(allocations.size < 20, `${allocations.size} allocations`)
})

interface Step {
  readonly what: 'put' | 'look up' | 'drop' | 'hold'
  readonly number: number
  readonly records: number
  readonly isDenial: boolean
}

const step = fc.record<Step>({
  what: fc.constantFrom('put', 'put', 'put', 'look up', 'drop', 'hold'),
  number: fc.nat(60),
  records: fc.constantFrom(1, 1, 1, 2, 3, 80),
  isDenial: fc.boolean(),
})

/** A cache beside what its entries have to be. */
class Kept {
  readonly cache = new Cache({ ...cacheSettings, entriesMax: 20 })
  private readonly images = new Map<string, Buffer>()
  private readonly held = new Map<CacheEntry, string>()

  take({ what, number, records, isDenial }: Step, at: number): void {
    const key = `key ${number}`
    const known = this.cache.peekText(key, number)
    if (known !== undefined) this.compare(known, key)
    if (what === 'put') this.put({ key, records, isDenial, address: `10.0.1.${at % 256}` }, number)
    else if (what === 'drop') this.cache.drop(key, number)
    else if (known === undefined) return
    else if (what === 'look up') this.cache.noteUses(known, 2, startMs)
    else this.hold(known, key)
  }

  /** Those that are held are what they were, stored or not. */
  compareHeld(): void {
    for (const [entry, image] of this.held)
      assert.is(`${entry.key} ${entry.image().toString('hex')}`, image)
  }

  private put(of: Stored & { readonly key: string }, number: number): void {
    const made = { ...answer(of), hash: number }
    this.images.set(of.key, Buffer.from(made.image))
    const stored = put(this.cache, made)
    if (this.held.has(stored)) this.hold(stored, of.key)
  }

  private hold(entry: CacheEntry, key: string): void {
    entry.isHeld = true
    this.held.set(entry, `${key} ${entry.image().toString('hex')}`)
  }

  private compare(entry: CacheEntry, key: string): void {
    assert.is(entry.key, key)
    assert.is(entry.image().toString('hex'), this.images.get(key)?.toString('hex'))
  }
}

test('whatever comes, goes and is held, an entry is that of its key', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const kept = new Kept()
      for (const [at, each] of steps.entries()) kept.take(each, at)
      kept.compareHeld()
    }),
    { numRuns: 100 },
  )
})

test('an answer that is too large is counted', () => {
  const cache = new Cache({ ...cacheSettings, bytesMax: 500 })
  assert.is(cache.put(answer({})), undefined)
  assert.is(cache.stats.refused, 1)
  assert.is(cache.bytes, 0)
})

test('new settings keep what is stored', () => {
  const cache = new Cache(cacheSettings)
  for (let i = 0; i < 100; i++) cache.put(answer({ key: `k${i}` }))
  cache.reconfigure({ ...cacheSettings, entriesMax: 20_000 })
  assert.is(cache.stats.entriesSuccess, 100)
  cache.reconfigure({
    ...cacheSettings,
    entriesMax: 20_000,
    prefetch: { hitsMin: 0, remainingPercent: 5 },
  })
  assert.is(cache.stats.entriesSuccess, 100)
  cache.reconfigure({ ...cacheSettings, entriesMax: 10 })
  assert.ok(cache.stats.entriesSuccess <= 10)
})

test('memory stays within its bound while 20,000 random names are stored', () => {
  const core = new Core({ cache: { entriesMax: 50_000, bytesMax: 2_000_000 } })
  for (let i = 0; i < 20_000; i++) {
    core.cache.put({ ...answer({ key: `k${i}` }), hash: i })
    assert.ok(core.cache.bytes <= 2_000_000)
  }
  assert.ok(core.cache.bytes > 1_000_000)
})

test.run()
