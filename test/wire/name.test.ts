/*
 * Goal: names are octets, walks end, and nothing malformed is taken for a name (RFC 1035 3.1, RFC 4343, RFC 9267).
 * Method: hand-made messages, and random names through every function that reads or writes one.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  copyFoldedName,
  copyName,
  foldTable,
  isAtOrBelow,
  nameLength,
  parseName,
  presentName,
  skipName,
  wireName,
} from '../../src/wire/name.ts'
import { NameForm, NameWriter } from '../../src/wire/name-writer.ts'
import { header, labels, name, octets, type Part, pointer } from '../fixtures/packets/octets.ts'

const test = suite('wire/name')

const anyLabel = fc.uint8Array({ minLength: 1, maxLength: 63 })
const anyName = fc
  .array(anyLabel, { maxLength: 12 })
  .map((parts) => octets(...parts.map((part) => [part.length, part]), 0))
  .filter((wire) => wire.length <= 255)

/** A message of a header and these octets: names start at 12. */
function message(...parts: readonly Part[]): Buffer {
  return octets(header({}), ...parts)
}

function copied(bytes: Buffer, at: number, end = bytes.length): Buffer | undefined {
  const out = Buffer.alloc(255)
  const length = copyName(bytes, at, end, out, 0)
  return length < 0 ? undefined : out.subarray(0, length)
}

function steps(count = 1000): { steps: number } {
  return { steps: count }
}

test('folding touches A to Z and no other octet', () => {
  for (let octet = 0; octet < 256; octet++) {
    const isUpper = octet >= 65 && octet <= 90
    assert.is(foldTable[octet], isUpper ? octet + 32 : octet)
  }
})

test('a name is skipped up to its root or behind its pointer', () => {
  const bytes = message(name('www.example'), labels('api'), pointer(16), 0xff)
  assert.is(skipName(bytes, 12, bytes.length), 25)
  assert.is(skipName(bytes, 25, bytes.length), 31)
})

test('a pointer leads backwards into the body or is refused', () => {
  // Name piece at 20; the pointer itself stands at 24.
  for (const [target, isGood] of [
    [0, false],
    [11, false],
    [12, true],
    [19, true],
    [20, false],
    [24, false],
    [25, false],
    [0x3fff, false],
  ] as const) {
    const bytes = message(name('abcdef'), labels('api'), pointer(target))
    assert.is(skipName(bytes, 20, bytes.length) > 0, isGood, `target ${target}, skipped`)
    assert.is(nameLength(bytes, 20, bytes.length, steps()) > 0, isGood, `target ${target}`)
  }
})

test('two pointers cannot make a loop, because each must lead before its own piece', () => {
  // At 12: "a" and a pointer to 16; at 16: "b" and a pointer to 12.
  const bytes = message(labels('a'), pointer(16), labels('b'), pointer(12))
  assert.is(copied(bytes, 12), undefined)
  assert.is(copied(bytes, 16), undefined)
  assert.is(nameLength(bytes, 16, bytes.length, steps()), -1)
})

test('a chain of pointers is followed to its end', () => {
  const bytes = message(name('example'), labels('a'), pointer(12), labels('b'), pointer(21))
  assert.equal(copied(bytes, 25), name('b.a.example'))
  assert.is(nameLength(bytes, 25, bytes.length, steps()), name('b.a.example').length)
})

/** Messages in which a name runs on behind the place that it was pointed to from, and where that name stands. */
const runningOn = [
  ['its own pointer', 16, message(9, 'abc', labels('a'), pointer(12), 0, 1, 0)],
  [
    'the pointer that led to the next one',
    23,
    message(9, 'abc', labels('b'), pointer(12), 0, 1, 0, pointer(16)),
  ],
  ['half of a pointer', 18, message(name('x'), labels('a'), 0xc0, 12, 'twelve bytes', pointer(15))],
] as const

