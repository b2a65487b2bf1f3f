/** Goal: a dump is used whole or not at all. Method: sound ones, and every kind of damage to them. */
import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Cache } from '../../src/core/cache/cache.ts'
import { dumpCache, readDump } from '../../src/handover/cache-file.ts'
import { aRecord, cacheSettings, responseTo, scanned, ttlLimits } from '../core/support.ts'

const test = suite('handover/cache-file')

const route = {
  zone: '.',
  zoneIndex: 0,
  zoneLabels: 0,
  group: 'external',
  ttl: ttlLimits,
  isCluster: false,
  trustAd: false,
  mayRecurse: true,
  payloadBytes: 1232,
}

/** A cache with `count` answers, some of them denials. */
function cacheOf(count: number): Cache {
  const cache = new Cache(cacheSettings)
  for (let i = 0; i < count; i++) {
    const name = `n${i}.example`
    const image = responseTo(name, 'A', { answers: [aRecord(name, '10.0.0.1', 60)] })
    const label = `n${i}`
    const wire = `${String.fromCharCode(label.length)}${label}\u0007example\0`
    const key = `${wire}\0\u0001\0\u0001\0`
    const scan = scanned(image)
    const common = { image, scan, isDenial: i % 7 === 0, lifetimeSeconds: 60, route }
    cache.put({ ...common, key, hash: i, routeGeneration: 1, nowMs: 0 })
  }
  return cache
}

async function dumpOf(cache: Cache, wallMs = 1_000_000): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of dumpCache(cache, () => 5000, wallMs)) pieces.push(piece)
  return Buffer.concat(pieces)
}

function signed(body: Buffer): Buffer {
  return Buffer.concat([body, createHash('sha256').update(body).digest()])
}

test('a dump holds every entry once, and says how old it is', async () => {
  const read = readDump(await dumpOf(cacheOf(500)), 1_000_250)
  assert.ok(read.ok)
  assert.is(read.records.length, 500)
  assert.is(new Set(read.records.map(({ key }) => key)).size, 500)
  assert.is(read.ageMs, 250)
  assert.ok(read.records.every(({ ageMs }) => ageMs === 5000))
})

test('an answer that somebody else gives as well has the uses that this one knows of', async () => {
  const cache = cacheOf(2)
  const [first] = [...cache.all()]
  cache.watcher = {
    leaving: () => undefined,
    stored: () => undefined,
    usesOf: (entry) => (entry === first ? 9 : entry.hits),
  }
  const read = readDump(await dumpOf(cache))
  assert.ok(read.ok)
  assert.equal(
    read.records.map(({ key, hits }) => [key, hits]),
    [...cache.all()].map(({ key }) => [key, key === first?.key ? 9 : 0]),
  )
})

test('no piece of a dump is empty, whatever the number of entries', async () => {
  for (const count of [0, 49, 50, 51, 100]) {
    for await (const piece of dumpCache(cacheOf(count), () => 0))
      assert.ok(piece.length > 0, `${count}`)
  }
})

test('an empty cache is a dump, too; a clock that was set back makes nothing younger', async () => {
  const read = readDump(await dumpOf(cacheOf(0)), 5)
  assert.equal(read, { ok: true, records: [], ageMs: 0 })
})

test('a dump that is cut off, changed, foreign or of another version is refused, and it is said why', async () => {
  const dump = await dumpOf(cacheOf(20))
  const why = (bytes: Buffer) => {
    const read = readDump(bytes)
    return read.ok ? 'accepted' : read.why
  }
  for (let length = 0; length < dump.length; length += 7) {
    assert.is.not(why(dump.subarray(0, length)), 'accepted', `${length} octets`)
  }
  for (let at = 0; at < dump.length; at += 5) {
    const changed = Buffer.from(dump)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    assert.is.not(why(changed), 'accepted', `octet ${at}`)
  }
  assert.match(why(Buffer.alloc(5000, 7)), /not of neardns/)
  const body = dump.subarray(0, -32)
  const newer = Buffer.from(body)
  newer.writeUInt16BE(99, 14)
  assert.match(why(signed(newer)), /version 99; this is version 1/)
  const timeless = Buffer.from(body)
  timeless.writeDoubleBE(Number.NaN, 16)
  assert.match(why(signed(timeless)), /does not say when it was made/)
  // Signed, but its last record is cut off.
  assert.match(why(signed(body.subarray(0, -3))), /no answer/)
  assert.is(why(signed(body)), 'accepted')
})

test.run()
