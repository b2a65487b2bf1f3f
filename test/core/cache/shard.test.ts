/*
 * Goal: names that come once push out each other, and not the names in use; new denials have a budget. Method: shards of a hundred, each
 * rule of who makes room by itself; then random use within the bounds.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hashOf } from '../../../src/core/cache/key-bytes.ts'
import { Standing, Storable } from '../../../src/core/cache/queue.ts'
import { CacheShard, type ShardLimits } from '../../../src/core/cache/shard.ts'

const test = suite('core/cache/shard')

const suffix = '\0\x01\0\x01\0'

class Value extends Storable {
  constructor(label: string, isDenial = false, bytes = 100) {
    super(`${label}\0${suffix}`, hashOf(`${label}\0`), bytes, isDenial)
  }

  get label(): string {
    return this.key.slice(0, -suffix.length - 1)
  }
}

class Shard {
  readonly evicted: string[] = []
  readonly shard: CacheShard<Value>

  constructor(limits: Partial<ShardLimits> = {}) {
    const whole = { entriesMax: 100, bytesMax: 1_000_000, denialShare: 0.4, ...limits }
    this.shard = new CacheShard<Value>(whole, (value) => {
      assert.is(value.standing, Standing.none)
      this.evicted.push(value.label)
    })
  }

  add(label: string, isDenial = false, bytes = 100): void {
    this.shard.add(new Value(label, isDenial, bytes))
  }

  /** `<prefix>0` and so on. */
  addMany(prefix: string, count: number, isDenial = false): void {
    for (let i = 0; i < count; i++) this.add(`${prefix}${i}`, isDenial)
  }

  /** @returns how many of them were there to be used */
  use(prefix: string, count: number, times: number): number {
    let there = 0
    for (let i = 0; i < count; i++) {
      const { key, hash } = new Value(`${prefix}${i}`)
      if (this.shard.peek(key, hash) !== undefined) there += 1
      for (let n = 0; n < times; n++) this.shard.getText(key, hash)
    }
    return there
  }

  has(label: string): boolean {
    const { key, hash } = new Value(label)
    return this.shard.peek(key, hash) !== undefined
  }

  labels(): string[] {
    return [...this.shard.all()].map(({ label }) => label)
  }
}

test('it holds as many as it may, and then the first that came makes room', () => {
  const shard = new Shard()
  shard.addMany('a', 100)
  assert.equal(shard.evicted, [])
  shard.add('b')
  shard.add('c')
  assert.equal(shard.evicted, ['a0', 'a1'])
  assert.is(shard.labels().length, 100)
})

test('what was found twice since it came stays, what was found once goes', () => {
  const shard = new Shard()
  shard.addMany('twice', 1)
  shard.addMany('once', 1)
  shard.addMany('a', 98)
  shard.use('twice', 1, 2)
  shard.use('once', 1, 1)
  shard.addMany('b', 2)
  assert.equal(shard.evicted, ['once0', 'a0'])
  assert.is(shard.has('twice0'), true)
})

test('a look at a value is no use of it', () => {
  const shard = new Shard()
  shard.addMany('a', 100)
  for (let i = 0; i < 5; i++) shard.has('a0')
  shard.add('b')
  assert.equal(shard.evicted, ['a0'])
})

test('names that come once, however many, push out no name in use', () => {
  const shard = new Shard()
  shard.addMany('used', 80)
  shard.use('used', 80, 2)
  shard.addMany('scan', 1000)
  assert.is(shard.use('used', 80, 0), 80)
  assert.is(shard.labels().length, 100)
})

test('names in use have to be used again: when all is in use, the one that was not asked for goes first', () => {
  const shard = new Shard()
  shard.addMany('used', 100)
  shard.use('used', 100, 2)
  // They are passed over once each, which is when they become proven.
  shard.addMany('new', 1)
  const inUse = shard.use('used', 10, 1)
  const before = shard.evicted.length
  shard.addMany('more', 5)
  const gone = shard.evicted.slice(before)
  assert.ok(
    gone.every((label) => !/^used\d$/.test(label)),
    gone.join(' '),
  )
  assert.is(shard.use('used', 10, 0), inUse)
})

test('new answers have a tenth of the room while all others are in use', () => {
  const shard = new Shard()
  shard.addMany('used', 100)
  shard.use('used', 100, 2)
  shard.addMany('scan', 500)
  const scanned = shard.labels().filter((label) => label.startsWith('scan'))
  assert.ok(scanned.length >= 10 && scanned.length <= 11, `${scanned.length}`)
  assert.equal(
    scanned,
    Array.from({ length: scanned.length }, (_, i) => `scan${500 - scanned.length + i}`),
  )
})