for (const [what, at, bytes] of runningOn) {
  test(`a pointer leads to a name that has ended before, so none runs over ${what}`, () => {
    assert.is(copied(bytes, at), undefined)
    assert.is(nameLength(bytes, at, bytes.length, steps()), -1)
    assert.is(presentName(bytes, at), '?')
    const writer = new NameWriter()
    writer.open(octets(header({}), name('corp'), 0, 1, 0, 1, Buffer.alloc(255)), 22)
    assert.not(writer.append(bytes, at, bytes.length, NameForm.owner))
  })
}

test('a name may end where the one that points to it begins', () => {
  const bytes = message(
    name('example'),
    labels('a'),
    pointer(12),
    pointer(21),
    labels('b'),
    pointer(25),
  )
  assert.equal(copied(bytes, 27), name('b.a.example'))
  // The root of an earlier name is a prior occurrence, too.
  const root = message(name('example'), labels('a'), pointer(20))
  assert.equal(copied(root, 21), name('a'))
})

test('label types 0x40 and 0x80 are no names', () => {
  for (const type of [0x40, 0x41, 0x7f, 0x80, 0xbf]) {
    const bytes = message(type, Buffer.alloc(200))
    assert.is(skipName(bytes, 12, bytes.length), -1)
    assert.is(copied(bytes, 12), undefined)
    assert.is(nameLength(bytes, 12, bytes.length, steps()), -1)
  }
})

test('a name that runs past the end is none, wherever it is cut', () => {
  const whole = message(labels('api.shop'), name('example'))
  for (let end = 12; end < whole.length; end++) {
    assert.is(skipName(whole, 12, end), -1)
    assert.is(copied(whole, 12, end), undefined)
    assert.is(nameLength(whole, 12, end, steps()), -1)
  }
  const compressed = message(name('example'), labels('api'), pointer(12))
  for (let end = 21; end < compressed.length; end++) {
    assert.is(skipName(compressed, 21, end), -1)
    assert.is(copied(compressed, 21, end), undefined)
  }
})

test('255 octets are a name, 256 are not, also when pointers make them', () => {
  const of250 = octets(...Array.from({ length: 62 }, () => [3, 'abc']), 0)
  const bytes = message(of250, labels('12345'), pointer(12), labels('123456'), pointer(12))
  assert.is(of250.length, 249)
  const shortAt = 12 + 249
  assert.is(copied(bytes, shortAt)?.length, 255)
  assert.is(nameLength(bytes, shortAt, bytes.length, steps()), 255)
  const longAt = shortAt + 8
  assert.is(copied(bytes, longAt), undefined)
  assert.is(nameLength(bytes, longAt, bytes.length, steps()), -1)
})

test('the length of a name costs one step per label and pointer, and none without budget', () => {
  const bytes = message(name('a.b.c'), labels('d'), pointer(12))
  const budget = steps(10)
  assert.is(nameLength(bytes, 19, bytes.length, budget), 9)
  // d, the pointer, a, b, c and the root.
  assert.is(budget.steps, 4)
  assert.is(nameLength(bytes, 19, bytes.length, steps(5)), -1)
})

test('copying folds letters or keeps them', () => {
  const bytes = message(octets(3, 'WwW', 4, 0xc1, '[@Z', 0))
  assert.equal(copied(bytes, 12), octets(3, 'WwW', 4, 0xc1, '[@Z', 0))
  const out = Buffer.alloc(20, 0xee)
  assert.is(copyFoldedName(bytes, 12, bytes.length, out, 2), 10)
  assert.equal(out.subarray(0, 13), octets(0xee, 0xee, 3, 'www', 4, 0xc1, '[@z', 0, 0xee))
})

test('ancestors are found label by label', () => {
  const under = (child: Buffer, parent: Buffer) =>
    isAtOrBelow(child, child.length, parent, parent.length)
  assert.ok(under(name('a.example'), name('example')))
  assert.ok(under(name('example'), name('example')))
  assert.ok(under(name('example'), name('.')))
  assert.not(under(name('example'), name('a.example')))
  assert.not(under(name('notexample'), name('example')))
  assert.not(under(name('.'), name('example')))
  // The octets of "example" stand at the end of this label, but no label ends there.
  assert.not(under(octets(12, 'a', name('example').subarray(0, 8), 'xyz', 0), name('example')))
  // A dot inside a label is no separator.
  assert.not(under(octets(9, 'a.example', 0), name('example')))
})

