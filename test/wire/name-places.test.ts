/*
 * Goal: a pointer may stay in a message that others change later only if it leads to a name. Method: messages byte by byte, every place
 * asked for.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NamePlaces } from '../../src/wire/name-places.ts'
import {
  header,
  labels,
  name,
  octets,
  type Part,
  pointer,
  question,
} from '../fixtures/packets/octets.ts'

const test = suite('wire/name-places')

const asked = question(name('www.corp.example'), 1)
const bodyAt = 12 + asked.length

function opened(...parts: readonly Part[]): { places: NamePlaces; bytes: Buffer } {
  const bytes = octets(header({}), asked, parts)
  const places = new NamePlaces()
  places.open(bytes, bodyAt)
  return { places, bytes }
}

test('of the question its labels are names, and nothing else is', () => {
  const known = Array.from({ length: bodyAt + 8 }, (_, target) => target).filter((target) => {
    const { places } = opened(pointer(target))
    return places.leadsToName(bodyAt)
  })
  assert.equal(known, [12, 16, 21])
})

test('names in data are known with their endings once they have been added', () => {
  const { places, bytes } = opened(labels('a.b'), pointer(16), pointer(bodyAt + 2), pointer(bodyAt))
  const behind = bodyAt + 6
  assert.not(places.leadsToName(behind))
  assert.is(places.add(bodyAt, bytes.length), behind)
  assert.not(places.isInFull)
  assert.ok(places.leadsToName(behind))
  assert.ok(places.leadsToName(behind + 2))
})

test('a name in full is known as such', () => {
  const { places, bytes } = opened(name('a.example'))
  assert.is(places.add(bodyAt, bytes.length), bytes.length)
  assert.ok(places.isInFull)
})

test('what is cut off, reserved, or leads nowhere is not added', () => {
  for (const part of [
    labels('a'),
    octets(5, 'abc'),
    octets(0xc0),
    octets(0x41, 'a', 0),
    octets(0x80, 12),
    pointer(bodyAt),
    pointer(0),
    pointer(0x3fff),
    octets(labels('a'), pointer(13)),
  ]) {
    const { places, bytes } = opened(part)
    assert.is(places.add(bodyAt, bytes.length), -1, bytes.toString('hex', bodyAt))
  }
})

test('names longer than 255 bytes are not added, also when a pointer makes them', () => {
  const long = octets(
    Array.from({ length: 60 }, () => labels('abc')),
    0,
  )
  const { places, bytes } = opened(
    long,
    labels('12345678901'),
    pointer(bodyAt),
    labels('123456789012345'),
    pointer(bodyAt),
  )
  const second = places.add(bodyAt, bytes.length)
  assert.is(second, bodyAt + 241)
  const third = places.add(second, bytes.length)
  assert.is(third, second + 14)
  assert.is(places.add(third, bytes.length), -1)
})

test('nothing of the message before is known in the next one', () => {
  const { places, bytes } = opened(name('a.example'), pointer(bodyAt))
  places.add(bodyAt, bytes.length)
  assert.ok(places.leadsToName(bodyAt + 11))
  places.open(bytes, bodyAt)
  assert.not(places.leadsToName(bodyAt + 11))
})

test('names out of reach of pointers are read, and not remembered', () => {
  const { places, bytes } = opened(Buffer.alloc(0x4000 - bodyAt - 2), name('a.b.example'))
  assert.is(places.add(0x3ffe, bytes.length), bytes.length)
  const after = octets(bytes, pointer(0x3ffe))
  places.open(after, bodyAt)
  places.add(0x3ffe, after.length)
  assert.ok(places.leadsToName(bytes.length))
})

test.run()