test('a few long answers have a tenth of the octets, too', () => {
  const shard = new Shard({ bytesMax: 10_000 })
  shard.addMany('used', 50)
  shard.use('used', 50, 2)
  for (let i = 0; i < 20; i++) shard.add(`long${i}`, false, 1000)
  assert.is(shard.use('used', 50, 0), 50)
  assert.is(shard.use('long', 20, 0), 5)
})

test('new denials have their share, and no more, also where there is room', () => {
  const shard = new Shard()
  shard.addMany('no', 40, true)
  assert.equal(shard.evicted, [])
  shard.addMany('more', 2, true)
  assert.equal(shard.evicted, ['no0', 'no1'])
  assert.is(shard.labels().length, 40)
})

test('the share of denials is of the octets, too', () => {
  const shard = new Shard({ bytesMax: 1000 })
  shard.addMany('no', 4, true)
  assert.equal(shard.evicted, [])
  shard.add('more', true)
  assert.equal(shard.evicted, ['no0'])
})

test('denials in use are not of that share', () => {
  const shard = new Shard()
  shard.addMany('used', 40, true)
  shard.use('used', 40, 2)
  shard.addMany('no', 40, true)
  shard.addMany('scan', 200, true)
  assert.is(shard.use('used', 40, 0), 40)
})

test('of answers and denials that came once, denials make room first, down to a twentieth', () => {
  const shard = new Shard()
  shard.addMany('no', 10, true)
  shard.addMany('a', 90)
  shard.addMany('b', 10)
  const gone = (prefix: string) => shard.evicted.filter((label) => label.startsWith(prefix)).length
  assert.equal([gone('no'), gone('a')], [5, 5])
})

test('octets have their bound as entries do', () => {
  const shard = new Shard({ bytesMax: 1000 })
  shard.add('a', false, 400)
  shard.add('b', false, 600)
  assert.equal(shard.evicted, [])
  shard.add('c', false, 401)
  assert.equal(shard.evicted, ['a', 'b'])
  assert.equal(shard.labels(), ['c'])
})

test('what is taken out is gone without being evicted, and its key is free', () => {
  const shard = new Shard()
  shard.addMany('a', 3)
  const { key, hash } = new Value('a1')
  assert.is(shard.shard.take(key, hash)?.label, 'a1')
  assert.is(shard.shard.take(key, hash), undefined)
  assert.equal([shard.has('a1'), shard.evicted, shard.labels()], [false, [], ['a0', 'a2']])
  shard.add('a1')
  assert.equal(shard.labels(), ['a0', 'a2', 'a1'])
})

test('a value that comes with its standing keeps it', () => {
  const shard = new Shard()
  const proven = new Value('proven', true)
  proven.standing = Standing.proven
  shard.addMany('old', 40, true)
  shard.shard.add(proven)
  assert.equal(shard.evicted, [], 'it is not of the share of new denials')
  shard.addMany('no', 200, true)
  assert.is(shard.has('proven'), true)
})

test('values are enumerated in the order in which they may have to go: denials, answers, those in use', () => {
  const shard = new Shard({ entriesMax: 3 })
  shard.addMany('used', 1)
  shard.use('used', 1, 2)
  shard.add('a')
  shard.add('b')
  shard.add('c')
  shard.add('no', true)
  assert.is(shard.labels().at(-1), 'used0')
  assert.is(shard.labels()[0], 'no')
})

interface Step {
  readonly what: 'add' | 'add denial' | 'use' | 'take'
  readonly label: number
  readonly bytes: number
}

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom('add', 'add', 'add denial', 'use', 'use', 'take'),
    label: fc.nat(60),
    bytes: fc.integer({ min: 50, max: 400 }),
  }),
  { maxLength: 400, size: 'max' },
)

function play({ shard }: Shard, { what, label, bytes }: Step): void {
  const value = new Value(`${label}`, what === 'add denial', bytes)
  if (what === 'use') shard.getText(value.key, value.hash)
  if (what === 'take' || what.startsWith('add')) shard.take(value.key, value.hash)
  if (what.startsWith('add')) shard.add(value)
}

test('whatever comes, is used and goes, the bounds hold, and what is enumerated is what is found', () => {
  const limits = { entriesMax: 20, bytesMax: 4000, denialShare: 0.4 }
  fc.assert(
    fc.property(steps, (all) => {
      const shard = new Shard(limits)
      for (const step of all) {
        play(shard, step)
        const values = [...shard.shard.all()]
        assert.ok(values.length <= limits.entriesMax)
        assert.ok(values.reduce((sum, { bytes }) => sum + bytes, 0) <= limits.bytesMax)
        const newDenials = values.filter(
          ({ isDenial, standing }) => isDenial && standing === Standing.fresh,
        )
        assert.ok(newDenials.length <= 8)
        for (const value of values) assert.is(shard.shard.peek(value.key, value.hash), value)
        assert.is(new Set(values.map(({ key }) => key)).size, values.length)
      }
    }),
    { numRuns: 150 },
  )
})

test.run()
