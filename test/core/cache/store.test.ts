/*
 * Goal: the store never passes its bounds, its accounts are exact, and what is used stays. Method: random operations; what can be
 * found, what is enumerated and what the accounts say must be the same.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CacheMemory } from '../../../src/core/cache/memory.ts'
import { Storable } from '../../../src/core/cache/queue.ts'
import { CacheStore, type StoreLimits } from '../../../src/core/cache/store.ts'
import { Random } from '../../fuzz/random.ts'

const test = suite('core/cache/store')

class Value extends Storable {
  octets: Buffer
  octetsAt = 0

  constructor(key: string, bytes: number, isDenial = false) {
    super(key, hashOf(key), bytes, isDenial)
    this.octets = Buffer.from(key)
  }

  override settle(memory: CacheMemory): void {
    super.settle(memory)
    this.octetsAt = memory.keep(this.octets, this.octetsAt, this.key.length)
    this.octets = memory.octets
  }
}

function hashOf(key: string): number {
  let hash = 0
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
  return hash
}

function storeOf(limits: Partial<StoreLimits>): CacheStore<Value> {
  return new CacheStore<Value>({
    entriesMax: 50_000,
    bytesMax: 100_000_000,
    denialPercent: 40,
    ...limits,
  })
}

/** Complains unless accounts, enumeration and look-up agree. */
function checkAccounts(store: CacheStore<Value>): void {
  const values = [...store.all()]
  assert.is(store.entries, values.length)
  assert.is(
    store.bytes,
    values.map(({ bytes }) => bytes).reduce((sum, bytes) => sum + bytes, 0),
  )
  assert.is(store.present.denial, values.filter(({ isDenial }) => isDenial).length)
  assert.is(store.present.success + store.present.denial, store.entries)
  for (const value of values) {
    assert.is(store.peek(value.key, value.hash), value)
    const { octets, octetsAt, key } = value
    assert.is(octets.toString('latin1', octetsAt, octetsAt + key.length), key)
  }
}

for (const limits of [
  { entriesMax: 1000, bytesMax: 1_000_000_000 },
  { entriesMax: 1_000_000, bytesMax: 2_000_000 },
  { entriesMax: 5000, bytesMax: 4_000_000 },
  { entriesMax: 1, bytesMax: 65_536 },
]) {
  test(`200,000 random values stay within ${limits.entriesMax} entries and ${limits.bytesMax} octets, accounted exactly`, () => {
    const store = storeOf(limits)
    const random = new Random(42)
    for (let i = 0; i < 200_000; i++) {
      const key = `key ${random.below(20_000)}`
      const roll = random.below(10)
      if (roll === 0) store.delete(key, hashOf(key))
      else if (roll < 3) store.getText(key, hashOf(key))
      else store.set(new Value(key, 100 + random.below(1500), roll < 5))
      assert.ok(store.entries <= limits.entriesMax && store.bytes <= limits.bytesMax)
      if (i % 20_000 === 0) checkAccounts(store)
    }
    assert.ok(store.evicted.success > 0 && store.evicted.denial > 0)
    checkAccounts(store)
    assert.ok(store.entries > 0)
  })
}

test('small stores are accounted exactly through any sequence of operations', () => {
  const operation = fc.tuple(
    fc.constantFrom('set', 'get', 'delete', 'resize'),
    fc.nat(12),
    fc.integer({ min: 1, max: 400 }),
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
      const store = storeOf({ entriesMax: 6, bytesMax: 1000 })
      for (const [what, index, bytes] of operations) {
        const key = `key ${index}`
        if (what === 'set') store.set(new Value(key, bytes))
        else if (what === 'get') store.getText(key, hashOf(key))
        else if (what === 'delete') store.delete(key, hashOf(key))
        else store.resize({ entriesMax: 2 + index, bytesMax: 500 + bytes, denialPercent: 40 })
        checkAccounts(store)
        assert.ok(store.bytes <= store.limits.bytesMax)
        assert.ok(store.entries <= store.limits.entriesMax)
      }
    }),
    { numRuns: 1000 },
  )
})

function filled(entriesMax: number, count: number): CacheStore<Value> {
  const store = storeOf({ entriesMax, bytesMax: 100_000_000 })
  for (let i = 0; i < count; i++) store.set(new Value(`key ${i}`, 100))
  return store
}

test('a value that is replaced is accounted once and is no eviction', () => {
  const store = filled(100, 10)
  const next = new Value('key 3', 700)
  store.set(next)
  assert.equal([store.entries, store.bytes, store.evicted.success], [10, 9 * 100 + 700, 0])
  checkAccounts(store)
})

test('what was replaced does not come back', () => {
  const store = storeOf({ entriesMax: 64, bytesMax: 65_536 })
  for (let round = 0; round < 20_000; round++) {
    const key = `key ${round % 30}`
    store.set(new Value(key, 100 + Math.floor(round / 1000)))
  }
  checkAccounts(store)
  for (const { bytes } of store.all()) assert.is(bytes, 119)
})

test('what is used survives a flood of names that are asked once', () => {
  const store = storeOf({ entriesMax: 2000, bytesMax: 100_000_000 })
  const hot = Array.from({ length: 100 }, (_, i) => new Value(`hot ${i}`, 100))
  for (const value of hot) store.set(value)
  for (let i = 0; i < 50_000; i++) {
    store.set(new Value(`cold ${i}`, 100))
    const value = hot[i % hot.length]
    if (value !== undefined) store.getText(value.key, value.hash)
  }
  const kept = hot.filter(({ key, hash }) => store.peek(key, hash) !== undefined).length
  assert.ok(kept >= 95, `${kept} of 100 are left`)
})

