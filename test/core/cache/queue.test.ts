/*
 * Goal: first in, first out, with exact accounts of those that are gone. Method: single steps, then random ones beside an array.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { KeyBytes } from '../../../src/core/cache/key-bytes.ts'
import { CacheMemory } from '../../../src/core/cache/memory.ts'
import { CacheQueue, Standing, Storable } from '../../../src/core/cache/queue.ts'

const test = suite('core/cache/queue')

class Value extends Storable {
  constructor(key: string, bytes = 100) {
    super(key, 0, bytes, false)
    this.standing = Standing.fresh
  }
}

function queueOf(...values: readonly Value[]): CacheQueue<Value> {
  const queue = new CacheQueue<Value>()
  for (const value of values) queue.push(value)
  return queue
}

const keysOf = (queue: CacheQueue<Value>) => [...queue.all()].map(({ key }) => key)

test('the first in line is the first out', () => {
  const queue = queueOf(new Value('a'), new Value('b'), new Value('c'))
  assert.equal(keysOf(queue), ['a', 'b', 'c'])
  assert.equal([queue.shift()?.key, queue.shift()?.key], ['a', 'b'])
  assert.equal([queue.entries, queue.heldBytes], [1, 100])
  queue.push(new Value('d'))
  assert.equal([queue.shift()?.key, queue.shift()?.key, queue.shift()], ['c', 'd', undefined])
  assert.equal([queue.entries, queue.heldBytes], [0, 0])
})

test('a value that is taken out does not keep those behind it alive', () => {
  const first = new Value('a')
  const queue = queueOf(first, new Value('b'))
  queue.shift()
  assert.is(first.next, undefined)
})

test('a value that comes from another line brings nobody along', () => {
  const value = new Value('a')
  value.next = new Value('stranger')
  assert.equal(keysOf(queueOf(value)), ['a'])
})

test('who is gone keeps its place and its octets until its turn', () => {
  const gone = new Value('a')
  const queue = queueOf(gone, new Value('b'), new Value('c'))
  queue.lose(gone)
  assert.equal([queue.entries, queue.heldBytes], [2, 300])
  assert.is(gone.standing, Standing.none)
  assert.equal(keysOf(queue), ['b', 'c'])
  assert.is(queue.shift(), undefined, 'its turn')
  assert.equal([queue.entries, queue.heldBytes], [2, 200])
  assert.is(queue.shift()?.key, 'b')
})

test('those that are gone are sent away when they hold more than half', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((key) => new Value(key)) as [
    Value,
    Value,
    Value,
    Value,
  ]
  const queue = queueOf(a, b, c, d)
  queue.lose(b)
  queue.lose(c)
  assert.is(queue.heldBytes, 400, 'half is not more')
  queue.lose(d)
  assert.equal([queue.entries, queue.heldBytes], [1, 100])
  assert.equal(keysOf(queue), ['a'])
})

test('octets that had their turn do not count as gone any more', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((key) => new Value(key)) as [
    Value,
    Value,
    Value,
    Value,
  ]
  const queue = queueOf(a, b, c, d)
  queue.lose(a)
  queue.shift()
  queue.lose(c)
  assert.is(queue.heldBytes, 300, 'one of three')
})

test('the last one of all that is lost leaves an empty line, to be used again', () => {
  const only = new Value('a')
  const queue = queueOf(only)
  queue.lose(only)
  assert.equal([queue.entries, queue.heldBytes, queue.shift()], [0, 0, undefined])
  queue.push(new Value('b'))
  assert.equal(keysOf(queue), ['b'])
})

const keyBytes = new KeyBytes()

function hasKey(value: Value, key: string): boolean {
  keyBytes.write(key)
  return value.hasKey(keyBytes)
}

test('a value that was never in a line has no key to be found by', () => {
  assert.is(hasKey(new Value('key'), 'key'), false)
})

test('a stored value is known by its key, and by no other of any length', () => {
  const value = new Value('\x03www\0\0\x01\0\x01\0')
  queueOf(value)
  assert.is(hasKey(value, value.key), true)
  for (const other of [
    '\x03wwx\0\0\x01\0\x01\0',
    '\x03www\0\0\x1c\0\x01\0',
    '\x03www\0\0\x01\0\x01\x01',
    '\x03www\0\0\x01\0\x01\0\0\0\0',
    '\x03www\0\0\x01',
  ])
    assert.is(hasKey(value, other), false, JSON.stringify(other))
})

test('a value keeps its key when it goes from one line to another', () => {
  const value = new Value('\x03www\0\0\x01\0\x01\0')
  value.settle(new CacheMemory())
  for (let i = 0; i < 3; i++) value.settle(new CacheMemory())
  assert.is(hasKey(value, value.key), true)
})

test('a value says its key before it is in a line, in it, and after it was in others', () => {
  const key = '\x03w\xffw\0\0\x01\0\x01\0'
  const value = new Value(key)
  assert.is(value.key, key)
  for (let i = 0; i < 3; i++) {
    value.settle(new CacheMemory())
    assert.is(value.key, key)
  }
})

test('a value that somebody holds takes its key along', () => {
  const [held, other] = [new Value('\x03www\0\0\x01\0\x01\0'), new Value('b')]
  held.isHeld = true
  const queue = queueOf(held, other)
  queue.shift()
  held.words?.fill(0)
  assert.is(held.key, '\x03www\0\0\x01\0\x01\0')
})

interface Step {
  readonly what: 'push' | 'shift' | 'lose'
  /** Which one is lost. */
  readonly at: number
}

const step = fc.record<Step>({
  what: fc.constantFrom('push', 'push', 'push', 'push', 'shift', 'lose', 'lose'),
  at: fc.nat(1000),
})

/** Takes from the front of the model what `shift` may take: those gone before it, one at a call. */
function shiftBoth(queue: CacheQueue<Value>, model: Value[]): void {
  const value = queue.shift()
  if (value !== undefined) assert.is(model.shift(), value)
}

function loseBoth(queue: CacheQueue<Value>, model: Value[], at: number): void {
  const [lost] = model.splice(at % Math.max(1, model.length), 1)
  if (lost === undefined) return
  queue.lose(lost)
  assert.ok(queue.heldBytes <= 2 * bytesOf(model), 'half is gone at most')
}

const bytesOf = (values: readonly Value[]) => values.reduce((sum, { bytes }) => sum + bytes, 0)

test('whatever comes and goes, the line is that of an array, and its accounts are exact', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const queue = new CacheQueue<Value>()
      const model: Value[] = []
      for (const [i, { what, at }] of steps.entries()) {
        if (what === 'push') {
          const value = new Value(`key ${i}`, 10 + (i % 7))
          queue.push(value)
          model.push(value)
        } else if (what === 'shift') shiftBoth(queue, model)
        else loseBoth(queue, model, at)
        assert.is(queue.entries, model.length)
        assert.ok(queue.heldBytes >= bytesOf(model))
      }
      assert.equal(
        keysOf(queue),
        model.map(({ key }) => key),
      )
    }),
    { numRuns: 300 },
  )
})

test.run()