test('presentation escapes everything but letters, digits, hyphen and underscore', () => {
  assert.is(presentName(name('.'), 0), '.')
  assert.is(presentName(name('_Dns.EXAMPLE-1'), 0), '_dns.example-1.')
  assert.is(presentName(octets(3, 'a.b', 0), 0), 'a\\046b.')
  assert.is(presentName(octets(5, 0, '\n"\\', 0xff, 0), 0), '\\000\\010\\034\\092\\255.')
  assert.is(presentName(octets(3, 'ab'), 0), '?')
  assert.is(presentName(octets(0x41, 'a', 0), 0), '?')
})

test('text becomes a name with its escapes, the last dot optional', () => {
  assert.equal(parseName('WWW.Example.'), Uint8Array.from(name('www.example')))
  assert.equal(parseName('www.example'), Uint8Array.from(name('www.example')))
  assert.equal(wireName('WWW.example'), Uint8Array.from(name('www.example')))
  assert.equal(parseName('.'), Uint8Array.of(0))
  assert.equal(parseName(''), Uint8Array.of(0))
  assert.equal(parseName('a\\.b'), Uint8Array.from(octets(3, 'a.b', 0)))
  assert.equal(parseName('a\\046b'), Uint8Array.from(octets(3, 'a.b', 0)))
  assert.equal(parseName('\\000\\255'), Uint8Array.of(2, 0, 255, 0))
  // A letter that is escaped by its number is folded like any other.
  assert.equal(parseName('\\065'), Uint8Array.of(1, 97, 0))
  assert.equal(parseName('ü'), Uint8Array.of(2, 0xc3, 0xbc, 0))
})

for (const [text, why] of [
  ['a..b', 'an empty label'],
  ['.a', 'an empty first label'],
  ['..', 'two dots'],
  ['l'.repeat(64), 'a label of 64 octets'],
  [`${'abc.'.repeat(63)}ab`, 'a name of 256 octets'],
  ['a\\256', 'an octet above 255'],
  ['a\\', 'a backslash before nothing'],
] as const) {
  test(`text with ${why} is no name`, () => {
    assert.is(parseName(text), undefined)
    assert.throws(() => wireName(text), /is no domain name/)
  })
}

test('the longest label and the longest name can be read', () => {
  assert.is(parseName('l'.repeat(63))?.length, 65)
  assert.is(parseName(`${'abc.'.repeat(63)}a`)?.length, 255)
})

test('10,000 random names are copied as they are and survive presentation', () => {
  fc.assert(
    fc.property(anyName, (wire) => {
      assert.equal(copied(wire, 0), wire)
      assert.is(skipName(wire, 0, wire.length), wire.length)
      const folded = Buffer.alloc(255)
      const length = copyFoldedName(wire, 0, wire.length, folded)
      assert.equal(parseName(presentName(wire, 0)), Uint8Array.from(folded.subarray(0, length)))
    }),
    { numRuns: 10_000 },
  )
})

test('names that differ in more than letter case read differently', () => {
  fc.assert(
    fc.property(anyName, anyName, (one, other) => {
      const fold = (wire: Buffer) => Buffer.from(wire.map((octet) => foldTable[octet] ?? 0))
      const isSame = fold(one).equals(fold(other))
      assert.is(presentName(one, 0) === presentName(other, 0), isSame)
    }),
  )
})

test('any octets at all end in a length or in -1', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(320), (bytes, at) => {
      const out = Buffer.alloc(300, 0xee)
      const length = copyName(bytes, at, bytes.length, out, 0)
      assert.ok(length === -1 || (length >= 1 && length <= 255))
      assert.is(nameLength(bytes, at, bytes.length, steps()), length)
      const behind = skipName(bytes, at, bytes.length)
      assert.ok(behind === -1 || (behind > at && behind <= bytes.length))
      // What can be copied can be skipped; what can be skipped may still point to something broken.
      assert.ok(length === -1 || behind > 0)
      assert.is(out[255], 0xee)
    }),
    { numRuns: 5000 },
  )
})

test.run()
