/** Goal: A and AAAA of one look-up get one decision, also near the end of its evidence and beside other clients of the same pod. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AliasImage } from '../../../../src/core/search/answer-mode/alias-image.ts'
import { Pins } from '../../../../src/core/search/answer-mode/pins.ts'
import { pairMs } from '../../../../src/core/search/pairs.ts'
import { RrType } from '../../../../src/wire/constants.ts'

const test = suite('core/search/answer-mode/pins')

const image: AliasImage = { image: Buffer.alloc(12), hasAddress: true, ttlAt: [] }
const images = { a: image, aaaa: image }
const untilMs = 5000
/** A look-up that begins now does not get the pin any more. */
const lateMs = untilMs - pairMs

function member(qtype: number, clientPort: number) {
  return { name: '\x03www', client: '10.0.0.1', clientPort, qtype }
}
const a = (port: number) => member(RrType.a, port)
const aaaa = (port: number) => member(RrType.aaaa, port)

function pinned(): Pins {
  const pins = new Pins()
  pins.set(a(1), { images, untilMs }, 0)
  return pins
}

test('whoever asks long before its end gets it, and nobody after', () => {
  const pins = pinned()
  for (const asked of [a(2), aaaa(3), a(1)]) assert.ok(pins.get(asked, lateMs - 1))
  assert.is(pins.peek(a(2), lateMs), undefined)
  assert.is(pins.get(a(2), untilMs), undefined)
  assert.is(pins.size, 0)
})

test('near its end it is for other halves only', () => {
  const pins = pinned()
  pins.get(aaaa(2), lateMs - 1)
  assert.is(pins.get(aaaa(3), lateMs), undefined)
  assert.ok(pins.peek(a(2), lateMs))
  assert.ok(pins.get(a(2), lateMs))
  assert.is(pins.get(a(2), lateMs + 1), undefined, 'that is another look-up')
  assert.is(pins.get(aaaa(2), lateMs + 2), undefined, 'and so is that')
})

test('halves of many clients of one address are not taken for one another', () => {
  const pins = pinned()
  const ports = [1, 2, 3, 4, 5]
  for (const port of ports) assert.ok(pins.get(a(port), lateMs - 10 + port))
  for (const port of ports) assert.ok(pins.get(aaaa(port), lateMs + port), `port ${port}`)
  assert.is(pins.get(aaaa(1), lateMs + 9), undefined)
})

test('a half from another socket begins a look-up of its own', () => {
  const pins = pinned()
  pins.get(a(1), lateMs - 1)
  assert.is(pins.get(aaaa(21), lateMs), undefined)
  assert.ok(pins.get(aaaa(1), lateMs + 1))
})

test('a half that comes too late for its pair is another look-up', () => {
  const pins = pinned()
  pins.get(a(1), lateMs - 100)
  assert.ok(pins.peek(aaaa(1), lateMs + 149))
  assert.is(pins.get(aaaa(1), lateMs + 150), undefined)
})

test('what other clients are told does not take a pin from under a look-up', () => {
  const pins = pinned()
  pins.get(a(1), lateMs - 1)
  assert.is(pins.get(a(2), lateMs + 1), undefined)
  pins.set(a(2), { images: undefined, untilMs: lateMs + 2000 }, lateMs + 1)
  assert.is(pins.get(aaaa(1), lateMs + 2)?.images, images)
  assert.is(pins.get(aaaa(2), lateMs + 3)?.images, undefined)
  assert.is(pins.get(a(3), lateMs + 4)?.untilMs, lateMs + 2000)
})

test('a pin is for its client and its name alone', () => {
  const pins = pinned()
  assert.is(pins.get({ ...aaaa(1), client: '10.0.0.2' }, 1), undefined)
  assert.is(pins.get({ ...aaaa(1), name: '\x03ftp' }, 1), undefined)
  assert.ok(pins.get(aaaa(1), 1))
})

test('no half gets a pin whose evidence has ended', () => {
  const pins = new Pins()
  pins.set(a(1), { images, untilMs: 100 }, 0)
  assert.ok(pins.peek(aaaa(1), 99))
  assert.is(pins.get(aaaa(1), 100), undefined)
})

/** Other look-ups of the client that were told something else. */
function setMore(pins: Pins, count: number, untilMs: number): void {
  for (let i = 1; i <= count; i++) pins.set(a(100 + i), { images: undefined, untilMs }, i)
}

test('three pins may come after one before its second half does', () => {
  const pins = pinned()
  setMore(pins, 3, untilMs)
  assert.is(pins.get(aaaa(1), 10)?.images, images)
  const more = pinned()
  setMore(more, 4, untilMs)
  assert.is(more.get(aaaa(1), 10)?.images, undefined)
})

test('pins that have ended push out none that holds', () => {
  const pins = pinned()
  setMore(pins, 3, 10)
  pins.set(a(200), { images: undefined, untilMs }, 20)
  assert.is(pins.get(aaaa(1), 30)?.images, images)
})

test('what is remembered of a pin has a bound', () => {
  const pins = pinned()
  for (let port = 1; port <= 1000; port++) pins.get(a(port), lateMs - 1)
  const found = Array.from({ length: 1000 }, (_, i) => pins.get(aaaa(1 + i), lateMs))
  assert.is(found.filter((pin) => pin !== undefined).length, 64)
})

test.run()