test('names that are asked for in turn all stay, up to three quarters of what the store may hold', () => {
  // Shards fill unevenly: with 64 of them the fullest has a sixth more than its share.
  const store = storeOf({ entriesMax: 40_000 })
  const count = 30_000
  let misses = 0
  for (let i = 0; i < 5 * count; i++) {
    const key = `key ${i % count}`
    if (store.getText(key, hashOf(key)) !== undefined) continue
    misses += 1
    store.set(new Value(key, 100))
  }
  assert.is(misses, count)
  checkAccounts(store)
})

test('what was taken out of line costs no more than what is in it', () => {
  const store = storeOf({ entriesMax: 64, bytesMax: 65_536 })
  for (let i = 0; i < 10; i++) store.set(new Value(`first ${i}`, 100))
  // Each round another length: the older one keeps its place in line, and is sent away when there are too many of its like.
  for (let i = 0; i < 10_000; i++) store.set(new Value('key', 100 + (i % 1000)))
  assert.is(store.evicted.success, 0)
  for (let i = 0; i < 10; i++) assert.ok(store.peek(`first ${i}`, hashOf(`first ${i}`)))
})

test('of 1,000 names in use 99 in 100 look-ups are hits while nine times as many names come once', () => {
  // Room for 6,700: in each change of the whole contents a name in use is asked for 0.7 times on average, at random.
  for (const isDenial of [true, false]) {
    const store = storeOf({ bytesMax: 8_388_608 })
    const random = new Random(7)
    const ask = (key: string, isCold: boolean): boolean => {
      if (store.getText(key, hashOf(key)) !== undefined) return true
      store.set(new Value(key, 1250, isCold && isDenial))
      return false
    }
    for (let i = 0; i < 3000; i++) ask(`hot ${Math.floor(i / 3)}`, false)
    let hits = 0
    let asked = 0
    for (let i = 0; i < 60_000; i++) {
      ask(`cold ${i}`, true)
      if (i % 9 !== 0) continue
      asked += 1
      if (ask(`hot ${random.below(1000)}`, false)) hits += 1
    }
    assert.ok(hits / asked >= 0.99, `${((100 * hits) / asked).toFixed(2)} % hits`)
  }
})

test('names that do not exist take no more than their share, and push no answer out', () => {
  const store = storeOf({ bytesMax: 10_000_000, denialPercent: 40 })
  for (let i = 0; i < 3000; i++) store.set(new Value(`answer ${i}`, 1000))
  const { success } = store.present
  for (let i = 0; i < 50_000; i++) store.set(new Value(`no ${i}`, 1000, true))
  assert.is(store.present.success, success)
  const denialBytes = store.present.denial * 1000
  assert.ok(denialBytes <= 4_000_000 && denialBytes > 1_500_000, `${denialBytes} octets`)
})

test('what denials leave of the whole is there for answers', () => {
  const store = storeOf({ bytesMax: 10_000_000 })
  let most = 0
  for (let i = 0; i < 50_000; i++) {
    store.set(new Value(`a ${i}`, 1000))
    most = Math.max(most, store.bytes)
  }
  assert.ok(most > 7_000_000 && most <= 10_000_000, `${most} octets`)
})

test('a name that comes to exist is charged anew', () => {
  const store = storeOf({})
  for (const isDenial of [true, false, true]) {
    store.set(new Value('key', 500, isDenial))
    assert.equal([store.entries, store.bytes, store.present.denial], [1, 500, isDenial ? 1 : 0])
  }
})

test('a value that is too large is refused, and what stood there is gone', () => {
  const store = storeOf({ entriesMax: 10, bytesMax: 1000 })
  assert.ok(store.set(new Value('a', 1000)))
  assert.not(store.set(new Value('a', 1001)))
  assert.is(store.getText('a', hashOf('a')), undefined)
  assert.equal([store.entries, store.bytes], [0, 0])
})

test('the largest message there is fits into every store that is allowed', () => {
  // 65,535 octets, 5,956 records, and the entry itself; the configuration asks for 65,536 octets at least.
  for (const bytesMax of [262_144, 1_048_576, 33_554_432]) {
    const store = storeOf({ entriesMax: 50_000, bytesMax })
    assert.ok(store.set(new Value('a', 65_535 + 16 * 300 + 1200)), `${bytesMax} octets`)
  }
})

test('a store of the smallest size still keeps small answers', () => {
  const store = storeOf({ entriesMax: 50_000, bytesMax: 65_536 })
  for (let i = 0; i < 40; i++) assert.ok(store.set(new Value(`key ${i}`, 1300)))
  assert.ok(store.entries >= 30, `${store.entries} entries`)
})

test('new limits keep what fits, in every shard the latest', () => {
  const store = filled(40_000, 10_000)
  store.resize({ entriesMax: 80_000, bytesMax: 100_000_000, denialPercent: 40 })
  assert.is(store.entries, 10_000)
  checkAccounts(store)
  store.resize({ entriesMax: 5000, bytesMax: 100_000_000, denialPercent: 40 })
  assert.ok(store.entries <= 5000 && store.entries >= 4000, `${store.entries} entries`)
  assert.ok(store.getText('key 9999', hashOf('key 9999')) !== undefined)
  store.resize({ entriesMax: 5000, bytesMax: 1000, denialPercent: 40 })
  assert.ok(store.bytes <= 1000)
})

test('no single insert into a full store drops more than a hundredth of it', () => {
  const store = filled(50_000, 60_000)
  for (let i = 0; i < 60_000; i++) {
    const before = store.evicted.success
    store.set(new Value(`more ${i}`, 100))
    const dropped = store.evicted.success - before
    assert.ok(dropped <= 500, `${dropped} at once`)
  }
})

test.run()
