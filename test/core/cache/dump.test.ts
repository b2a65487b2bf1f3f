/** Goal: what one process had cached another has, at the same age; a record that contradicts itself spoils the dump. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Cache } from '../../../src/core/cache/cache.ts'
import { dumpEntry, readRecords, restoreRecords } from '../../../src/core/cache/dump.ts'
import type { CacheEntry } from '../../../src/core/cache/entry.ts'
import { QuestionKey } from '../../../src/core/cache/key.ts'
import { Router, type ZoneRoute } from '../../../src/core/router.ts'
import { parseName } from '../../../src/wire/name.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { readMessage, writeQuery } from '../../support/client/dns-message.ts'
import { aRecord, cacheSettings, responseTo, scanned, ttlLimits } from '../support.ts'

const test = suite('core/cache/dump')

const startMs = 5_000_000

function zone(name: string): ZoneRoute {
  return {
    zone: `${name}.`,
    name: parseName(name) ?? new Uint8Array(1),
    group: name,
    ttl: ttlLimits,
    isCluster: false,
    trustAd: false,
    mayRecurse: true,
    payloadBytes: 1232,
  }
}

const root = { ...zone(''), zone: '.', name: new Uint8Array(1) }

function router(...zones: readonly string[]): Router {
  return new Router([...zones.map(zone), root])
}

function filled(name = 'www.example', routes = router(), lifetimeSeconds = 100): Cache {
  const cache = new Cache(cacheSettings)
  const image = responseTo(name, 'A', { answers: [aRecord(name, '10.0.0.1', lifetimeSeconds)] })
  const key = keyOf(name)
  const wire = parseName(name) ?? new Uint8Array(1)
  cache.put({
    key: key.text(),
    hash: key.nameHash,
    image,
    scan: scanned(image),
    isDenial: false,
    lifetimeSeconds,
    route: routes.route(Buffer.from(wire), wire.length),
    routeGeneration: 1,
    nowMs: startMs,
  })
  return cache
}

function find(cache: Cache, name: string): CacheEntry | undefined {
  return cache.lookup(keyOf(name))
}

function keyOf(name: string): QuestionKey {
  const query = writeQuery(name, 'A')
  const question = new Question()
  readQuestion(query, query.length, question)
  return new QuestionKey().read(query, question)
}

function dumpOf(cache: Cache, nowMs: number): Buffer {
  const entries = [...cache.all()]
  return Buffer.concat(entries.map((entry) => dumpEntry(entry, nowMs)))
}

test('an entry comes back with its age, its lifetime and its hits, also when it was aged before', () => {
  const before = filled()
  const entry = find(before, 'www.example')
  assert.ok(entry)
  entry.hits = 7
  entry.aged(startMs + 20_000)
  const records = readRecords(dumpOf(before, startMs + 30_000))
  const cache = new Cache(cacheSettings)
  // The clock of another process is another clock.
  assert.equal(restoreRecords(records ?? [], { cache, router: router() }, 1000), {
    entries: 1,
    skipped: 0,
  })
  const restored = find(cache, 'www.example')
  assert.is(restored?.hits, 7)
  assert.is(readMessage(restored?.aged(1000) ?? Buffer.alloc(0)).answers[0]?.ttl, 70)
  assert.ok(restored?.isFresh(1000 + 69_999))
  assert.not(restored?.isFresh(1000 + 70_000))
})

test('an answer of a zone that goes elsewhere now is left out', () => {
  const records = readRecords(dumpOf(filled(), startMs))
  const cache = new Cache(cacheSettings)
  const restored = restoreRecords(records ?? [], { cache, router: router('example') }, 0)
  assert.equal(restored, { entries: 0, skipped: 1 })
  assert.is(find(cache, 'www.example'), undefined)
})

test('what is past use is left out', () => {
  const { stalenessMaxSeconds } = cacheSettings.serveStale
  const gone = startMs + (100 + stalenessMaxSeconds) * 1000
  const records = readRecords(dumpOf(filled(), gone))
  const cache = new Cache(cacheSettings)
  assert.equal(restoreRecords(records ?? [], { cache, router: router() }, 0).entries, 0)
})

test('images of an older version, with names in full, are restored and given as they are', () => {
  const cache = new Cache(cacheSettings)
  const name = 'www.example'
  const answers = ['10.0.0.1', '10.0.0.2'].map((address) => aRecord(name, address, 100))
  const older = responseTo(name, 'A', { answers })
  const key = keyOf(name)
  const route = router().route(Buffer.from(key.name), key.nameBytes)
  const of = { key: key.text(), hash: key.nameHash, image: older, scan: scanned(older) }
  const kept = { isDenial: false, lifetimeSeconds: 100, route, routeGeneration: 1, nowMs: startMs }
  cache.put({ ...of, ...kept })
  const records = readRecords(dumpOf(cache, startMs))
  const next = new Cache(cacheSettings)
  assert.is(restoreRecords(records ?? [], { cache: next, router: router() }, 0).entries, 1)
  const restored = find(next, name)
  // Owners in full are not turned.
  assert.is(restored?.run, 0)
  assert.equal(
    readMessage(restored?.aged(0) ?? Buffer.alloc(0)).answers.map(({ data }) => data),
    ['10.0.0.1', '10.0.0.2'],
  )
})

test('every truncation of a dump is refused, and so is a key about another name', () => {
  const dump = dumpOf(filled(), startMs)
  for (let length = 1; length < dump.length; length++) {
    assert.is(readRecords(dump.subarray(0, length)), undefined, `${length} octets`)
  }
  const other = Buffer.from(dump)
  other.write('wwx', other.indexOf('www'), 'latin1')
  assert.is(readRecords(other), undefined)
})

test('no change of one octet makes it throw', () => {
  const dump = dumpOf(filled(), startMs)
  for (let at = 0; at < dump.length; at++) {
    for (const value of [0, 1, 0x7f, 0xc0, 0xff]) {
      const changed = Buffer.from(dump)
      changed.writeUInt8(value, at)
      const records = readRecords(changed)
      if (records === undefined) continue
      restoreRecords(records, { cache: new Cache(cacheSettings), router: router() }, 0)
    }
  }
})

test.run()
