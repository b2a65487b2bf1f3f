/** Goal: A and AAAA of one look-up get one decision, also near the end of its evidence and beside other clients of the same pod. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AliasImage } from '../../src/core/alias-image.ts'
import { pairMs } from '../../src/core/search-pairs.ts'
import { SearchPins } from '../../src/core/search-pins.ts'
import { RrType } from '../../src/wire/constants.ts'

const test = suite('core/search-pins')

const image: AliasImage = { image: Buffer.alloc(12), hasAddress: true, ttlAt: [] }
const images = { a: image, aaaa: image }
const untilMs = 5000
/** A look-up that begins now does not get the pin any more. */
const lateMs = untilMs - 2 * pairMs

function half(qtype: number, clientPort: number) {
  return { name: '\x03www', client: '10.0.0.1', clientPort, qtype }
}
const a = (port: number) => half(RrType.a, port)
const aaaa = (port: number) => half(RrType.aaaa, port)

function pinned(): SearchPins {
  const pins = new SearchPins()
  pins.set(a(1), { images, untilMs }, 0)
  return pins
}

test('whoever asks long before its end gets it, and nobody after', () => {
  const pins = pinned()
  for (const asked of [a(2), aaaa(3), a(1)]) assert.ok(pins.get(asked, lateMs - 1))
  assert.is(pins.peek(a(2), lateMs), undefined)
  assert.is(pins.peek(a(2), untilMs), undefined)
  assert.is(pins.size, 0)
})

test('near its end it is for other halves only', () => {
  const pins = pinned()
  pins.get(aaaa(2), lateMs - 1)
  assert.is(pins.get(aaaa(3), lateMs), undefined)
  assert.ok(pins.peek(a(2), lateMs))
  assert.ok(pins.get(a(2), lateMs))
  assert.is(pins.get(a(2), lateMs + 1), undefined, 'that is another look-up')
})

test('halves of many clients of one address are not taken for one another', () => {
  const pins = pinned()
  const ports = [1, 2, 3, 4, 5]
  for (const port of ports) assert.ok(pins.get(a(port), lateMs - 10 + port))
  for (const port of ports) assert.ok(pins.get(aaaa(port), lateMs + port), `port ${port}`)
  assert.is(pins.get(aaaa(1), lateMs + 9), undefined)
})

test('halves from two sockets find each other, and take none from one socket', () => {
  const pins = pinned()
  pins.get(a(1), lateMs - 2)
  pins.get(a(2), lateMs - 1)
  assert.ok(pins.get(aaaa(21), lateMs), 'from a socket of its own')
  assert.ok(pins.get(aaaa(1), lateMs + 1))
  assert.ok(pins.get(aaaa(2), lateMs + 2))
  assert.ok(pins.get(a(22), lateMs + 3), 'the other half of the first')
  assert.is(pins.get(aaaa(23), lateMs + 4), undefined)
})

test('what was taken for a half that finds its own is not left over for another look-up', () => {
  const pins = pinned()
  for (const asked of [a(1), aaaa(21), aaaa(1), a(22)]) assert.ok(pins.get(asked, lateMs - 1))
  for (const asked of [a(3), aaaa(31)]) assert.is(pins.get(asked, lateMs), undefined)
})

test('what is lent has time for its own other half', () => {
  const pins = pinned()
  for (const port of [1, 2]) pins.get(a(port), untilMs - pairMs - 100 * port - 101)
  pins.set(a(3), { images, untilMs: untilMs + 1 }, untilMs - pairMs - 1)
  assert.ok(pins.get(aaaa(21), untilMs - pairMs - 1), 'a new look-up')
  assert.is(pins.get(aaaa(22), untilMs - pairMs + 1), undefined)
  assert.ok(pins.get(a(21), untilMs - 2))
  assert.is(pins.get(aaaa(3), untilMs - 2)?.untilMs, untilMs + 1)
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

test('what is remembered of a pin has a bound', () => {
  const pins = pinned()
  for (let port = 1; port <= 1000; port++) pins.get(a(port), lateMs - 1)
  const others = Array.from({ length: 1000 }, (_, i) => pins.get(aaaa(2000 + i), lateMs))
  assert.is(others.filter((pin) => pin !== undefined).length, 64)
})

test.run()
