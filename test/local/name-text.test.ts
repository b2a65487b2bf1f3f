/** Goal: a name as text is what CoreDNS's library writes, and is read back. Method: names with odd octets, and a random walk over all octets. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nameOctets, nameText } from '../../src/local/name-text.ts'
import { parseName } from '../../src/wire/name.ts'
import { name, octets } from '../fixtures/packets/octets.ts'

const test = suite('local/name-text')

test('plain names, and those with octets that are escaped', () => {
  assert.is(nameText(name('www.example')), 'www.example.')
  assert.is(nameText(octets(0)), '.')
  assert.is(nameText(octets(3, 'a.b', 2, 'c@', 0)), 'a\\.b.c\\@.')
  assert.is(nameText(octets(3, 0, 32, 255, 0)), '\\000\\ \\255.')
})

test('a text is read as the general reader reads it', () => {
  const long = `${'a'.repeat(63)}.`
  const texts = [
    'www.Example.',
    'www.example',
    '.',
    '',
    'a',
    'a..b.',
    '.a.',
    `${long}${long}x.`,
    `b${long}`,
    long.repeat(4),
    `${long.repeat(3)}${'a'.repeat(61)}.`,
    `${long.repeat(3)}${'a'.repeat(61)}`,
    `${long.repeat(3)}${'a'.repeat(62)}`,
    'a\\.b.c.',
    'a\\000.',
    'é.example.',
    'a b.example.',
  ]
  for (const text of texts) assert.equal(nameOctets(text), parseName(text), text)
})

test('every octet comes back', () => {
  for (let octet = 0; octet < 256; octet++) {
    const one = octets(2, 'x', octet, 1, 'y', 0)
    const folded = octet >= 0x41 && octet <= 0x5a ? octets(2, 'x', octet + 32, 1, 'y', 0) : one
    assert.equal(Buffer.from(nameOctets(nameText(one)) ?? []), folded, String(octet))
  }
})

test.run()
